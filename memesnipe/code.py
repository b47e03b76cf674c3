"""A name for the code that decides: equal for two runs that the same code made."""

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Final

from memesnipe.compiled import source_hash

_HERE: Final = Path(__file__).resolve().parent
_DECIDING: Final = (_HERE / "trading", _HERE / "evolution", _HERE / "stats", _HERE.parent / "strategies")


def code_hash(strategy_folders: Iterable[Path] = ()) -> str:
    """A hash of everything that decides what a run does, besides its settings and its events."""
    digest = blake2b(source_hash().encode(), digest_size=8)
    for folder in (*_DECIDING, *strategy_folders):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
