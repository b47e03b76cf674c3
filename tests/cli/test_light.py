"""Help and input errors load no slow module: a command imports its implementation after its input was checked."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from memesnipe.cli.main import app
from memesnipe.tapes.importer import import_swaps
from memesnipe.tapes.tape import write_tape

HEAVY = (
    "numba",
    "pandas",
    "pyarrow",
    "ray",
    "sqlalchemy",
    "numpy",
    "rich",
    "httpx",
    "alembic",
    "fastapi",
    "websockets",
)
# Runs commands in sequence in a fresh interpreter; prints the outcome of each and the slow modules loaded after it.
SCRIPT = """
import contextlib, io, json, sys
from pathlib import Path
from memesnipe.cli.main import run
heavy, done = sys.argv[1].split(","), []
for line in Path(sys.argv[2]).read_text().splitlines():
    sys.argv, out, err, code = ["memesnipe", *line.split()], io.StringIO(), io.StringIO(), None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            run()
        except SystemExit as stop:
            code = stop.code
    done.append([line, code, out.getvalue(), err.getvalue(), [name for name in heavy if name in sys.modules]])
print(json.dumps(done))
"""


class Done(NamedTuple):
    """The outcome of a command, and the slow modules loaded by then."""

    line: str
    code: int
    out: str
    err: str
    heavy: list[str]


def run_all(folder: Path, *lines: str, heavy: tuple[str, ...] = HEAVY, **settings: str) -> list[Done]:
    """Run commands in one fresh interpreter; assert that none has loaded a slow module."""
    (folder / "lines").write_text("\n".join(lines))
    command = [sys.executable, "-c", SCRIPT, ",".join(heavy), "lines"]
    found = subprocess.run(command, cwd=folder, env=os.environ | settings, capture_output=True, text=True, check=True)
    results = [Done(*result) for result in json.loads(found.stdout)]
    assert [result.line for result in results if result.heavy] == []
    return results


def commands() -> list[str]:
    """Return every command, as a user types it."""
    names: list[str] = []
    for group in app.registered_groups:
        names += [str(command.name) for command in group.typer_instance.registered_commands]
        for inner in group.typer_instance.registered_groups:
            names += [f"{inner.name} {command.name}" for command in inner.typer_instance.registered_commands]
    return names


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    assert {"up", "bench engine", "risk reset"} <= set(commands())
    settings = ("pydantic_settings", "asyncio")  # take longer than the rest of the help
    for done in run_all(tmp_path, "--help", *(f"{name} --help" for name in commands()), heavy=(*HEAVY, *settings)):
        assert (done.code, done.err) == (0, ""), done
        assert done.out.startswith("Usage: memesnipe"), done
        assert len(done.out.splitlines()) > 4, done


SWAPS = """ts_ns,mint,side,sol_amount,token_amount
1757782395000000000,MintA,buy,0.5,17000000
1757782396000000000,MintA,sell,0.1,3400000
"""

WRONG = {
    "bogus": "no such command 'bogus'; see `memesnipe --help`",
    "risk bogus": "no such command 'bogus'; see `memesnipe risk --help`",
    "up --bogus": "no such option: --bogus; see `memesnipe up --help`",
    "plan": "missing option '--population'; see `memesnipe plan --help`",
    "plan --population many": "--population many: must be a whole number",
    "bench engine --events 1": "--events 1: must be a whole number",
    "up --feed dreams": "--feed dreams: there is no such feed",
    "up --feed synthetic,dreams": "--feed dreams: there is no such feed; feeds: synthetic, measured, replay",
    "up --feed synthetic,": "--feed 'synthetic,': a name is empty; feeds: synthetic, measured",
    "up --feed pumpfnu": "--feed pumpfnu: there is no such feed, did you mean pumpfun?; feeds: synthetic",
    "record --feed , -o out": "--feed ',': a name is empty; feeds: synthetic",
    "up --feed synthetic,synthetic": "--feed synthetic,synthetic: synthetic is named twice",
    "up --feed synthetic,replay": "--feed replay: add --tape TAPE, the tape to replay",
    "up --feed replay --tape missing.tape": "--tape missing.tape: there is no such file",
    "up --feed replay --tape .": "--tape .: is a folder; name a tape",
    "up --feed pumpfun,synthetic": "--feed pumpfun,synthetic: pumpfun is live and synthetic is not",
    "up --feed pumpfun --speed 60": "--speed 60: pumpfun is live, at the speed of the market; leave it out",
    "up --localnet --feed synthetic": "--feed synthetic: with --localnet the feed is localnet",
    "up --localnet --until-end": "--until-end: the market of the local chain has no end without --tape",
    "up --localnet --tape missing.tape": "--tape missing.tape: there is no such file",
    "up --fault drop=0.1": "--fault is an option of the local chain; add --localnet",
    "up --rate 9": "--rate is an option of the local chain; add --localnet",
    "up --slot-ms 100": "--slot-ms is an option of the local chain; add --localnet",
    "up --feed jupiter --until-end": "--until-end: the jupiter feed has no end",
    "feeds check --feed synthetic": "--feed synthetic: is not live; live feeds: pumpfun, helius, pyth",
    "feeds check --feed dreams": "--feed dreams: there is no such feed; feeds: pumpfun",
    "feeds check --feed pumpfnu": "--feed pumpfnu: there is no such feed, did you mean pumpfun?; feeds: pumpfun",
    "feeds check --feed ,": "--feed ',': a name is empty; feeds: pumpfun",
    "feeds check --feed pyth,pyth": "--feed pyth,pyth: pyth is named twice",
    "feeds check --seconds 0": "--seconds 0: must be a number from 0.1 to 3600",
    "up --feed a\x1bb\x00": r"--feed a\x1bb\x00: there is no such feed",
    "up --speed fast": "--speed fast: must be a number from 0.001 to 1000000000, or max",
    "up --until-end": "--until-end: the synthetic feed has no end",
    "up --report no/r.json": "--report no/r.json: there is no folder no",
    "import missing.csv -o a.tape": "no file at missing.csv",
    "tape missing.tape": "no tape at missing.tape",
    "tape": "missing argument 'tape'; see `memesnipe tape --help`",
    "backtest --tape missing.tape --strategy momentum_5m": "--tape missing.tape: there is no such file",
    "evolve --tape missing.tape": "--tape missing.tape: there is no such file",
    "lookahead-check --tape missing.tape": "--tape missing.tape: there is no such file",
    "localnet --slot-ms 0": "--slot-ms 0: must be a whole number",
    "quote --pool missing.json": "--pool missing.json: cannot be read",
    "up": "DASHBOARD_PORT is '0'",
}


def test_wrong_input_is_one_line_and_loads_nothing_heavy(tmp_path: Path) -> None:
    for done in run_all(tmp_path, *WRONG, DASHBOARD_PORT="0"):
        assert (done.code, done.out) == (2, ""), done
        assert len(done.err.splitlines()) == 1, done
        assert WRONG[done.line] in done.err, done


def test_status_and_down_load_nothing_heavy(tmp_path: Path) -> None:
    for done in run_all(tmp_path, "status", "down"):
        assert (done.code, "Nothing is running" in done.err) == (0, True), done


def test_a_tape_is_read_without_pandas(tmp_path: Path) -> None:
    (tmp_path / "swaps.csv").write_text(SWAPS)
    swaps = import_swaps(tmp_path / "swaps.csv", "200", decimals=None, columns=None, candles=False)
    write_tape(tmp_path / "a.tape", swaps.tape)
    lines = ("tape a.tape", "tape a.tape --head 2", "backtest --tape a.tape --strategy momentum_5m")
    for done in run_all(tmp_path, *lines, heavy=("pandas", "ray", "sqlalchemy")):
        assert (done.code, done.out != "") == (0, True), done


def test_a_group_without_a_command_prints_help_and_exits_with_2(tmp_path: Path) -> None:
    for done in run_all(tmp_path, "", "risk"):
        assert (done.code, "Usage: memesnipe" in done.err) == (2, True), done


def test_the_page_the_signer_and_manual_commands_load_no_compiler() -> None:
    modules = (
        "memesnipe.api.app",
        "memesnipe.api.commands",
        "memesnipe.signer.startup",
        "memesnipe.cli.manual_commands",
    )
    script = f"import sys, {', '.join(modules)}; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
