"""Commands as a user types them, run in the process of the tests: a start of Python takes longer than most of them."""

import contextlib
import io
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from memesnipe.cli.main import run

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # that a command may handle


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def memesnipe(folder: Path, *arguments: str, without: Iterable[str] = (), **settings: str) -> Done:
    """Run a command in a folder; one that starts servers needs its own process.

    Args:
        folder: in which it runs.
        arguments: of the command.
        without: variables of the tests' environment that the command's has not.
        settings: more variables of its environment.
    """
    code, out, err = 0, io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["memesnipe", *arguments])
        for name in without:
            patch.delenv(name)
        for name, value in settings.items():
            patch.setenv(name, value)
        try:
            run()
        except SystemExit as ended:
            code = int(ended.code or 0)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    return Done(code, out.getvalue(), err.getvalue())
