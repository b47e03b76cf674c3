"""Duration of `memesnipe up`: to the page, to the last actor, and where the processor time goes meanwhile.

Run it on an idle machine: `python benchmarks/startup_system.py --repeat 5`. The first start, which compiles and creates
the database, is not counted. It prints the median and the spread of the durations, the load, and the processor time of
each process until the page is available, which other load affects less.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil

COMMAND = Path(sys.executable).with_name("memesnipe")
PROXYLESS = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TIMEOUT_S = 600.0


def main() -> None:
    """Start and stop the system several times in one folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory(prefix="memesnipe-startup-") as folder:
        Path(folder).chmod(0o755)  # as root the embedded PostgreSQL runs as another user
        first, *measured = [start_once(Path(folder)) for _ in range(repeat + 1)]
    print(f"first start: page after {first['page_s']:.1f} s, all actors after {first['actors_s']:.1f} s")
    for name in ("page_s", "actors_s", "cpu_page_s", "cpu_actors_s", "load"):
        values = sorted(float(run[name]) for run in measured)
        print(f"{name:12}  median {statistics.median(values):5.1f}   {values[0]:5.1f} to {values[-1]:5.1f}")
    print("processor time by process until the page, in the last start:")
    for role, seconds in Counter(measured[-1]["by_process"]).most_common(20):
        print(f"  {seconds:5.2f} s  {role}")


def start_once(folder: Path) -> dict[str, object]:
    """Start the system, wait for the page and the actors, and stop it; return the figures."""
    load, began = os.getloadavg()[0], time.monotonic()
    settings = folder / ".memesnipe" / "settings.json"
    settings.unlink(missing_ok=True)  # of the start before
    with (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen([COMMAND, "up"], cwd=folder, stdout=stderr, stderr=stderr, start_new_session=True)
    try:
        page_s, by_process = _until(lambda: _page(settings) == b"<!doc", process, began)
        actors_s, all_processes = _until(lambda: _all_run(settings), process, began)
        return {
            "load": load,
            "page_s": page_s,
            "actors_s": actors_s,
            "cpu_page_s": sum(by_process.values()),
            "cpu_actors_s": sum(all_processes.values()),
            "by_process": by_process,
        }
    finally:
        process.terminate()
        process.wait(120)


def _until(
    condition: Callable[[], bool], process: "subprocess.Popen[bytes]", began: float
) -> tuple[float, dict[str, float]]:
    """Return the seconds since ``began`` when the condition is met, and the processor time of each process."""
    used: dict[tuple[str, int], float] = {}
    while not condition():
        if process.poll() is not None or time.monotonic() - began > TIMEOUT_S:
            raise SystemExit("the system does not start")
        _add_cpu(process.pid, used)
        time.sleep(0.1)
    seconds = time.monotonic() - began
    _add_cpu(process.pid, used)
    total: dict[str, float] = {}
    for (role, _), cpu in used.items():
        total[role] = total.get(role, 0.0) + cpu
    return seconds, total


def _add_cpu(pid: int, used: dict[tuple[str, int], float]) -> None:
    with contextlib.suppress(psutil.Error):
        up = psutil.Process(pid)
        for process in (up, *up.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                times, role = process.cpu_times(), _role(process)
                key = next((k for k in used if k[1] == process.pid), None)
                if key is not None:
                    del used[key]  # its title changes when it becomes an actor
                used[role, process.pid] = times.user + times.system


def _role(process: psutil.Process) -> str:
    command = process.cmdline() or [process.name()]
    if command[0].startswith(("ray::", "postgres")):
        return command[0].split(":")[0] if command[0].startswith("postgres") else command[0].split(".")[0]
    if "postgres" in Path(command[0]).name:
        return "postgres"
    if Path(command[0]).name.startswith("python"):
        named = [Path(part).name for part in command[1:] if part.endswith((".py", "memesnipe")) or "." in part[:30]]
        return "python " + (named[0] if named else " ".join(command[1:3]))
    return Path(command[0]).name


def _page(settings: Path) -> bytes:
    return _get(settings, "/")[:5].lower()


def _all_run(settings: Path) -> bool:
    parts = json.loads(_get(settings, "/api/health") or b"{}").get("parts", {})
    return bool(parts) and all(part["state"] in ("up", "healthy", "running", "breeding") for part in parts.values())


def _get(settings: Path, path: str) -> bytes:
    try:
        port = json.loads(settings.read_bytes())["dashboard_port"]
        with PROXYLESS.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bytes(answer.read())
    except (OSError, ValueError):
        return b""


if __name__ == "__main__":
    main()
