"""Candles become trades only if the user asks for it, and no result on them counts."""

import json
from pathlib import Path
from typing import Any

import pytest

from memesnipe.errors import TapeError
from memesnipe.market.assumptions import describe
from memesnipe.tapes.importer import Imported, import_swaps
from tests.tapes.csvs import TS, TS_S, write_csv
from tests.tapes.sources.shapes import MINT, SOL

RISEN, FALLEN = (1e-5, 2e-5, 0.9e-5, 1.5e-5, 1000.0), (1.5e-5, 1.6e-5, 1.2e-5, 1.2e-5, 500.0)


def _geckoterminal(folder: Path, *candles: tuple[float, ...], quote: str = SOL) -> Path:
    rows: list[Any] = [[TS_S + 60 * i, *candle] for i, candle in enumerate(candles)]
    meta = {"base": {"address": MINT, "symbol": "T"}, "quote": {"address": quote, "symbol": "SOL"}}
    (folder / "a.json").write_text(json.dumps({"data": {"attributes": {"ohlcv_list": rows}}, "meta": meta}))
    return folder / "a.json"


def _candles(folder: Path, header: str, row: str, columns: str | None) -> Imported:
    return import_swaps(write_csv(folder, header, row), 200.0, columns=columns, candles=True)


def test_candles_are_refused_unless_asked_for(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="has candles, not swaps: with --candles each becomes up to four trades"):
        import_swaps(_geckoterminal(tmp_path, RISEN), 200.0)


@pytest.mark.parametrize("header", ["ts_ns,mint,side,sol_amount,token_amount", "time,token,side,sol,tokens"])
def test_swaps_are_not_read_as_candles(tmp_path: Path, header: str) -> None:
    with pytest.raises(TapeError, match="has swaps, not candles: omit --candles"):
        _candles(tmp_path, header, f"{TS_S},{MINT},buy,0.5,1000000.5", None)


def test_a_candle_becomes_trades_at_its_prices_with_its_volume(tmp_path: Path) -> None:
    imported = import_swaps(_geckoterminal(tmp_path, RISEN, FALLEN), 200.0, candles=True)
    events, minute = imported.tape.events, 60 * 10**9
    assert imported.layout == "GeckoTerminal candles"
    assert events["ts"].tolist() == [TS + part * minute // 4 for part in (0, 1, 2, 3, 4, 5, 6)]
    assert events["side"].tolist() == [1, -1, 1, -1, -1, 1, -1]
    prices = events["sol_lamports"] / events["token_raw"] / 1000 * 200.0
    assert prices.tolist() == pytest.approx([1e-5, 0.9e-5, 2e-5, 1.5e-5, 1.5e-5, 1.6e-5, 1.2e-5], rel=1e-6)
    assert events["volume_usd"].tolist() == pytest.approx([250.0] * 4 + [500 / 3] * 3)
    assert imported.tape.pools_are_assumed
    assumed = describe(imported.tape.assumptions)
    assert "7 trades were made of 2 candles: their order, sizes and sides are assumed" in assumed[0]


def test_unusable_candles_are_rejected_with_their_row(tmp_path: Path) -> None:
    bad = [(1e-5, 2e-5, 1.2e-5, 1.5e-5, 1.0), (1e-5, 2e-5, 0.9e-5, -1.5e-5, 1.0), (1e-5, 1e-5, 1e-5, 1e-5, 0.0)]
    imported = import_swaps(_geckoterminal(tmp_path, *bad, RISEN), 200.0, candles=True)
    assert imported.rejected == {
        "high and low do not include open and close": 1,
        "close is not a positive number": 1,
        "volume is not a positive number": 1,
    }
    assert len(imported.tape.events) == 4
    assert imported.left_out.write(tmp_path / "r.csv") == 3
    assert [line.split(",")[0] for line in (tmp_path / "r.csv").read_text().splitlines()] == ['"row"', "1", "2", "3"]


def test_candles_newest_first_are_the_same_tape(tmp_path: Path) -> None:
    path = _geckoterminal(tmp_path, RISEN, FALLEN, RISEN)
    events = import_swaps(path, 200.0, candles=True).tape.events
    document = json.loads(path.read_text())
    document["data"]["attributes"]["ohlcv_list"].reverse()
    path.write_text(json.dumps(document))
    assert import_swaps(path, 200.0, candles=True).tape.events.tobytes() == events.tobytes()


def test_one_unit_of_a_price_counts_for_all(tmp_path: Path) -> None:
    path = _geckoterminal(tmp_path, RISEN)
    choice = "close=ohlcv.close:sol,volume=ohlcv.volume:sol"
    imported = import_swaps(path, 200.0, columns=choice, candles=True)
    event = imported.tape.events[0]
    assert event["sol_lamports"] / event["token_raw"] / 1000 == pytest.approx(1e-5, rel=1e-6)
    assert {imported.units[name] for name in ("open", "high", "low", "close", "volume")} == {"sol"}


def test_bare_lists_are_candles_of_a_token_that_the_user_names(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([[TS_S, *RISEN], [TS_S + 60, *FALLEN], [1, 2]]))
    with pytest.raises(TapeError, match=r"lacks mint .*--map 'mint=@ADDRESS'"):
        import_swaps(path, 200.0, candles=True)
    choice = f"mint=@{MINT},close=close:usd,volume=volume:usd"
    imported = import_swaps(path, 200.0, columns=choice, candles=True)
    expected = import_swaps(_geckoterminal(tmp_path, RISEN, FALLEN), 200.0, candles=True)
    assert imported.tape.events.tobytes() == expected.tape.events.tobytes()
    assert imported.rejected == {"the row is not a JSON object": 1}


def test_a_candle_twice_is_a_duplicate(tmp_path: Path) -> None:
    path = _geckoterminal(tmp_path, RISEN, FALLEN)
    document = json.loads(path.read_text())
    rows = document["data"]["attributes"]["ohlcv_list"]
    rows.append(rows[0])
    path.write_text(json.dumps(document))
    imported = import_swaps(path, 200.0, candles=True)
    assert (len(imported.tape.events), imported.duplicates) == (7, 4)


@pytest.mark.parametrize(
    ("units", "price", "volume"),
    [
        ("close=c:usd,volume=v:usd", 1e-5 / 200, 1000 / 200),
        ("close=c:sol,volume=v:sol", 1e-5, 1000),
        ("close=c:sol,volume=v:whole", 1e-5, 1000 * 1e-5),
    ],
)
def test_units_of_candles_are_chosen_by_the_user(tmp_path: Path, units: str, price: float, volume: float) -> None:
    row = f"{TS_S},0.00001,0.00001,0.00001,0.00001,1000"
    event = _candles(tmp_path, "t,o,h,l,c,v", row, f"mint=@{MINT},{units}").tape.events[0]
    assert event["sol_lamports"] == pytest.approx(volume * 1e9)
    assert event["sol_lamports"] / event["token_raw"] / 1000 == pytest.approx(price)


def test_units_of_candles_are_never_guessed(tmp_path: Path) -> None:
    row = f"{TS_S},{MINT},0.00001,0.00001,0.00001,0.00001,1000"
    with pytest.raises(TapeError, match="does not say the unit of open, low, high, close, volume"):
        _candles(tmp_path, "time,mint,open,high,low,close,volume", row, None)
    named = _candles(tmp_path, "time,mint,open_usd,high_usd,low_usd,close_usd,volume_usd", row, None)
    assert named.units["close"] == named.units["volume"] == "usd"


def test_candles_in_another_currency_than_sol_or_usd_are_rejected(tmp_path: Path) -> None:
    row = f"{TS_S},{MINT},0.00001,0.00001,0.00001,0.00001,1000,USDC"
    header = "time,mint,open,high,low,close,volume,quote"
    with pytest.raises(TapeError, match="the quote of the candles is USDC, not SOL"):
        _candles(tmp_path, header, row, "close=close:sol,volume=volume:sol")
