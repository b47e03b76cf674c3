"""The commands of tapes as a user runs them: their output, and the files that they never overwrite."""

import csv
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memesnipe.cli.main import run
from memesnipe.tapes.tape import read_tape
from tests.tapes.csvs import PLAIN, TS, TS_S, write_csv

Typed = Callable[..., tuple[int, str, str]]
ROWS = [
    f"{TS + i * 5 * 10**9},A,{'buy' if i % 3 else 'sell'},0.5,{1_666_666 / 1.02 ** max(i - 20, 0):.6f}"
    for i in range(40)
]


@pytest.fixture
def memesnipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Return a function that runs a command in a folder with swaps.csv; it returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path, PLAIN, *ROWS)

    def typed(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["memesnipe", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            run()
        written = capsys.readouterr()
        return int(done.value.code or 0), written.out, written.err

    return typed


def _json(done: tuple[int, str, str]) -> Any:
    assert done[0] == 0, done[2]
    return json.loads(done[1])


def test_import_and_tape_report_rejections_and_assumptions(memesnipe: Typed, tmp_path: Path) -> None:
    seconds = [row.replace("000000000,", ",", 1) for row in reversed(ROWS)]
    write_csv(tmp_path, PLAIN, *seconds, seconds[3], seconds[3], f"{TS_S},B,hold,1,1")
    reply = _json(memesnipe("import", "swaps.csv", "-o", "a.tape", "--json"))
    expected = {
        "events": 40, "tokens": 1, "rejected": 1, "rejected_because": {"side is neither buy nor sell": 1},
        "duplicates": 2, "order": "newest first, reversed as a whole", "time_unit": "s",
    }  # fmt: skip
    assert {name: reply[name] for name in expected} == expected
    assert (reply["assumed_pools"], reply["from_ts"]) == (1, TS)
    for words in ("pools are assumed", "6 decimals", "cost 200 USD", "read as seconds", "duplicate", "left out"):
        assert sum(words in sentence for sentence in reply["assumptions"]) >= 1, words
    shown = _json(memesnipe("tape", "a.tape", "--json"))
    assert {name: shown[name] for name in expected} == expected
    assert shown["assumptions"] == reply["assumptions"]
    assert shown["kinds"] == {"price": 40}
    code, _, err = memesnipe("tape", "a.tape")
    assert (code, err.splitlines()) == (0, reply["assumptions"])


def test_import_shows_how_it_read_a_file_and_its_first_prices_on_standard_error(
    memesnipe: Typed, tmp_path: Path
) -> None:
    mint = "FCuk4XWLR6fAJFTcQoMrm3KeywSt2X6wK4Ufh4Xjpump"
    rows = [f"{TS_S + i}000,{mint},true,380000069,13421332211323" for i in range(5)]
    write_csv(tmp_path, "timestamp,token,is_buy,sol_amount,token_amount", *rows, name="b.csv")
    code, out, err = memesnipe("import", "b.csv", "-o", "a.tape", "--json")
    reply = json.loads(out)
    assert (code, reply["layout"], reply["time_unit"]) == (0, "common names", "ms")
    assert reply["units"] == {"ts": "ms", "side": "is_buy", "sol_amount": "lamports", "token_amount": "raw"}
    assert any("sol_amount in lamports, token_amount in raw" in sentence for sentence in reply["assumptions"])
    lines = err.splitlines()
    assert (
        lines[0] == "Read as common names: ts ms, side is_buy, sol_amount lamports, token_amount raw. The first trades:"
    )
    assert len(lines) == 4
    assert "buy   0.380000069 SOL for 13,421,332.2 tokens, 2.831e-08 SOL or 5.663e-06 USD each" in lines[1]


def test_columns_are_chosen_with_map(memesnipe: Typed, tmp_path: Path) -> None:
    write_csv(tmp_path, "when,what,in,out,how", f"{TS_S},A,0.5,1000000,buy", name="b.csv")
    code, out, err = memesnipe("import", "b.csv", "-o", "a.tape")
    assert (code, out, err.count("\n")) == (2, "", 1)
    choice = "ts=when:s,mint=what,sol_amount=in:sol,token_amount=out:whole,side=how"
    reply = _json(memesnipe("import", "b.csv", "-o", "a.tape", "--map", choice, "--json"))
    assert (reply["events"], reply["units"]["token_amount"]) == (1, "whole")
    code, _, err = memesnipe("import", "b.csv", "-o", "a.tape", "--map", "ts=nothing")
    assert (code, err.count("\n"), "has no column 'nothing'" in err) == (2, 1, True)


def test_rows_left_out_are_written_with_their_numbers_and_reasons(memesnipe: Typed, tmp_path: Path) -> None:
    write_csv(tmp_path, PLAIN, ROWS[0], f"{TS_S},B,hold,1,1", ROWS[1], ROWS[0], f"{TS},B,buy,1,0")
    reply = _json(memesnipe("import", "swaps.csv", "-o", "a.tape", "--rejects", "bad.csv", "--json"))
    assert (reply["rejects"], reply["rejects_rows"]) == ("bad.csv", 3)
    written = list(csv.DictReader((tmp_path / "bad.csv").read_text().splitlines()))
    assert [(row["row"], row["reason"]) for row in written] == [
        ("2", "side is neither buy nor sell"),
        ("4", "duplicate of another row (by all columns)"),
        ("5", "token_amount is 0, or less than the smallest unit"),
    ]
    assert (written[0]["side"], written[2]["token_amount"]) == ("hold", "0")
    assert reply["rejected"] + reply["duplicates"] == 3


@pytest.mark.parametrize(
    ("rejects", "expected"),
    [
        ("swaps.csv", "would overwrite swaps.csv"),
        ("a.tape", "is the tape that -o names"),
        ("no/x", "there is no folder no"),
    ],
)
def test_the_file_of_rejects_overwrites_nothing(memesnipe: Typed, rejects: str, expected: str) -> None:
    code, out, err = memesnipe("import", "swaps.csv", "-o", "a.tape", "--rejects", rejects)
    assert (code, out, err.count("\n"), expected in err) == (2, "", 1, True), err


def test_the_first_events_of_a_tape_are_shown(memesnipe: Typed) -> None:
    memesnipe("import", "swaps.csv", "-o", "a.tape")
    shown = _json(memesnipe("tape", "a.tape", "--head", "2", "--json"))
    assert [event["ts"] for event in shown["head"]] == [TS, TS + 5 * 10**9]
    assert (shown["head"][0]["mint"], shown["head"][0]["side"], shown["events"]) == ("A", "sell", 40)
    assert "head" not in _json(memesnipe("tape", "a.tape", "--json"))
    code, out, _ = memesnipe("tape", "a.tape", "--head", "2")
    assert (code, out.count("kind price"), out.count("side sell")) == (0, 2, 1)
    assert "2025-09-13 16:53:15 UTC" in out
    assert memesnipe("tape", "a.tape", "--head", "-1")[0] == 2


def test_a_backtest_on_candles_is_not_promotable(memesnipe: Typed, tmp_path: Path) -> None:
    rows = [f"{TS_S + 60 * i},A,{p},{p * 1.01},{p * 0.99},{p},1000" for i, p in enumerate([1e-5, 1.1e-5] * 40)]
    write_csv(tmp_path, "time,mint,open_usd,high_usd,low_usd,close_usd,volume_usd", *rows, name="c.csv")
    code, _, err = memesnipe("import", "c.csv", "-o", "a.tape")
    assert (code, err.count("\n"), "with --candles each becomes" in err) == (2, 1, True)
    memesnipe("import", "c.csv", "-o", "a.tape", "--candles")
    result = _json(memesnipe("backtest", "--tape", "a.tape", "--strategy", "momentum_5m", "--json"))
    assert result["promotable"] is False
    assert any("made of 80 candles" in sentence for sentence in result["assumptions"])


def test_a_backtest_reports_assumptions_and_a_concentrated_profit(memesnipe: Typed, tmp_path: Path) -> None:
    memesnipe("import", "swaps.csv", "-o", "a.tape")
    command = ("backtest", "--tape", "a.tape", "--strategy", "momentum_5m", "--param", "breakout=0.01")
    command += ("--param", "vol_mult=0.5", "--param", "lookback_s=60")
    result = _json(memesnipe(*command, "--json"))
    assert result["metrics"]["total_pnl_usd"] > 0
    assert result["promotable"] is False
    assert any("pools are assumed" in sentence for sentence in result["assumptions"])
    assert result["concentration"] == {"top_token": "A", "top_token_share": 1.0, "top_trade_share": 1.0}
    err = memesnipe(*command)[2]
    assert "pools are assumed" in err
    assert "One token makes 100% of the profit: A." in err


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("swaps.csv", "would overwrite swaps.csv"),
        ("./nested/../swaps.csv", "would overwrite swaps.csv"),
        ("symbolic.tape", "would overwrite swaps.csv"),
        ("hard.tape", "would overwrite swaps.csv"),
        ("prices.csv", "would overwrite prices.csv"),
        (".", "is a folder"),
        ("/", "is a folder"),
        ("nested", "is a folder"),
        ("swaps.csv/x", "there is no folder swaps.csv"),
        ("no/a.tape", "there is no folder no"),
        ("/dev/null", "is not an ordinary file"),
    ],
)
def test_an_unusable_output_is_refused_before_anything_is_written(
    memesnipe: Typed, tmp_path: Path, output: str, expected: str
) -> None:
    (tmp_path / "nested").mkdir()
    (tmp_path / "symbolic.tape").symlink_to("swaps.csv")
    os.link(tmp_path / "swaps.csv", tmp_path / "hard.tape")
    write_csv(tmp_path, "ts,price", f"{TS_S},200", name="prices.csv")
    before = sorted((path.name, path.is_file() and path.read_bytes()) for path in tmp_path.iterdir())
    code, out, err = memesnipe("import", "swaps.csv", "-o", output, "--sol-usd", "prices.csv")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert expected in err
    assert sorted((path.name, path.is_file() and path.read_bytes()) for path in tmp_path.iterdir()) == before


def test_the_trades_of_a_backtest_never_overwrite_its_inputs(memesnipe: Typed, tmp_path: Path) -> None:
    memesnipe("import", "swaps.csv", "-o", "a.tape")
    (tmp_path / "spec.json").write_text("{}")
    os.link(tmp_path / "a.tape", tmp_path / "linked.csv")
    for trades in ("a.tape", "linked.csv", "spec.json"):
        code, _, err = memesnipe("backtest", "--tape", "a.tape", "--spec", "spec.json", "--trades", trades)
        assert (code, f"--trades {trades}: would overwrite" in err) == (2, True)
    assert len(read_tape(tmp_path / "a.tape").events) == 40


@pytest.mark.parametrize("price", ["inf", "nan", "0.05", "20000", "-1", "0", "1e400", "much"])
def test_an_implausible_price_of_sol_is_refused(memesnipe: Typed, price: str) -> None:
    code, _, err = memesnipe("import", "swaps.csv", "-o", "a.tape", f"--sol-usd={price}")
    assert (code, err.count("\n")) == (2, 1)
    assert f"--sol-usd {price}" in err


@pytest.mark.parametrize("decimals", ["-1", "13", "six", "1.5"])
def test_invalid_decimals_are_refused(memesnipe: Typed, decimals: str) -> None:
    code, _, err = memesnipe("import", "swaps.csv", "-o", "a.tape", f"--decimals={decimals}")
    assert (code, err.count("\n")) == (2, 1)


def test_a_series_of_prices_is_joined_by_time(memesnipe: Typed, tmp_path: Path) -> None:
    prices = [f"{TS_S + 50},150", f"{TS_S + 20},140.5"]
    write_csv(tmp_path, "ts;price", *(line.replace(",", ";") for line in prices), name="prices.csv")
    reply = _json(memesnipe("import", "swaps.csv", "-o", "a.tape", "--sol-usd", "prices.csv", "--json"))
    assert reply["rejected_because"] == {"no price of SOL in the day before it": 4}
    assert any("from prices.csv, 2025-09-13 16:53:35 UTC to" in sentence for sentence in reply["assumptions"])
    events = read_tape(tmp_path / "a.tape").events
    assert events["sol_usd"].tolist() == [140.5] * 6 + [150.0] * 30
    assert events["volume_usd"].tolist() == pytest.approx([70.25] * 6 + [75.0] * 30)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["ts,price", f"{TS_S},0.01"], "row 1: price is not from 0.1 to 10000 USD"),
        (["ts,price", f"{TS_S},200", f"{TS_S},201"], "has two prices for one time"),
        (["ts,price", "noon,200"], "row 1: ts is not a number"),
        (["ts,price"], "it has no prices"),
        (["when,price", "1,2"], "lacks the column ts (its header: when,price)"),
        (["ts,price", "100,200"], "before 2020"),
    ],
)
def test_an_invalid_price_series_is_refused(memesnipe: Typed, tmp_path: Path, lines: list[str], expected: str) -> None:
    write_csv(tmp_path, *lines, name="prices.csv")
    code, _, err = memesnipe("import", "swaps.csv", "-o", "a.tape", "--sol-usd", "prices.csv")
    assert (code, err.count("\n"), expected in err, "prices.csv" in err) == (2, 1, True, True), err
