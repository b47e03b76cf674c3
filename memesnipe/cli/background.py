"""`memesnipe up --detach`: the same `memesnipe up` in a session of its own, without a terminal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, Final

import typer

from memesnipe.cli.options import BACKGROUND_OPTION
from memesnipe.config.home import Home
from memesnipe.config.settings import load_settings, read_resolved
from memesnipe.errors import MemeSnipeError
from memesnipe.runtime.lock import holder
from memesnipe.runtime.terminal import print_message
from memesnipe.servers import loopback

_COMMAND: Final = (sys.executable, "-m", "memesnipe", "up", BACKGROUND_OPTION)
_POLL_S: Final = 0.1
_PAGE_S: Final = 2.0
_STOP_S: Final = 90.0


def start(arguments: Sequence[str]) -> dict[str, Any]:
    """Start `memesnipe up` in the background; print its messages until the page is available.

    Ctrl-C meanwhile stops it again.

    Args:
        arguments: of `memesnipe up`.

    Raises:
        MemeSnipeError: it is already running in this folder.
        typer.Exit: it has ended during its start, with its exit code.
    """
    home = load_settings().installation.memesnipe_home.resolve()
    if pid := holder(home):
        raise MemeSnipeError(f"already running in {home.parent} (process {pid}): stop it with `memesnipe down`")
    output = Home(home).up_output
    output.parent.mkdir(parents=True, exist_ok=True)
    began = time.time()
    with output.open("wb") as written, output.open("rb") as read:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*_COMMAND, *arguments], stdin=subprocess.DEVNULL, stdout=written, stderr=written, start_new_session=True
        )
        try:
            return _wait(process, home, began, _lines(read))
        except BaseException:
            _end(process)
            raise


def _wait(process: "subprocess.Popen[bytes]", home: Path, began: float, lines: Iterator[str | None]) -> dict[str, Any]:
    """Print the lines of the process until its page is available.

    Raises:
        typer.Exit: it has ended, with its exit code.
    """
    while True:
        ended = process.poll() is not None  # before its last lines are read
        while (line := next(lines)) is not None:
            print_message(line)
        if ended:
            raise typer.Exit(process.returncode if process.returncode >= 0 else 1)
        if url := _page(process.pid, home, began):
            print_message(f"{url} is available; process {process.pid} runs in the background.")
            print_message("`memesnipe status` shows its state, `memesnipe down` stops it.")
            return {"pid": process.pid, "dashboard": url}
        time.sleep(_POLL_S)


def _lines(output: BinaryIO) -> Iterator[str | None]:
    """Yield each complete line, and None whenever there is no other yet."""
    rest = b""
    while True:
        *lines, rest = (rest + output.read()).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
        yield None


def _page(pid: int, home: Path, began: float) -> str:
    """Return the URL of the page of a process; "" while it is not available."""
    resolved = Home(home).settings
    try:
        if holder(home) != pid or resolved.stat().st_mtime < began:  # the file of an earlier start
            return ""
        url = f"http://{loopback.HOST}:{read_resolved(resolved).api.dashboard_port}"
        return url if loopback.get(f"{url}/", _PAGE_S).status == HTTPStatus.OK else ""
    except (OSError, MemeSnipeError):
        return ""


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
