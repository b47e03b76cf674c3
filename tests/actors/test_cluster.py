"""The process that runs Ray tells a `memesnipe up` that stops from one that was killed, which some systems survive."""

import os
import subprocess
import sys

import pytest

from memesnipe.servers.leftovers import STOP
from tests.pages import ROOT

DRIVER = """
import os, sys
from actors.cluster import Guard
guard = Guard("of a test", int(sys.argv[1]), survives=sys.argv[2] == "survives")
assert guard.wait_for_run() == 7
guard.ready("")
while not guard.stopping.wait(0.02):
    guard.report()
os.write(1, b"stops the actors")
os._exit(0)
"""


def driver(option: str) -> tuple["subprocess.Popen[bytes]", int]:
    """Start a driver and give it its run; return it, and the end of the pipe that its messages come from."""
    read, write = os.pipe()
    command = [sys.executable, "-c", DRIVER, str(write), option]
    process = subprocess.Popen(
        command, cwd=ROOT, pass_fds=(write,), stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    os.close(write)
    assert process.stdin is not None
    process.stdin.write(b"7\n")
    process.stdin.flush()
    return process, read


@pytest.mark.parametrize(
    ("option", "last", "expected"),
    [
        ("survives", b"", b""),
        ("survives", STOP, b"stops the actors"),
        ("ends", b"", b"stops the actors"),
    ],
)
def test_only_a_system_that_survives_its_client_is_left_alone(option: str, last: bytes, expected: bytes) -> None:
    process, read = driver(option)
    assert process.stdin is not None
    with os.fdopen(read, "rb") as messages:
        assert messages.readline().startswith(b'{"ready"')
        if last:
            process.stdin.write(last)
        process.stdin.close()
        process.stdin = None
        said, _ = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, expected)


def test_a_lost_reader_is_a_killed_client_too() -> None:
    process, read = driver("survives")
    with os.fdopen(read, "rb") as messages:
        messages.readline()
    assert process.wait(60) == 0  # although its standard input is still open
    said, _ = process.communicate()
    assert said == b""
