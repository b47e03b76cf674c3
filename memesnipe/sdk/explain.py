"""Conversion of compiler errors to one line, and of paths to the form that a strategy's author uses."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memesnipe.errors import StrategyError
from memesnipe.sdk.strategy import Strategy

# numba colours its errors if colorama is installed, which is a dependency of Ray.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@contextmanager
def explain(strategy: type[Strategy]) -> Iterator[None]:
    """Convert any exception of numba about a strategy into a StrategyError of one line.

    Raises:
        StrategyError: the strategy does not compile; the message names the file, the line and the reason.
    """
    try:
        yield
    except OSError:  # for example a full disk: not an error of the strategy
        raise
    except Exception as error:
        raise StrategyError(_line(strategy, _COLOURS.sub("", str(error)))) from error


def shown_path(path: Path | str) -> str:
    """Return a path relative to the working directory if it is below that, else absolute."""
    full, here = Path(path).absolute(), Path.cwd()
    return str(full.relative_to(here) if full.is_relative_to(here) else full)


def _line(strategy: type[Strategy], text: str) -> str:
    code = strategy.on_event.__code__
    # numba's message names file and line of each frame; the first one of the strategy is the innermost.
    found = re.search(rf'{re.escape(Path(code.co_filename).name)}(?:", line | \()(\d+)', text)
    line = found[1] if found else code.co_firstlineno
    return f"{shown_path(code.co_filename)}:{line}: on_event does not compile: {_reason(text)}"


def _reason(text: str) -> str:
    """Return the first line other than the compiler's phase, with the signature that follows it."""
    lines = [line.strip() for line in text.splitlines()]
    informative = [line for line in lines if line and not line.startswith("Failed in ")]
    if len(informative) > 1 and informative[1].startswith(">>> "):
        return f"{informative[0]} {informative[1].removeprefix('>>> ')}"
    return informative[0] if informative else "the compiler gives no reason"
