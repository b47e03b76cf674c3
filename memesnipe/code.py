"""A name for the code that decides: equal for two runs that the same code made."""

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Final

from memesnipe.compiled import source_hash

_HERE: Final = Path(__file__).resolve().parent
# Whatever can change a run's books. Pages, commands, logs and servers cannot.
_PACKAGES: Final = (
    "market",
    "sdk",
    "engine",
    "stats",
    "evolution",
    "trading",
    "feeds",
    "tapes",
    "storage",
    "bus",
    "roles",
    "config",
    "protocol",
)
# Whatever can change what a search finds, besides the strategies.
_SEARCH_PACKAGES: Final = ("market", "sdk", "engine", "stats", "evolution")
_BESIDE: Final = ("actors", "strategies")


def code_hash(strategy_folders: Iterable[Path] = ()) -> str:
    """A hash of everything that decides what a run does, besides its settings and its events."""
    digest = blake2b(source_hash().encode(), digest_size=8)
    folders = [*(_HERE / name for name in _PACKAGES), *(_HERE.parent / name for name in _BESIDE), *strategy_folders]
    for path in (path for folder in folders for path in sorted(folder.rglob("*.py"))):
        # A folder that was moved holds the same code, so its own place is no part of the name.
        digest.update(f"{path.parent.name}/{path.name}".encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def search_hash() -> str:
    """A hash of the code that decides what a search on a tape finds, without the strategies."""
    digest = blake2b(source_hash().encode(), digest_size=8)
    for path in (path for name in _SEARCH_PACKAGES for path in sorted((_HERE / name).rglob("*.py"))):
        digest.update(f"{path.parent.name}/{path.name}".encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
