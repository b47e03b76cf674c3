"""The command line: errors as one line, each kind with its exit code.

Declaring a command loads nothing that is slow: what it does is imported when it runs, after its input was checked.
"""

import errno
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from memesnipe import __version__
from memesnipe.cli.checks import checks
from memesnipe.cli.evolve import evolution
from memesnipe.cli.manual import manual
from memesnipe.cli.redis import redis
from memesnipe.cli.research import research
from memesnipe.cli.signals import INTERRUPTED
from memesnipe.cli.sql import sql
from memesnipe.cli.strategies import strategies
from memesnipe.cli.system import system
from memesnipe.cli.tapes import tapes
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.runtime.terminal import say

_SHOWN = 60  # letters of a path that is too long

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,  # plain help: panels cost as much time again as everything else in it
    context_settings={"max_content_width": 110},
    help="Breeds memecoin strategies, simulates them on the whole market and trades the best on paper. "
    "Research software: nothing here is advice, and real money can be lost in full.",
)
for group in (system, tapes, strategies, research, evolution, manual, checks, sql, redis):
    app.add_typer(group)


@app.callback(invoke_without_command=True)
def _top(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def run() -> None:
    """Run the command line; every error of ours is one line and its own exit code."""
    try:
        code = app(standalone_mode=False)
        if code == INTERRUPTED:  # Typer has met Ctrl-C
            say("memesnipe: interrupted")
    except TyperException as error:
        sys.exit(_usage(error))
    except MemeSnipeError as error:
        kind = "input" if isinstance(error, InputError) else "error"
        _say_error(kind, str(error))
        sys.exit(error.exit_code)
    except OSError as error:  # wherever a path is looked at first
        if error.errno != errno.ENAMETOOLONG:
            raise
        _say_error("input", f"{str(error.filename)[:_SHOWN]}...: {error.strerror}; name a shorter path")
        sys.exit(InputError.exit_code)
    sys.exit(code or 0)


def _usage(error: TyperException) -> int:
    """Say what is wrong with the words of a command, or its help where there are none; gives the exit code."""
    text = error.format_message().strip()
    if text.startswith("Usage:"):  # a group without a command
        say(text)
        return error.exit_code
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "memesnipe"
    _say_error("input", f"{text[0].lower()}{text[1:].rstrip('.')}; see `{command} --help`")
    return error.exit_code


def _say_error(kind: str, text: str) -> None:
    """One line, whatever the input was that it repeats: what cannot be printed is shown by its number."""
    say(f"memesnipe: {kind}: " + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text))
