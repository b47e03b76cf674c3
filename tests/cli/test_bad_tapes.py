"""Every command that reads a tape rejects an invalid one with one line that names the file, the row and the reason."""

from pathlib import Path

import pytest

from memesnipe.tapes.tape import Tape, write_tape
from tests.cli.in_process import memesnipe
from tests.support import Market
from tests.tapes.bad_tapes import flipped, rewrite, with_value

COMMANDS = (
    ("tape", "bad.tape", "--json"),
    ("backtest", "--tape", "bad.tape", "--strategy", "momentum_5m"),
    ("evolve", "--tape", "bad.tape", "--generations", "1", "--population", "16"),
    ("up", "--feed", "replay", "--tape", "bad.tape", "--speed", "max", "--until-end"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    market = Market()
    for i in range(6):
        market.trade(i)
    write_tape(folder / "bad.tape", Tape(market.events(), ["A"]))
    rewrite(folder / "bad.tape", with_value("kind", 3, 99))
    return folder


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_bad_tape_is_refused(folder: Path, command: tuple[str, ...]) -> None:
    done = memesnipe(folder, *command)
    assert (done.returncode, done.stdout) == (2, "")
    lines = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("Compiling")]
    assert len(lines) == 1, done.stderr
    assert "bad.tape, row 4: unknown kind 99 (1 of 6 rows are bad: malformed 1)" in lines[0]


def test_a_flipped_bit_is_refused(folder: Path, tmp_path: Path) -> None:
    market = Market().trade(1).trade(2)
    write_tape(tmp_path / "a.tape", Tape(market.events(), ["A"]))
    content = (tmp_path / "a.tape").read_bytes()
    (tmp_path / "a.tape").write_bytes(flipped(content, 8 * len(content) // 3))
    done = memesnipe(tmp_path, "tape", "a.tape")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
