"""Duration from `git clone` to the first paper trade, by phase, with empty caches.

It clones this repository into a new folder with a new home folder (so that no package and no compiled function is
cached), runs `make up`, and prints when each phase begins. Run it on an idle machine:

    python benchmarks/first_trade.py            # with installation and compilation
    python benchmarks/first_trade.py --warm     # with this installation and its compiled code: only the start
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

from memesnipe.api.schemas import Report
from memesnipe.client import ApiError, Client

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
    """A log of the time of each phase."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._times: dict[str, float] = {}
        self.process: psutil.Process | None = None

    def record(self, phase: str) -> None:
        """Print the time of a phase, the first time it is recorded."""
        if phase not in self._times:
            self._times[phase] = time.perf_counter() - self._start
            print(f"{self._times[phase]:8.1f} s {self._cpu_s():8.1f} cpu s  {phase}", flush=True)

    def _cpu_s(self) -> float:
        """Return the processor time of all started processes, which other load affects less than the wall time."""
        total = 0.0
        for process in [self.process, *self.process.children(recursive=True)] if self.process else []:
            try:
                total += sum(process.cpu_times()[:4])  # its own, and that of its children that have ended
            except psutil.Error:
                continue
        return total

    def read(self, lines: Iterable[str], urls: list[str]) -> None:
        """Record the lines of a start as they arrive, and append the URL of the dashboard to ``urls``."""
        for line in lines:
            text = line.strip()
            if text.endswith("...") or text.startswith(("Installed", "Compiled", "Run ", "memesnipe")):
                self.record(re.sub(r"/\S+/", "", text))  # shorten paths to their last part
            if text.startswith("Dashboard"):
                urls.append(text.split()[-1])


def started(command: list[str], folder: Path, environment: dict[str, str]) -> "subprocess.Popen[str]":
    """Start a program in a new session, with its standard error piped."""
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def begin(folder: Path, *, warm: bool) -> "subprocess.Popen[str]":
    """Start `make up` in a new clone, or with ``warm`` this installation in a new folder."""
    if warm:
        return started([str(Path(sys.executable).with_name("memesnipe")), "up"], folder, dict(os.environ))
    environment = {name: value for name, value in os.environ.items() if name not in _CACHES}
    environment["HOME"] = str(folder / "home")
    (folder / "home").mkdir()
    subprocess.run(["git", "clone", "--quiet", ROOT, folder / "clone"], check=True)  # noqa: S607
    return started(["make", "--no-print-directory", "up", f"PYTHON={sys.executable}"], folder / "clone", environment)


def watch(process: "subprocess.Popen[str]", phases: Watch, limit_s: float) -> bool:
    """Poll the report until the first paper trade; return whether there was one in time."""
    urls: list[str] = []
    reader = threading.Thread(target=phases.read, args=(process.stderr, urls), daemon=True)
    reader.start()
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(_POLL_S)
        report = _report(urls[-1]) if urls else None
        if report is None:
            continue
        if report.events.consumed:
            phases.record("first event")
        for name, step in _STEPS.items():
            if getattr(report, name):
                phases.record(step)
        if report.trades:
            return True
    return False


def _report(url: str) -> Report | None:
    """Return the report of the run; None while the page has none."""
    try:
        with Client(url) as client:
            return client.report()
    except ApiError:
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--warm", action="store_true", help="without installation and compilation")
    parser.add_argument("--limit", type=float, default=400.0, help="timeout in seconds")
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-first-trade-"))
    folder.chmod(0o755)  # as root, PostgreSQL runs as another user
    phases = Watch()
    process = begin(folder, warm=asked.warm)
    phases.process = psutil.Process(process.pid)
    try:
        found = watch(process, phases, asked.limit)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"load at the end {os.getloadavg()[0]:.1f}")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
