"""What is read is said; what is not certain is refused with what is missing and an example of --map."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.errors import InputError, TapeError
from memesnipe.market.events import AMM, PUMP_CURVE, PUMPSWAP
from memesnipe.tapes.importer import import_swaps
from tests.tapes.csvs import SHARED, TS, TS_S, write_csv
from tests.tapes.sources.shapes import (
    MINT,
    SOL,
    USDC,
    Row,
    Swap,
    bitquery,
    csv,
    dune,
    geckoterminal,
    json_list,
    pumpportal,
)

SWAP = Swap(TS_S, MINT, True, 380_000_069, 13_421_332_211_323, "w", "s1")


def _refused(path: Path, columns: str | None = None) -> str:
    with pytest.raises(InputError) as refused:
        import_swaps(path, 200.0, columns=columns)
    text = str(refused.value)
    assert text.isprintable()
    return text


def _written(folder: Path, rows: list[Row], name: str = "swaps.csv") -> Path:
    path = folder / name
    path.write_bytes(csv(rows) if name.endswith("csv") else json_list(rows))
    return path


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("time,mint,side,sol_amount", "1,A,buy,1", "lacks token_amount .found: ts in .*--map 'token_amount=COLUMN'"),
        (
            "time,block_time,mint,side,sol,tokens", "1,1,A,buy,1,1",
            "several columns for ts: time or block_time.*--map 'ts=time'",
        ),
        ("time,mint,sol,tokens", "1,A,1,1", "lacks side.*side=COLUMN:sign for amounts that are positive for purchases"),
        ("time,side,sol,tokens", "1,buy,1,1", "lacks mint.*--map 'mint=@ADDRESS'"),
        (
            "block_time,token_bought_mint_address,token_sold_mint_address,token_bought_amount_raw", "1,A,B,1",
            "as Dune dex_solana.trades it lacks sold_amount",
        ),
        ("date,type,usd,doge,sol,maker", "1,buy,1,1,1,w", "lacks ts and mint and token_amount .found: side in type"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_an_example(tmp_path: Path, header: str, row: str, expected: str) -> None:
    assert re.search(expected, _refused(write_csv(tmp_path, header, row)))


def test_names_that_match_nothing_are_chosen_by_the_user(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "when;what;in;out;how", f"{TS_S}500;{MINT};380000069;13421332211323;Buy")
    choice = "ts=when:ms,mint=what,sol_amount=IN:lamports,token_amount=out:raw,side=how"
    event = import_swaps(path, 200.0, columns=choice).tape.events[0]
    assert (event["ts"], event["sol_lamports"], event["token_raw"]) == (TS + 5 * 10**8, 380000069, 13421332211323)
    assert event["side"] == 1


def test_a_layout_is_read_with_one_of_its_columns_replaced(tmp_path: Path) -> None:
    rows = [{**dune(SWAP), "wallet": "other"}]
    ours = import_swaps(_written(tmp_path, rows), 200.0, columns="trader=wallet")
    assert ours.layout == "Dune dex_solana.trades"
    assert ours.tape.events["trader"] != import_swaps(_written(tmp_path, rows), 200.0).tape.events["trader"]


def test_the_sign_of_an_amount_is_the_side_if_the_user_says_so(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "time,mint,sol,tokens", f"{TS_S},{MINT},-0.5,1000.25", f"{TS_S + 1},{MINT},0.5,-1000.25")
    for choice in ("side=tokens:sign", "side=sol:-sign"):
        assert import_swaps(path, 200.0, columns=choice).tape.events["side"].tolist() == [1, -1]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("ts", "--map ts: must be field=column"),
        ("ts=time,ts=time", "ts is given twice"),
        ("size=x", "unknown field, did you mean side.; the fields are ts, mint"),
        ("ts=time:hours", "unknown unit; the units of ts are s, ms, us, ns, iso"),
        ("ts=@5", "only mint, venue, decimals, trader, side may be constants"),
        ("ts=nowhere", "has no column 'nowhere' .--map ts.; its columns are time, mint, side, sol, tokens"),
    ],
)
def test_an_unusable_choice_is_refused(tmp_path: Path, choice: str, expected: str) -> None:
    path = write_csv(tmp_path, "time,mint,side,sol,tokens", f"{TS_S},A,buy,0.5,1000000.5")
    assert re.search(expected, _refused(path, choice))


@pytest.mark.parametrize(
    ("project", "venue"),
    [("pumpdotfun", PUMP_CURVE), ("pumpswap", PUMPSWAP), ("raydium", AMM), ("orca_whirlpool", AMM), ("stabble", AMM)],
)
def test_the_projects_of_dune_are_venues(tmp_path: Path, project: str, venue: int) -> None:
    imported = import_swaps(_written(tmp_path, [{**dune(SWAP), "project": project}]), 200.0)
    assert imported.tape.events["venue"].tolist() == [venue]


def test_an_unknown_venue_of_a_file_without_a_layout_is_rejected(tmp_path: Path) -> None:
    rows = ["0.5,1000000.5,raydium_cpmm", "0.5,1000000.5,binance"]
    path = write_csv(tmp_path, "time,mint,side,sol,tokens,dex", *(f"{TS_S},A,buy,{row}" for row in rows))
    imported = import_swaps(path, 200.0)
    assert imported.rejected == {"unknown venue: it must be pump_curve, pumpswap or amm": 1}


def test_trades_for_another_quote_than_sol_are_rejected_with_the_reason(tmp_path: Path) -> None:
    other = {**dune(SWAP), "token_sold_mint_address": USDC}
    two = {**dune(SWAP), "token_sold_mint_address": "B" * 40}
    both = {**dune(SWAP), "token_bought_mint_address": SOL}
    imported = import_swaps(_written(tmp_path, [dune(SWAP), other, two, both]), 200.0)
    assert imported.rejected == {
        "the quote of the trade is USDC, not SOL": 1,
        "neither side of the trade is SOL": 1,
        "both sides of the trade are SOL": 1,
    }
    rows = [f"{TS_S},{MINT},buy,0.5,1000000.5,{quote}" for quote in (SOL, USDC, "BONK", "")]
    quoted = import_swaps(write_csv(tmp_path, "time,mint,side,sol,tokens,quote_mint", *rows), 200.0)
    reasons = {"the quote (quote_mint) is not SOL": 2, "the quote (quote_mint) is USDC, not SOL": 1}
    assert quoted.rejected == reasons


def test_decimals_follow_from_raw_and_whole_amounts(tmp_path: Path) -> None:
    row = {**dune(SWAP), "token_bought_amount": "13421.332211323"}
    tape = import_swaps(_written(tmp_path, [row]), 200.0).tape
    assert tape.events["token_raw"].tolist() == [13_421_332_211_323]
    assert tape.events["price_usd"] == pytest.approx(0.380000069 / 13421.332211323 * 200, rel=0.05)
    assert "decimals" not in tape.assumptions


def test_the_option_gives_the_decimals_that_no_row_shows(tmp_path: Path) -> None:
    unknown = {**dune(SWAP), "token_bought_mint_address": "B" * 40, "token_bought_amount": "", "tx_id": "s2"}
    path = _written(tmp_path, [dune(SWAP), unknown])
    assumed, given = (import_swaps(path, 200.0, decimals=decimals).tape for decimals in (None, 6))
    assert assumed.assumptions["decimals"] == {"value": 6, "assumed": True}
    assert given.assumptions["decimals"] == {"value": 6, "assumed": False}
    assert assumed.events.tobytes() == given.events.tobytes()
    with pytest.raises(TapeError, match="show other decimals than --decimals 9: omit it"):
        import_swaps(path, 200.0, decimals=9)


def test_decimal_commas_are_read(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "time;token;side;sol;tokens", f"2025-09-13 16:53:15;{MINT};SELL;0,5;1000000,25")
    tape = import_swaps(path, 200.0).tape
    assert (tape.events["sol_lamports"][0], tape.events["token_raw"][0]) == (500_000_000, 1_000_000_250_000)
    assert tape.assumptions["decimal_mark"] == "comma"


NAMES = st.lists(
    st.text("abcxyz_ .:0", min_size=1, max_size=8).map(str.strip).filter(bool), min_size=5, max_size=5, unique=True
)


@given(NAMES, st.permutations(range(5)))
def test_columns_of_any_name_and_order_are_read_with_map(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], order: list[int]
) -> None:
    values = [str(SWAP.second), SWAP.mint, "sell", SWAP.sol, SWAP.tokens]
    fields = [("ts", "s"), ("mint", ""), ("side", "word"), ("sol_amount", "sol"), ("token_amount", "whole")]
    folder = tmp_path_factory.mktemp("names")
    lines = (",".join(texts[i] for i in order) for texts in (names, values))
    choice = ",".join(f"{field}={name}{unit and ':' + unit}" for name, (field, unit) in zip(names, fields, strict=True))
    event = import_swaps(write_csv(folder, *lines), 200.0, columns=choice).tape.events[0]
    assert (event["ts"], event["side"], event["sol_lamports"]) == (TS, -1, SWAP.lamports)
    assert event["token_raw"] == SWAP.raw


def test_trades_of_a_slot_are_ordered_by_their_place_in_it(tmp_path: Path) -> None:
    rows = [{**dune(SWAP), "tx_id": f"s{i}", "trader_id": f"w{i}", "block_slot": 7, "tx_index": i} for i in (11, 2, 9)]
    tape = import_swaps(_written(tmp_path, rows), 200.0).tape
    alone = [import_swaps(_written(tmp_path, [rows[i]]), 200.0).tape.events["trader"][0] for i in (1, 2, 0)]
    assert tape.events["trader"].tolist() == alone


def test_layouts_are_named_in_the_reply_and_in_the_tape(tmp_path: Path) -> None:
    for row, name in (
        (dune, "Dune dex_solana.trades"), (bitquery, "Bitquery DEXTrades"), (pumpportal, "PumpPortal messages"),
        (geckoterminal, "GeckoTerminal trades"),
    ):  # fmt: skip
        imported = import_swaps(_written(tmp_path, [row(SWAP)], "a.json"), 200.0)
        assert imported.layout == imported.tape.assumptions["layout"]["name"] == name


@pytest.mark.skipif(not SHARED.is_dir(), reason="no recorded data")
def test_recorded_messages_of_pumpportal_are_read() -> None:
    path = SHARED / "wire/pumpportal/session1.jsonl"
    imported = import_swaps(path, 200.0)
    messages = [json.loads(json.loads(line)["raw"]) for line in path.read_text().splitlines()]
    bought = [m for m in messages if m.get("initialBuy", 0) > 0 and m["pool"] == "pump"]
    assert imported.layout == "PumpPortal messages"
    assert len(imported.tape.events) == len(bought) > 100
    # The balances of another launchpad's curve, without its virtual part.
    assert imported.rejected["the reserves imply another price than the trade"] == 1
    assert sum(imported.rejected.values()) == len(messages) - len(bought)
    assert imported.tape.events["sol_lamports"].tolist() == [round(m["solAmount"] * 1e9) for m in bought]
    assert imported.tape.events["pool_sol_lamports"].tolist() == [round(m["vSolInBondingCurve"] * 1e9) for m in bought]


@pytest.mark.skipif(not SHARED.is_dir(), reason="no recorded data")
def test_prices_of_dexscreener_are_no_trades() -> None:
    with pytest.raises(TapeError, match="pairs of DexScreener are prices of one moment, not trades"):
        import_swaps(SHARED / "wire/dexscreener/token_bonk.json", 200.0)
