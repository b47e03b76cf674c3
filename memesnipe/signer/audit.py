"""The audit log: one JSON line for each decision, chained by hashes, on the disk before the decision takes effect.

Each line contains the hash of the line before it, so a changed, removed or inserted line breaks the chain.
`python -m memesnipe.signer.audit FILE` verifies a log.
"""

import hashlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

import orjson

from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.file_lock import try_lock

_FIRST: Final = "0" * 64
_LOCK_PAUSE_S: Final = 0.1


@dataclass(frozen=True)
class Verified:
    """The state of an audit log.

    Args:
        entries: number of complete lines.
        head: hash of the last one; zeros for an empty log. Who notes it elsewhere can detect a log that was cut.
        size: bytes of the complete lines.
        torn: bytes after the last complete line, as a crash leaves them.
    """

    entries: int
    head: str
    size: int
    torn: bytes


def verify_audit(path: Path) -> Verified:
    """Verify the chain of a log.

    Raises:
        InputError: there is no log, or its chain is broken; the text says at which line.
    """
    entries, head, size, torn = 0, _FIRST, 0, b""
    try:
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    torn = line
                    break
                head = _check_line(path, line, entries, head)
                entries, size = entries + 1, size + len(line)
    except OSError as error:
        raise InputError(f"the audit log {path} cannot be read: {error.strerror}") from None
    return Verified(entries, head, size, torn)


def _check_line(path: Path, line: bytes, index: int, previous: str) -> str:
    """Return the hash of a line that follows another one."""
    try:
        entry = orjson.loads(line)
        given = entry.pop("hash")
        is_right = entry["seq"] == index and entry["previous"] == previous and given == _hash(entry)
    except (ValueError, KeyError, TypeError, AttributeError):
        is_right, given = False, ""
    if not is_right:
        raise InputError(f"the audit log {path} was changed: line {index + 1} does not continue the chain")
    return str(given)


class AuditLog:
    """Append to a log; one process at a time.

    Args:
        path: of the log, which is created if needed. What a crash left after the last complete line is moved to a
            file beside it, and the log says so.
        now_ms: time of the repair that this may need.
        wait_s: how long to wait for a signer that is about to end.

    Raises:
        InputError: the chain is broken, or another process has the log open.
    """

    def __init__(self, path: Path, now_ms: int, wait_s: float = 10.0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = Lock()
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if not _lock(self._fd, wait_s):
                raise InputError(f"the audit log {path} is in use: another signer runs")
            found = verify_audit(path)
            self._entries, self._head, self._size = found.entries, found.head, found.size
            if found.torn:
                self._repair(path, found.torn, now_ms)
        except BaseException:
            os.close(self._fd)
            raise

    def append(self, entry: dict[str, Any]) -> None:
        """Append a decision; it is on the disk when this returns.

        Raises:
            MemeSnipeError: it cannot be written; the log is as before.
        """
        with self._lock:
            record = {"seq": self._entries, **entry, "previous": self._head}
            digest = _hash(record)
            line = orjson.dumps(record | {"hash": digest}) + b"\n"
            try:
                os.ftruncate(self._fd, self._size)  # a part of a line that could not be written
                if os.write(self._fd, line) != len(line):
                    raise OSError("a part was written")
                os.fsync(self._fd)
            except OSError as error:
                raise MemeSnipeError(f"the audit log cannot be written: {error.strerror or error}") from None
            self._entries, self._head, self._size = self._entries + 1, digest, self._size + len(line)

    def close(self) -> None:
        """Close the log."""
        os.close(self._fd)

    def _repair(self, path: Path, torn: bytes, now_ms: int) -> None:
        beside = path.with_name(f"{path.name}.torn-{self._entries}")
        with beside.open("ab") as file:
            file.write(torn)
            file.flush()
            os.fsync(file.fileno())
        self.append({"at_ms": now_ms, "decision": "repaired", "torn_bytes": len(torn)})


def _lock(fd: int, wait_s: float) -> bool:
    """Lock a file; return False if another process still has it after a time."""
    deadline = time.monotonic() + wait_s
    while not try_lock(fd):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOCK_PAUSE_S)
    return True


def _hash(record: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(record, option=orjson.OPT_SORT_KEYS)).hexdigest()


def main(arguments: list[str]) -> int:
    """Print the state of a log; return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m memesnipe.signer.audit FILE\n")
        return 2
    try:
        found = verify_audit(Path(arguments[0]))
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    torn = f", then {len(found.torn)} bytes of a torn line" if found.torn else ""
    sys.stdout.write(f"{found.entries} entries, unbroken{torn}; last hash {found.head}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
