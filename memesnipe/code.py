"""Hashes of the code that determines a run's decisions: equal for two runs of the same code."""

import sys
from collections.abc import Iterable
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parent
# Packages that can change a run's records; pages, commands, logs and servers cannot.
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
    "execution",
)
# Packages that can change the result of a search, besides the strategies.
_SEARCH_PACKAGES: Final = ("market", "sdk", "engine", "stats", "evolution")
_BESIDE: Final = ("actors", "strategies")
_COMPILED_PACKAGES: Final = ("market", "sdk", "engine", "stats", "feeds/synth_market")


def source_hash() -> str:
    """Return a hash of everything that a compiled function depends on."""
    packages = (path for name in _COMPILED_PACKAGES for path in sorted((_HERE / name).glob("*.py")))
    # The version without an import of numba, which is slow to load.
    digest = blake2b(f"{version('numba')} {sys.version}".encode(), digest_size=8)
    for path in (_HERE / "compiled.py", *packages):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def code_hash(strategy_folders: Iterable[Path] = ()) -> str:
    """Return a hash of all code that determines a run, given its settings and events."""
    digest = blake2b(source_hash().encode(), digest_size=8)
    folders = [*(_HERE / name for name in _PACKAGES), *(_HERE.parent / name for name in _BESIDE), *strategy_folders]
    for path in (path for folder in folders for path in sorted(folder.rglob("*.py"))):
        # Moving the folder does not change the code, so the hash covers only the last two parts of the path.
        digest.update(f"{path.parent.name}/{path.name}".encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def search_hash() -> str:
    """Return a hash of the code that determines a search on a tape, without the strategies."""
    digest = blake2b(source_hash().encode(), digest_size=8)
    for path in (path for name in _SEARCH_PACKAGES for path in sorted((_HERE / name).rglob("*.py"))):
        digest.update(f"{path.parent.name}/{path.name}".encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
