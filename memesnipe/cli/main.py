"""The command line: each error is one line, each category of error has its exit code.

Declaring a command loads no slow module: a command imports its implementation when it runs, after its input was
checked.
"""

import errno
import io
import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from memesnipe import __version__
from memesnipe.cli.backup import backup
from memesnipe.cli.checks import checks
from memesnipe.cli.demo import demo
from memesnipe.cli.doctor import doctor
from memesnipe.cli.evolve import evolution
from memesnipe.cli.examples import add_examples
from memesnipe.cli.explain import explain
from memesnipe.cli.feeds import feeds
from memesnipe.cli.landing import landing
from memesnipe.cli.localnet import localnet
from memesnipe.cli.manual import manual
from memesnipe.cli.monitor import monitor
from memesnipe.cli.record import recording
from memesnipe.cli.redis import redis
from memesnipe.cli.report import report
from memesnipe.cli.research import research
from memesnipe.cli.run_strategies import run_strategies
from memesnipe.cli.safety import safety
from memesnipe.cli.signals import INTERRUPTED
from memesnipe.cli.sql import sql
from memesnipe.cli.strategies import strategies
from memesnipe.cli.synth import synth
from memesnipe.cli.system import system
from memesnipe.cli.tapes import tapes
from memesnipe.cli.wallet import wallet
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.runtime.terminal import print_message

_CATEGORIES = {1: "error", 2: "input", 3: "refused"}  # the first word of a message, by exit code
_SHOWN = 60  # characters of a path that is too long
_OF_PATHS = {  # what to do about errors that any path may have, at any time
    errno.EACCES: "use another path, or run it as a user who may",
    errno.EPERM: "use another path, or run it as a user who may",
    errno.EROFS: "use a path that can be written to",
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
}

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: panels double the time that help takes
    context_settings={"max_content_width": 110},
    help="Breeds memecoin strategies, simulates them on the whole market and trades the best on paper. "
    "Research software: nothing here is advice, and real money can be lost in full.",
)
for group in (
    system, demo, feeds, tapes, synth, recording, strategies, run_strategies, explain, research, evolution, manual,
    checks, sql, redis, wallet, safety, localnet, landing, doctor, monitor, backup, report,
):  # fmt: skip
    app.add_typer(group)
add_examples(app)


@app.callback(invoke_without_command=True)
def _top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def run() -> None:
    """Run the command line; print each MemeSnipe error as one line and exit with its code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a locale without some character must not end a command
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = app(prog_name="memesnipe", standalone_mode=False)
        sys.stdout.flush()
        if code == INTERRUPTED:  # Typer has caught Ctrl-C
            print_message("memesnipe: interrupted")
    except TyperException as error:
        sys.exit(_usage(error))
    except MemeSnipeError as error:
        _print_error(_CATEGORIES[error.exit_code], str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        sys.exit(_system_error(error))
    sys.exit(code or 0)


def _system_error(error: OSError) -> int:
    """Print an error of the operating system that concerns the user's paths or output; return the exit code.

    Raises:
        OSError: any other one.
    """
    if error.errno == errno.ENAMETOOLONG:  # such a path fails at its first use, anywhere
        _print_error("input", f"{str(error.filename)[:_SHOWN]}...: {error.strerror}; name a shorter path")
        return InputError.exit_code
    if error.filename is not None and error.errno in _OF_PATHS:
        _print_error("error", f"{error.filename}: {error.strerror}; {_OF_PATHS[error.errno]}")
        return MemeSnipeError.exit_code
    if error.filename is None and error.errno in (errno.EPIPE, errno.ENOSPC):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered would fail again at the exit
        if error.errno == errno.ENOSPC:
            _print_error("error", f"the output cannot be written: {error.strerror}; free some space")
        return MemeSnipeError.exit_code  # whoever closed the pipe, such as `head`, has what he wants
    raise error


def _usage(error: TyperException) -> int:
    """Print what is wrong with a command's arguments, or the help of a bare group; return the exit code."""
    text = error.format_message().strip()
    context = getattr(error, "ctx", None)
    if text.startswith("Usage:"):  # the group was called without a command
        print_message(f"{_what_to_do(context)}\n\n{text}")
        return error.exit_code
    command = context.command_path if context else "memesnipe"
    text = text.replace("Value error, ", "").replace("Input should be", "must be").rstrip(".")
    _print_error("input", f"{text[0].lower()}{text[1:]}; see `{command} --help`")
    return error.exit_code


def _what_to_do(context: typer.Context | None) -> str:
    """Return what to type instead of a bare group."""
    if context is None or context.parent is None:
        return "Name a command: `memesnipe demo` shows the system in three minutes, `memesnipe up` starts it."
    names = context.command.list_commands(context)  # type: ignore[attr-defined]
    return "Name one of its commands: " + " or ".join(f"`{context.command_path} {name}`" for name in names)


def _print_error(category: str, text: str) -> None:
    """Print one line; unprintable characters of the quoted input are escaped."""
    print_message(f"memesnipe: {category}: " + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))
