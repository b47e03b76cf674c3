"""Memory and disk of the machine, or of the container that the process runs in."""

import shutil
from pathlib import Path
from typing import Final

import psutil

CGROUP: Final = Path("/sys/fs/cgroup")


def memory_ratio(cgroup: Path = CGROUP) -> float:
    """Return the used share of the memory: of the container's limit if it has one, else of the machine.

    Args:
        cgroup: folder of the control group (version 2). Its file cache that can be dropped does not count as used, as
            in Kubernetes' working set.
    """
    limit = _read(cgroup / "memory.max")
    if limit.isdecimal() and int(limit):
        stat = dict(line.split(" ", 1) for line in _read(cgroup / "memory.stat").splitlines())
        used = int(_read(cgroup / "memory.current") or 0) - int(stat.get("inactive_file", 0))
        return max(used, 0) / int(limit)
    return float(psutil.virtual_memory().percent) / 100


def disk_ratio(folder: Path) -> float:
    """Return the used share of the disk with a folder, of what unprivileged users can use; 0 while it is missing."""
    try:
        usage = shutil.disk_usage(folder)
    except FileNotFoundError:
        return 0.0
    return usage.used / (usage.used + usage.free)


def _read(path: Path) -> str:
    """Return the text of a file; "" where there is none, as outside of a container."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""
