"""What an import reads otherwise than the file says is said, and a faulty choice is answered with what to type."""

import re
from pathlib import Path

import pandas as pd
import pytest

from memesnipe.errors import InputError, TapeError
from memesnipe.market.assumptions import describe
from memesnipe.market.events import AMM
from memesnipe.tapes.importer import Imported, import_swaps
from tests.tapes.csvs import PLAIN, SHARED, TS, TS_S, write_csv
from tests.tapes.sources.shapes import MINT, Row, Swap, csv, dune, json_lines

SWAP = Swap(TS_S, MINT, True, 380_000_069, 13_421_332_211_323, "w", "s1")
RECORDED = SHARED / "pump_curve_trades.csv.gz"
recorded = pytest.mark.skipif(not RECORDED.is_file(), reason="no recorded trades")


def _message(number: int, pool: str) -> Row:
    return {
        "ts": TS_S + number, "signature": f"s{number}", "mint": MINT, "traderPublicKey": "w", "txType": "buy",
        "tokenAmount": 13_421_332.5, "solAmount": 0.38, "pool": pool,
    }  # fmt: skip


def _import(folder: Path, data: bytes, columns: str | None = None) -> Imported:
    path = folder / "swaps"
    path.write_bytes(data)
    return import_swaps(path, 200.0, columns=columns)


def test_pools_of_other_venues_are_said_with_their_number(tmp_path: Path) -> None:
    pools = ["pump", "bonk", "bonk", "unheard-of", "pump-amm", "amm"]
    imported = _import(tmp_path, json_lines([_message(number, pool) for number, pool in enumerate(pools)]))
    assert imported.tape.assumptions["amms"] == {"bonk": 2, "unheard-of": 1}
    assert (imported.tape.events["venue"] == AMM).sum() == 4
    said = "Venues read as amm, constant product pools with a fee of 25 bps: bonk (2 rows), unheard-of (1 row)."
    assert said in describe(imported.tape.assumptions)


def test_a_file_of_pump_fun_alone_says_nothing_of_other_venues(tmp_path: Path) -> None:
    imported = _import(tmp_path, json_lines([_message(1, "pump"), _message(2, "pump-amm")]))
    assert "amms" not in imported.tape.assumptions


@pytest.mark.parametrize(
    ("sol", "tokens", "reason"),
    [
        ("0", "1000", "sol_amount is 0 for a whole token or more"),
        ("0.0000000001", "1000", "sol_amount is 0 for a whole token or more"),
        ("0.5", "0", "token_amount is 0, or less than the smallest unit"),
        ("0", "0", "token_amount is 0, or less than the smallest unit"),
    ],
)
def test_a_swap_of_nothing_is_rejected(tmp_path: Path, sol: str, tokens: str, reason: str) -> None:
    good = [f"{TS + i},A,buy,0.5,17000000" for i in range(3)]
    imported = import_swaps(write_csv(tmp_path, PLAIN, *good, f"{TS + 9},A,sell,{sol},{tokens}"), 200.0)
    assert (imported.rejected, len(imported.tape.events)) == ({reason: 1}, 3)


def test_dust_that_is_worth_less_than_a_lamport_is_a_swap(tmp_path: Path) -> None:
    good = [f"{TS + i},A,buy,0.5,17000000" for i in range(3)]
    imported = import_swaps(write_csv(tmp_path, PLAIN, *good, f"{TS + 9},A,sell,0,0.000001"), 200.0)
    assert (imported.rejected, len(imported.tape.events)) == ({}, 4)


@recorded
def test_a_recorded_trade_for_nothing_is_rejected(tmp_path: Path) -> None:
    trades = pd.read_csv(RECORDED, dtype=str).head(20)
    trades.loc[3, "amount_in_sol"] = "0"
    trades.to_csv(tmp_path / "swaps.csv", index=False)
    imported = import_swaps(tmp_path / "swaps.csv", 200.0)
    assert imported.rejected == {"amount_in_sol is 0 for a whole token or more": 1}


@recorded
def test_a_map_on_the_raw_layout_replaces_single_columns(tmp_path: Path) -> None:
    trades = pd.read_csv(RECORDED, dtype=str)
    expected = import_swaps(RECORDED, 200.0)
    trades["who"], trades["wallet_address"] = trades["wallet_address"], "nobody"
    trades["way"] = trades["is_buy"].str.lower().map({"true": "buy", "false": "SELL"})
    trades["is_buy"] = "true"
    trades.to_csv(tmp_path / "swaps.csv", index=False)
    imported = import_swaps(tmp_path / "swaps.csv", 200.0, columns="trader=who,side=way,sol_amount=amount_in_sol")
    assert imported.layout == "raw"
    assert imported.tape.events.tobytes() == expected.tape.events.tobytes()
    for choice, expected_error in (
        ("sol_amount=amount_in_sol:sol", "sol is no unit of the raw layout there; its units: lamports"),
        ("venue=who", "--map venue: the raw layout has no such field; its fields are ts, slot"),
        ("trader=whoo", "has no column 'whoo' .--map trader., did you mean who"),
    ):
        with pytest.raises(InputError, match=expected_error):
            import_swaps(tmp_path / "swaps.csv", 200.0, columns=choice)


def test_a_map_of_the_side_keeps_the_rest_of_a_layout_with_two_sides(tmp_path: Path) -> None:
    rows = [{**dune(SWAP), "token": MINT, "way": "sell", "sol": "0.5", "tokens": "1000000.5"}]
    imported = _import(tmp_path, csv(rows), "side=way")
    assert imported.layout == "Dune dex_solana.trades"
    event, whole = imported.tape.events[0], _import(tmp_path, csv([dune(SWAP)])).tape.events[0]
    assert (event["side"], event["sol_lamports"], event["token_raw"]) == (-1, 500_000_000, 1_000_000_500_000)
    assert (event["ts"], event["trader"], event["venue"]) == (whole["ts"], whole["trader"], whole["venue"])


def test_a_column_named_is_buy_needs_no_unit(tmp_path: Path) -> None:
    lines = [f"{TS_S},{MINT},true,x,0.5,1000000.5", f"{TS_S + 1},{MINT},false,x,0.5,1000000.5"]
    path = write_csv(tmp_path, "time,mint,is_buy,type,sol,tokens", *lines)
    assert import_swaps(path, 200.0, columns="side=is_buy").tape.events["side"].tolist() == [1, -1]


def test_a_column_of_true_and_false_is_answered_with_what_to_type(tmp_path: Path) -> None:
    lines = [f"{TS_S},{MINT},True,0.5,1000000.5", f"{TS_S + 1},{MINT},FALSE,0.5,1000000.5"]
    path = write_csv(tmp_path, "time,mint,taker,sol,tokens", *lines)
    with pytest.raises(TapeError) as refused:
        import_swaps(path, 200.0, columns="side=taker")
    found = re.search(r"only true and false in taker: if true is a purchase, choose --map '(.*)'", str(refused.value))
    assert found is not None
    assert import_swaps(path, 200.0, columns=found[1]).tape.events["side"].tolist() == [1, -1]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("mnit=mint", "unknown field, did you mean mint.; the fields are"),
        ("ts=tmie", "'tmie' .--map ts., did you mean time"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest(tmp_path: Path, choice: str, expected: str) -> None:
    path = write_csv(tmp_path, "time,mint,side,sol,tokens", f"{TS_S},{MINT},buy,0.5,1000000.5")
    with pytest.raises(InputError, match=expected):
        import_swaps(path, 200.0, columns=choice)


@pytest.mark.skipif(not SHARED.is_dir(), reason="no recorded data")
def test_recorded_pools_of_geckoterminal_are_no_trades() -> None:
    with pytest.raises(TapeError, match="pools of GeckoTerminal are prices of one moment, not trades"):
        import_swaps(SHARED / "wire/geckoterminal/trending_pools.json", 200.0)
