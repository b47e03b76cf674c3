"""What `memesnipe doctor` checks on this machine: programs, settings, ports, disk, memory, secrets, and the mode."""

import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

import psutil

from memesnipe.config.home import Home
from memesnipe.config.settings import ENV_FILE, Settings
from memesnipe.errors import first_line
from memesnipe.runtime.lock import holder
from memesnipe.servers.ports import holder_of, is_free
from memesnipe.telemetry.logs import without_secrets

Verdict = Literal["ok", "warning", "failed"]

_GIB: Final = 1 << 30
_MIN_DISK_GIB, _PRODUCTION_DISK_GIB = 2, 20
_MIN_MEMORY_GIB, _PRODUCTION_MEMORY_GIB = 2, 8
_MIN_RAY: Final = (2, 60)
_PYTHONS: Final = ((3, 11), (3, 13))  # the first and the last one with wheels of Ray and numba


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check: what was found, and for a bad one what to do."""

    name: str
    verdict: Verdict
    detail: str
    do: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the check as JSON values."""
        return asdict(self)


def guarded(name: str, check: Callable[[], Check]) -> Check:
    """Return the result of a check; one that raises an error has failed with its text."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a broken machine may raise anything, and the other checks matter too
        return Check(name, "failed", without_secrets(first_line(error)), "fix the reason, and run the check again")


def check_machine(settings: Settings, *, production: bool) -> Iterator[Check]:
    """Yield the checks that need no other program.

    Args:
        settings: in force.
        production: whether to require what a system that runs for weeks needs.
    """
    yield _python()
    yield guarded("Ray", _ray)
    yield _mode(settings)
    yield from _ports(settings)
    home = settings.installation.memesnipe_home.resolve()
    yield guarded("disk", lambda: _disk(home, _PRODUCTION_DISK_GIB if production else _MIN_DISK_GIB))
    yield _memory(_PRODUCTION_MEMORY_GIB if production else _MIN_MEMORY_GIB)
    if production:
        yield from _secrets(settings)


def _python() -> Check:
    found = sys.version.partition(" ")[0]
    if _PYTHONS[0] <= sys.version_info[:2] <= _PYTHONS[1]:
        return Check("Python", "ok", found)
    return Check("Python", "failed", found, "use Python 3.11, 3.12 or 3.13")


def _ray() -> Check:
    found = version("ray")
    if tuple(int(part) for part in found.split(".")[:2]) >= _MIN_RAY:
        return Check("Ray", "ok", f"{found}; every node needs the same version")
    return Check("Ray", "failed", found, "install the versions of constraints.txt (`make install`)")


def _mode(settings: Settings) -> Check:
    trading = settings.trading
    if trading.paper_trading_mode and not trading.live_trading_enabled:
        return Check("mode", "ok", "paper money")
    return Check("mode", "warning", "real money", "LIVE_TRADING_ENABLED=false is paper money")


def _ports(settings: Settings) -> Iterator[Check]:
    """Yield a check for each port to listen on; the ports of a running system in this folder are its own."""
    home = settings.installation.memesnipe_home.resolve()
    if pid := holder(home):
        yield Check("ports", "ok", f"in use by the system that runs here (process {pid})")
        return
    flat = settings.flat
    taken = [name for name in flat if name.endswith("_port") and not is_free(flat[name])]
    for name in taken:
        detail = f"{flat[name]} ({name.upper()}) is taken{holder_of(flat[name])}"
        yield Check("ports", "warning", detail, "end that process, or set another port")
    if not taken:
        yield Check("ports", "ok", "free")


def _disk(home: Path, minimum_gib: int) -> Check:
    existing = next(path for path in (home, *home.parents) if path.exists())
    free_gib = psutil.disk_usage(str(existing)).free / _GIB
    detail = f"{free_gib:,.1f} GiB free at {existing}"
    if free_gib >= minimum_gib:
        return Check("disk", "ok", detail)
    return Check("disk", "failed", detail, f"free at least {minimum_gib} GiB, or set MEMESNIPE_HOME to a larger disk")


def _memory(minimum_gib: int) -> Check:
    memory = psutil.virtual_memory()
    detail = f"{memory.available / _GIB:,.1f} GiB available of {memory.total / _GIB:,.1f}"
    if memory.available / _GIB >= minimum_gib:
        return Check("memory", "ok", detail)
    return Check("memory", "warning", detail, f"{minimum_gib} GiB are needed, or a smaller ARENA_SIZE")


def _secrets(settings: Settings) -> Iterator[Check]:
    """Yield a check for each file with a secret that others can read."""
    installation, home = settings.installation, Home(settings.installation.memesnipe_home.resolve())
    files = [
        installation.wallet_file, installation.token_file, installation.signer_token_file, home.settings, ENV_FILE,
        home.postgres / "password", home.redis / "operator.password",
    ]  # fmt: skip
    if settings.telemetry.notify_urls_filename is not None:
        files.append(settings.telemetry.notify_urls_filename)
    found = [path.resolve() for path in files if path.is_file()]
    is_open = [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]
    for path in is_open:
        yield Check("secrets", "failed", f"others can read {path}", f"chmod 600 {path}")
    if not is_open:
        yield Check("secrets", "ok", f"{len(found)} files, readable by their owner alone")


def overall(checks: list[Check]) -> Verdict:
    """Return the worst verdict."""
    verdicts = {check.verdict for check in checks}
    return "failed" if "failed" in verdicts else "warning" if "warning" in verdicts else "ok"
