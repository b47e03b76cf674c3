"""The commands as a user runs them: their output, and their errors on wrong input."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.in_process import Done, memesnipe

COMMAND = Path(sys.executable).with_name("memesnipe")
PLAIN = """ts_ns,mint,side,sol_amount,token_amount
1757782395000000000,MintA,buy,0.5,17000000
1757782396000000000,MintA,sell,0.1,3400000
1757782397000000000,MintB,hold,0.1,3400000
"""
BAD = """ts_ns,mint,side,sol_amount,token_amount
1757782395000000000,MintA,hold,0.5,17000000
1757782396000000000,MintA,sell,-1,3400000
1757782397000000000,MintB,hold,0.1,3400000
"""

ARMED = {"LIVE_TRADING_ENABLED": "true", "PAPER_TRADING_MODE": "false"}


def process(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    return subprocess.run(
        [COMMAND, *arguments], cwd=folder, env=os.environ | settings, capture_output=True, text=True, check=False
    )


def test_import_and_tape_summarise_the_tape(tmp_path: Path) -> None:
    (tmp_path / "swaps.csv").write_text(PLAIN)
    imported = memesnipe(tmp_path, "import", "swaps.csv", "-o", "a.tape", "--sol-usd", "200", "--json")
    assert imported.returncode == 0, imported.stderr
    reply = json.loads(imported.stdout)
    assert (reply["events"], reply["tokens"], reply["rejected"], reply["assumed_pools"]) == (2, 1, 1, 1)
    assert reply["from_ts"] == 1757782395000000000
    shown = json.loads(memesnipe(tmp_path, "tape", "a.tape", "--json").stdout)
    assert (shown["events"], shown["kinds"]) == (2, {"price": 2})
    assert "2025-09-13" in memesnipe(tmp_path, "tape", "a.tape").stdout


def test_a_tape_is_not_imported_again(tmp_path: Path) -> None:
    (tmp_path / "swaps.csv").write_text(PLAIN)
    assert memesnipe(tmp_path, "import", "swaps.csv", "-o", "a.tape", "--sol-usd", "200").returncode == 0
    again = memesnipe(tmp_path, "import", "a.tape", "-o", "b.tape")
    assert_one_line(again, 2, "a.tape is a tape already, not a file of swaps: use it as it is, as in `--tape a.tape`")


def test_a_recording_can_be_replayed_and_is_no_history_of_its_own_market(tmp_path: Path) -> None:
    arguments = ("record", "--feed", "synthetic", "-o", "tapes", "--hours", "1.1", "--json")
    done = memesnipe(tmp_path, *arguments, SEED="3")
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)
    assert len(reply["tapes"]) == 2
    assert 3_960 - 10 < (reply["to_ts"] - reply["from_ts"]) / 1e9 <= 3_960
    shown = [json.loads(memesnipe(tmp_path, "tape", tape, "--json").stdout) for tape in reply["tapes"]]
    assert "synthetic is a generated market: no trade of it was ever made" in done.stderr
    assert {one["feeds"] for one in shown} == {"synthetic"}
    assert "synthetic: this market is generated (seed 3), no trade of it was ever made." in shown[0]["assumptions"]
    assert sum(one["events"] for one in shown) == reply["events"] > 1_000
    assert_one_line(memesnipe(tmp_path, *arguments, SEED="3"), 2, "record them into another folder")
    again = memesnipe(tmp_path, "record", "--feed", "replay", "--tape", reply["tapes"][1], "-o", "again", "--json")
    assert json.loads(again.stdout)["events"] == shown[1]["events"]
    (tape,) = json.loads(again.stdout)["tapes"]
    assert json.loads(memesnipe(tmp_path, "tape", tape, "--json").stdout)["feeds"] == "replay (synthetic)"
    refused = memesnipe(tmp_path, "up", "--history", "tapes")
    assert_one_line(refused, 2, "a history must be from before it")
    refused = memesnipe(tmp_path, "up", "--feed", "replay", "--tape", reply["tapes"][0], "--history", reply["tapes"][1])
    assert_one_line(refused, 2, "a history must be from before it")


def test_a_halt_that_waits_for_the_next_start_can_be_taken_back(tmp_path: Path) -> None:
    halted = memesnipe(tmp_path, "halt")
    assert (halted.returncode, halted.stderr) == (0, "")
    assert (tmp_path / ".memesnipe/signer/halt").is_file()
    again = json.loads(memesnipe(tmp_path, "halt", "--json").stdout)
    assert (again["effective"], "the next start was halted already" in again["outcome"]) == (False, True)
    reset = memesnipe(tmp_path, "risk", "reset", "--json")
    assert json.loads(reset.stdout) == {"outcome": "the next start is not halted any more", "effective": True}
    assert not (tmp_path / ".memesnipe/signer/halt").exists()
    assert_one_line(memesnipe(tmp_path, "risk", "reset"), 2, "there is no run in this folder yet")


def test_list_strategies_shows_ranges(tmp_path: Path) -> None:
    found = json.loads(memesnipe(tmp_path, "list-strategies", "--json").stdout)
    assert found["momentum_5m"]["parameters"]["lookback_s"]["unit"] == "s"


def test_status_and_down_with_nothing_running(tmp_path: Path) -> None:
    done = memesnipe(tmp_path, "status", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"running": False})
    done = memesnipe(tmp_path, "status")
    assert (done.returncode, done.stderr) == (0, "Nothing is running in this folder. Start it with `memesnipe up`.\n")
    for command in (("flatten", "--yes"), ("close", "So1", "--yes"), ("monitor", "--once")):
        assert_one_line(memesnipe(tmp_path, *command), 1, "memesnipe: error: nothing ")
    assert json.loads(memesnipe(tmp_path, "down", "--json").stdout) == {"stopped": False}


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "expected"),
    [
        (("import", "missing.csv", "-o", "a.tape"), {}, 2, "no file at missing.csv"),
        (
            ("import", "text.csv", "-o", "a.tape"),
            {},
            2,
            "text.csv has no header: its first line must name the columns ts_ns",
        ),
        (("import", "swaps.csv", "-o", "nowhere/a.tape"), {}, 2, "-o nowhere/a.tape: there is no folder nowhere"),
        (("tape", "text.csv"), {}, 2, "text.csv is not a tape"),
        (("tape", "missing.tape"), {}, 2, "no tape at missing.tape"),
        (("up", "--feed", "dreams"), {}, 2, "--feed dreams: there is no such feed"),
        (("up", "--feed", "replay"), {}, 2, "--feed replay: add --tape TAPE, the tape to replay"),
        (("up", "--feed", "replay", "--tape", "missing.tape"), {}, 2, "--tape missing.tape: there is no such file"),
        (("up", "--feed", "replay", "--tape", "text.csv"), {}, 2, "text.csv is not a tape"),
        (("up", "--speed", "fast"), {}, 2, "--speed fast: must be a number from 0.001 to 1000000000, or max"),
        (("up", "--until-end"), {}, 2, "the synthetic feed has no end"),
        (("up", "--history", "none"), {}, 2, "--history none: there is no such file or folder"),
        (("up", "--history", "text.csv"), {}, 2, "--history: "),
        (("up", "--history", "."), {}, 2, "has no tapes: no file in it is named *.tape"),
        (("record", "-o", "out", "--until-end"), {}, 2, "the synthetic feed has no end"),
        (("record", "-o", "out", "--feed", "dreams"), {}, 2, "--feed dreams: there is no such feed"),
        (("record", "-o", "text.csv"), {}, 2, "text.csv is not a folder"),
        (("record", "-o", "out", "--hours", "0"), {}, 2, "--hours 0: must be a number from 0.001 to 8760"),
        (("up",), {"DASHBOARD_PORT": "0"}, 2, "DASHBOARD_PORT is '0'"),
        (("up", "--mode", "live"), {}, 2, "--mode live --feed synthetic: trades what pumpfun or helius reports"),
        (
            ("up", "--mode", "live", "--feed", "hyperliquid"),
            {},
            3,
            "perps are traded on paper only, because there is no",
        ),
        (("up", "--mode", "live", "--feed", "pumpfun"), {}, 3, "LIVE_TRADING_ENABLED is false; PAPER_TRADING_MODE is"),
        (("up", "--mode", "live", "--feed", "pumpfun"), ARMED, 3, "no wallet at"),
        (("up", "--localnet", "--fault", "drop=2"), {}, 2, "the rate of drop must be a probability from 0 to 1"),
        (("up", "--localnet", "--tape", "text.csv"), {}, 2, "text.csv is not a tape"),
        (("up", "--localnet", "--speed", "max"), {}, 2, "--speed max: the local chain has a clock of its own"),
        (("promote", "aaaaaaaaaaaa", "--busiest", "5"), {}, 2, "--busiest: takes no SPEC; leave one of them out"),
        (("promote", "--busiest", "51"), {}, 2, "--busiest 51: must be a whole number from 1 to 50"),
        (("promote", "--busiest", "5"), {}, 2, "there is no run in this folder yet"),
        (("promote", " "), {}, 2, "SPEC is empty; `memesnipe strategies` lists the ids"),
        (("backup", "-o", "text.csv"), {}, 2, "-o text.csv: exists already, and a backup replaces no file"),
        (("up", "--report", "."), {}, 2, "--report .: is a folder; name a file"),
        (("up", "--report", "no/r.json"), {}, 2, "--report no/r.json: there is no folder no"),
        (("verify",), {}, 2, "there is no run in this folder yet"),
        (("promote", "aaaaaaaaaaaa"), {}, 2, "there is no run in this folder yet"),
        (("risk", "show"), {}, 2, "there is no run in this folder yet"),
        (("up", "--tape", "swaps.csv"), {}, 2, "--tape swaps.csv: the synthetic feed reads no tape; add --feed replay"),
        (("strategies",), {}, 2, "there is no run in this folder yet"),
        (("strategies", "--sort", "age"), {}, 2, "'--sort': 'age' is not one of 'rank', 'trades', 'generation'"),
        (("strategies", "--mode", "dead"), {}, 2, "'--mode': 'dead' is not one of 'live', 'paper', 'simulating'"),
        (("import", "bad.csv", "-o", "a.tape"), {}, 2, "side is neither buy nor sell (2 rows: 1, 3); sol_amount"),
        (("explain", "text.csv"), {}, 2, "memesnipe: input: text.csv: is not JSON: "),
        (("export", "text.csv", "-o", "a.json"), {}, 2, "memesnipe: input: text.csv: is not JSON: "),
        (("backtest", "--tape", "swaps.csv", "--spec", "text.csv"), {}, 2, "--spec text.csv: is not JSON: "),
        (("restore", "."), {}, 2, "memesnipe: input: .: is a folder; name a file of `memesnipe backup`"),
        (("sql", "SELECT 1", "--tables"), {}, 2, "--tables: takes no query; leave one of them out"),
        (("sql", "SELECT 1", "--limit", "0"), {}, 2, "--limit 0: must be a whole number from 1 to 1000000"),
        (("sql", "SELECT 1"), {}, 2, "there is no run in this folder yet; start one with `memesnipe up`"),
        (("promote", "--busiest", "0"), {}, 2, "--busiest 0: must be a whole number from 1 to 50"),
    ],
)
def test_an_error_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], code: int, expected: str
) -> None:
    (tmp_path / "swaps.csv").write_text(PLAIN)
    (tmp_path / "text.csv").write_text("some,words\n1,2\n")
    (tmp_path / "bad.csv").write_text(BAD)
    done = memesnipe(tmp_path, *arguments, **settings)
    assert_one_line(done, code, expected)
    assert not (tmp_path / ".memesnipe" / "postgres").exists(), "a query must not create a database"


@pytest.mark.parametrize(
    ("group", "line"),
    [
        ((), "Name a command: `memesnipe demo` shows the system in three minutes, `memesnipe up` starts it."),
        (("risk",), "Name one of its commands: `memesnipe risk reset` or `memesnipe risk show`"),
        (("wallet",), "Name one of its commands: `memesnipe wallet new` or `memesnipe wallet show`"),
        (("feeds",), "Name one of its commands: `memesnipe feeds check`"),
    ],
)
def test_a_bare_group_says_first_what_to_do(tmp_path: Path, group: tuple[str, ...], line: str) -> None:
    done = memesnipe(tmp_path, *group)
    assert (done.returncode, done.stdout) == (2, "")
    first, empty, usage = done.stderr.splitlines()[:3]
    assert (first, empty) == (line, "")
    assert usage.startswith("Usage: memesnipe")


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "expected"),
    [
        (("tape", "text.csv"), {}, 2, "text.csv is not a tape"),
        (("up",), {"RAY_ADDRESS": "127.0.0.1:1"}, 1, "no Ray cluster responds at 127.0.0.1:1"),
        (("up",), {"RAY_ADDRESS": "10.0.0.1:6379"}, 2, "set REDIS_URL and DATABASE_URL too"),
    ],
)
def test_an_error_of_the_installed_command_is_one_line(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], code: int, expected: str
) -> None:
    (tmp_path / "text.csv").write_text("some,words\n1,2\n")
    assert_one_line(process(tmp_path, *arguments, **settings), code, expected)


def assert_one_line(done: Done | subprocess.CompletedProcess[str], code: int, expected: str) -> None:
    # `up` also names the ports that a system beside it has taken.
    lines = [line for line in done.stderr.splitlines() if line and not line.endswith("...") and line[:5] != "Port "]
    assert (done.returncode, done.stdout) == (code, "")
    assert len(lines) == 1
    assert expected in lines[0]
