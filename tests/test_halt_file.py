"""The kill file: what it forbids, and that whatever is not understood forbids everything."""

import os
from pathlib import Path

import pytest

from memesnipe.halt_file import HaltLevel, allow_exits, halt, halt_level, resume


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "signer" / "halt"


def test_a_halt_forbids_all_until_exits_are_allowed_or_it_is_removed(path: Path) -> None:
    assert halt_level(path) is None
    halt(path)
    assert halt_level(path) is HaltLevel.ALL
    allow_exits(path)
    assert halt_level(path) is HaltLevel.ENTRIES
    halt(path)
    assert halt_level(path) is HaltLevel.ALL, "a later halt forbids sales again"
    assert resume(path)
    assert halt_level(path) is None
    assert not resume(path)


def test_exits_are_allowed_only_where_something_is_halted(path: Path) -> None:
    path.parent.mkdir()
    allow_exits(path)
    assert halt_level(path) is None


@pytest.mark.parametrize("content", [b"", b"all", b"Entries", b"entries x", b"entriesentries", b"\xff", b"x" * 10_000])
def test_whatever_is_not_understood_forbids_everything(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    assert halt_level(path) is HaltLevel.ALL


@pytest.mark.parametrize("make", ["link to nowhere", "link to entries", "folder", "pipe"])
def test_what_is_no_file_forbids_everything_and_blocks_nobody(path: Path, make: str) -> None:
    path.parent.mkdir()
    if make == "folder":
        path.mkdir()
    elif make == "pipe":
        os.mkfifo(path)
    else:
        target = path.with_name("target")
        if make == "link to entries":
            target.write_text("entries\n")
        path.symlink_to(target)
    assert halt_level(path) is HaltLevel.ALL
    halt(path)
    assert halt_level(path) is HaltLevel.ALL


def test_a_halt_that_cannot_be_written_is_an_error(path: Path) -> None:
    path.parent.write_text("no folder")
    with pytest.raises(OSError, match=r"exists|directory"):
        halt(path)
