"""The hash of the code covers every file that a run's records depend on, and no other file."""

import shutil
from pathlib import Path

import pytest

import memesnipe.code
from memesnipe.code import code_hash

ROOT = Path(memesnipe.code.__file__).resolve().parents[1]


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for package in ("memesnipe", "actors", "strategies"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(memesnipe.code, "_HERE", tmp_path / "memesnipe")
    return tmp_path


@pytest.mark.parametrize(
    "changed",
    [
        "memesnipe/config/policies.py", "memesnipe/config/risk.py", "memesnipe/trading/desk.py",
        "memesnipe/evolution/genetic_algorithm.py", "memesnipe/feeds/synthetic/world.py", "memesnipe/tapes/tape.py",
        "memesnipe/stats/sharpe.py", "memesnipe/market/sequencer.py", "memesnipe/sdk/strategy.py",
        "memesnipe/engine/engine.py", "memesnipe/feeds/replay.py", "memesnipe/storage/journal.py",
        "memesnipe/bus/merge.py", "memesnipe/roles/portfolio.py", "strategies/momentum_5m.py",
    ],
)  # fmt: skip
def test_deciding_files_are_part_of_the_hash(copy: Path, changed: str) -> None:
    before = code_hash()
    with (copy / changed).open("a") as file:
        file.write("# changed\n")
    assert code_hash() != before


@pytest.mark.parametrize("changed", ["memesnipe/cli/up.py", "memesnipe/api/app.py", "memesnipe/telemetry/logs.py"])
def test_files_that_only_show_or_start_a_run_are_not(copy: Path, changed: str) -> None:
    before = code_hash()
    with (copy / changed).open("a") as file:
        file.write("# changed\n")
    assert code_hash() == before


def test_the_path_of_the_code_is_not_part_of_the_hash(copy: Path, tmp_path: Path) -> None:
    own = tmp_path / "a" / "mine"
    own.mkdir(parents=True)
    (own / "x.py").write_text("x = 1\n")
    before = code_hash([own])
    shutil.copytree(own, tmp_path / "b" / "mine")
    assert code_hash([tmp_path / "b" / "mine"]) == before
    assert code_hash() != before
