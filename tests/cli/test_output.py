"""Standard output that cannot take what a command prints: a closed pipe, a full disk, an encoding without a letter."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.in_process import memesnipe

COMMAND = Path(sys.executable).with_name("memesnipe")


def piped(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command line of bash in which `memesnipe` is the installed command."""
    path = f"{COMMAND.parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=folder, env=os.environ | {"PATH": path} | environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["memesnipe --help", "memesnipe sql --tables", "memesnipe list-strategies --json"])
def test_a_closed_pipe_ends_a_command_without_a_word(tmp_path: Path, command: str) -> None:
    done = piped(tmp_path, f"{command} | true")
    assert (done.stdout, done.stderr) == ("", "")
    assert done.returncode in (0, 1), "0 where everything was written before the pipe was closed"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    done = piped(tmp_path, "memesnipe list-strategies > /dev/full")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("memesnipe: error: the output cannot be written: No space left on device; free some space\n")


def test_an_encoding_without_a_character_escapes_it(tmp_path: Path) -> None:
    folder = tmp_path / "m\u00fcnze"
    folder.mkdir()
    (folder / "w\u00e4hrung.json").write_text("{}")
    done = piped(folder, "memesnipe export *.json -o x.json; memesnipe wallet new \u00fc", PYTHONIOENCODING="ascii")
    assert "Traceback" not in done.stderr and "w\\xe4hrung.json: is not a genome" in done.stderr


def test_json_is_one_object_for_another_program(tmp_path: Path) -> None:
    for arguments in (["list-strategies"], ["sql", "--tables"], ["status"], ["halt"]):
        done = memesnipe(tmp_path, *arguments, "--json")
        assert isinstance(json.loads(done.stdout), dict) and done.stdout.count("\n") == 1, arguments


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (errno.EACCES, "/data/a.json: Permission denied; use another path, or run it as a user who may"),
        (errno.EROFS, "/data/a.json: Read-only file system; use a path that can be written to"),
        (errno.ENOSPC, "/data/a.json: No space left on device; free some space"),
    ],
)
def test_an_error_of_the_file_system_is_one_line_wherever_it_occurs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, text: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(error, os.strerror(error), "/data/a.json")

    monkeypatch.setattr(Path, "is_file", fail)
    done = memesnipe(tmp_path, "tape", "a.tape")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"memesnipe: error: {text}\n")
