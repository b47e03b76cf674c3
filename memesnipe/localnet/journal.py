"""The journal of a chain: what it got from outside, in a file from which the same chain is made again after a kill.

A line is a JSON object: first the options of the chain, then the steps in order. What the chain did with a step follows
from the steps, except for what its market sends, which is in the blocks like everything else.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from memesnipe.errors import InputError
from memesnipe.localnet.mempool import Entry

_OPTIONS: Final = "options"


@dataclass(frozen=True, slots=True)
class BlockStep:
    """A block with everything that was to be in it, also what did not land."""

    slot: int
    fees_lamports: int  # of the chain after it, from which a chain that is made again is told from another one
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class ForkStep:
    """The newest blocks were removed."""

    blocks: int


@dataclass(frozen=True, slots=True)
class StartStep:
    """The market began."""

    slot: int


@dataclass(frozen=True, slots=True)
class BundleStep:
    """The block engine accepted a bundle, which need not land."""

    slot: int
    signatures: Sequence[Signature]  # the first of each of its transactions


Step = BlockStep | ForkStep | StartStep | BundleStep


class Journal:
    """A file to which a running chain adds its steps. A kill of the process loses none that a client has seen.

    Args:
        path: of the file; it is appended to.
        options: of the chain, written into an empty file.
    """

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        self._file = path.open("ab", buffering=0)
        if self._file.tell() == 0:
            self._add({_OPTIONS: options})

    def block(self, step: BlockStep) -> None:
        """Add a block, before anybody is told of it."""
        entries = [
            [[base64.b64encode(bytes(one)).decode() for one in entry.transactions], entry.forced_error, entry.is_spared]
            for entry in step.entries
        ]
        self._add({"slot": step.slot, "fees": step.fees_lamports, "entries": entries})

    def fork(self, step: ForkStep) -> None:
        """Add the removal of blocks."""
        self._add({"fork": step.blocks})

    def start(self, step: StartStep) -> None:
        """Add the beginning of the market."""
        self._add({"start": step.slot})

    def bundle(self, step: BundleStep) -> None:
        """Add a bundle, before the block engine replies with its id."""
        self._add({"bundle": [str(one) for one in step.signatures], "slot": step.slot})

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _add(self, line: Mapping[str, Any]) -> None:
        self._file.write(orjson.dumps(line) + b"\n")


def read_options(path: Path) -> dict[str, Any] | None:
    """Return the options of the chain in a journal; None if it is missing or empty.

    Raises:
        InputError: the file is no journal.
    """
    if not path.exists():
        return None
    if not path.is_file():
        raise InputError(f"--journal {path}: is not an ordinary file; name another")
    with path.open("rb") as file:
        first = file.readline()
    try:
        options: dict[str, Any] | None = orjson.loads(first)[_OPTIONS] if first else None
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise InputError(f"--journal {path}: this is no journal of a local chain") from None
    return options


def read_steps(path: Path) -> Iterator[Step]:
    """Yield the steps in order. A last line that was not written to its end is removed: no client has seen its effect.

    Raises:
        InputError: a line is no step.
    """
    with path.open("r+b") as file:
        end = len(file.readline())
        for line in file:
            if not line.endswith(b"\n"):
                file.truncate(end)
                return
            end += len(line)
            try:
                yield _step(orjson.loads(line))
            except (ValueError, KeyError, TypeError):
                raise InputError(f"--journal {path}: the line that ends at byte {end} is no step of a chain") from None


def _step(line: dict[str, Any]) -> Step:
    if "fork" in line:
        return ForkStep(line["fork"])
    if "start" in line:
        return StartStep(line["start"])
    if "bundle" in line:
        return BundleStep(line["slot"], [Signature.from_string(one) for one in line["bundle"]])
    entries = [
        Entry(tuple(VersionedTransaction.from_bytes(base64.b64decode(one)) for one in transactions), error, is_spared)
        for transactions, error, is_spared in line["entries"]
    ]
    return BlockStep(line["slot"], line["fees"], entries)
