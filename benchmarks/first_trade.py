"""How long it takes from `git clone` to the first paper trade, phase by phase, with nothing cached.

It clones this repository into a new folder, gives it a home folder of its own (so that no package and no compiled
function is there from before), runs `make up`, and notes when each phase begins. Run it where nothing else runs:

    python benchmarks/first_trade.py            # the whole way
    python benchmarks/first_trade.py --warm     # what is installed and compiled here is used: the start alone
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from memesnipe.cli.running import ask_api

ROOT = Path(__file__).resolve().parents[1]
_POLL_S = 0.25
_CACHES = ("UV_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME", "VIRTUAL_ENV", "NUMBA_CACHE_DIR")
_STEPS = {  # fields of the report
    "generations": "first generation",
    "specs": "first strategy in the live simulation",
    "orders": "first order",
    "fills": "first paper fill",
    "trades": "first paper trade (bought and sold)",
}


class Watch:
    """Notes when something is first seen."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._seen: dict[str, float] = {}
        self.process: psutil.Process | None = None

    def see(self, what: str) -> None:
        """It has happened now, unless it had before."""
        if what not in self._seen:
            self._seen[what] = time.perf_counter() - self._start
            print(f"{self._seen[what]:8.1f} s {self._cpu_s():8.1f} cpu s  {what}", flush=True)

    def _cpu_s(self) -> float:
        """Processor time of all that was started, which other programs disturb less than the clock."""
        total = 0.0
        for process in [self.process, *self.process.children(recursive=True)] if self.process else []:
            try:
                total += sum(process.cpu_times()[:4])  # its own, and of its children that have ended
            except psutil.Error:
                continue
        return total

    def read(self, lines: Iterable[str], urls: list[str]) -> None:
        """Note the lines of a start as they come, and where the dashboard is."""
        for line in lines:
            text = line.strip()
            if text.endswith("...") or text.startswith(("Installed", "Compiled", "Run ", "memesnipe")):
                self.see(re.sub(r"/\S+/", "", text))  # of a path, its last part
            if text.startswith("Dashboard"):
                urls.append(text.split()[-1])


def started(command: list[str], folder: Path, environment: dict[str, str]) -> "subprocess.Popen[str]":
    """A program in a session of its own, whose standard error can be read."""
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def begin(folder: Path, *, warm: bool) -> "subprocess.Popen[str]":
    """Start `make up` in a new clone, or what is installed here in a new folder."""
    if warm:
        return started([str(Path(sys.executable).with_name("memesnipe")), "up"], folder, dict(os.environ))
    environment = {name: value for name, value in os.environ.items() if name not in _CACHES}
    environment["HOME"] = str(folder / "home")
    (folder / "home").mkdir()
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "clone"], check=True)  # noqa: S607
    return started(["make", "--no-print-directory", "up", f"PYTHON={sys.executable}"], folder / "clone", environment)


def watch(process: "subprocess.Popen[str]", seen: Watch, limit_s: float) -> bool:
    """Ask until there is a paper trade; whether there was one in time."""
    urls: list[str] = []
    reader = threading.Thread(target=seen.read, args=(process.stderr, urls), daemon=True)
    reader.start()
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(_POLL_S)
        try:
            report = ask_api(urls[-1], "report") if urls else {}
        except (OSError, ValueError):
            continue
        if report.get("events", {}).get("consumed"):
            seen.see("first event")
        for name, step in _STEPS.items():
            if report.get(name):
                seen.see(step)
        if report.get("trades"):
            return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warm", action="store_true", help="install and compile nothing")
    parser.add_argument("--limit", type=float, default=400.0, help="seconds after which it gives up")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-first-trade-"))
    folder.chmod(0o755)  # PostgreSQL does not run as root
    seen = Watch()
    process = begin(folder, warm=asked.warm)
    seen.process = psutil.Process(process.pid)
    try:
        found = watch(process, seen, asked.limit)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"load at the end {os.getloadavg()[0]:.1f}")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
