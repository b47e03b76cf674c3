"""`memesnipe synth`: writes a tape that other commands read; wrong input is one line and leaves no file."""

import json
from pathlib import Path

import pytest

from memesnipe.tapes.tape import read_tape
from tests.cli.in_process import memesnipe


def test_a_tape_is_written_and_reproducible(tmp_path: Path) -> None:
    arguments = ("synth", "--tokens", "200", "--hours", "0.5", "--seed", "3", "--json", "-o")
    first, second = (memesnipe(tmp_path, *arguments, name) for name in ("a.tape", "b.tape"))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    summary = json.loads(first.stdout)
    tape = read_tape(tmp_path / "a.tape")
    assert {key: summary[key] for key in tape.summary()} == tape.summary()
    assert (summary["rejected"], summary["edge"], summary["seed"]) == (0, "none", 3)
    assert (tmp_path / "a.tape").read_bytes() == (tmp_path / "b.tape").read_bytes()
    assert (summary["launches"], summary["majors"], summary["tokens"]) == (200, 3, 203)
    assert first.stderr.splitlines()[-1] == f"synth  0.5 of 0.5 hours  {summary['events']:,} events"
    shown = json.loads(memesnipe(tmp_path, "tape", "a.tape", "--json").stdout)
    assert shown["events"] == summary["events"]
    assert "generated" in shown["assumptions"][0]


def test_the_summary_is_a_table_without_json(tmp_path: Path) -> None:
    done = memesnipe(tmp_path, "synth", "--tokens", "5", "--hours", "0.1", "-o", "a.tape")
    assert done.returncode == 0
    assert "events" in done.stdout and "2026-01-01" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--tokens", "0", "--hours", "1"), "--tokens 0: must be a whole number"),
        (("--tokens", "5", "--hours", "nan"), "--hours nan: must be a number"),
        (("--tokens", "5", "--hours", "-1"), "--hours -1: must be a number"),
        (("--tokens", "5", "--hours", "1e9"), "--hours 1e9: must be a number"),
        (("--tokens", "1000000", "--hours", "1"), "--tokens 1000000: at most 100,000 launches an hour"),
        (
            ("--tokens", "5", "--hours", "1", "--edge", "luck"),
            "invalid value for '--edge': 'luck' is not one of",
        ),
        (("--tokens", "5", "--hours", "1", "--seed", "x"), "--seed x: must be a whole number"),
        (("--tokens", "5"), "--hours"),
    ],
)
def test_wrong_input_is_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = memesnipe(tmp_path, "synth", *arguments, "-o", "a.tape")
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    done = memesnipe(tmp_path, "synth", "--tokens", "5", "--hours", "1", "-o", str(tmp_path))
    assert done.returncode == 2
    assert "is a folder" in done.stderr


def test_it_says_that_the_generator_is_compiled_only_when_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memesnipe.engine.warm.CACHE_FOLDER", tmp_path / "cache")
    arguments = ("synth", "--tokens", "5", "--hours", "0.1", "-o", "a.tape")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "kernel.advance-1.py311.nbi").touch()  # the engine is compiled, the generator is not
    assert memesnipe(tmp_path, *arguments).stderr.startswith("Compiling the market's generator, once for this version")
    (tmp_path / "cache" / "kernel.generate_lives-26.py311.nbi").touch()
    assert "Compiling" not in memesnipe(tmp_path, *arguments).stderr
