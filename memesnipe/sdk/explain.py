"""Says in one line what the compiler says in many."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memesnipe.errors import StrategyError
from memesnipe.sdk.strategy import Strategy

# numba colours its errors as soon as it finds colorama, which Ray brings along.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@contextmanager
def explain(strategy: type[Strategy]) -> Iterator[None]:
    """Turn whatever numba raises about a strategy into one line.

    Raises:
        StrategyError: it does not compile; the text names the file, the line and the reason.
    """
    try:
        yield
    except OSError:  # a full disk is not the strategy's fault
        raise
    except Exception as error:
        raise StrategyError(_line(strategy, _COLOURS.sub("", str(error)))) from error


def place(path: Path | str) -> str:
    """A file as its author knows it: from the working directory where it is below that."""
    full, here = Path(path).absolute(), Path.cwd()
    return str(full.relative_to(here) if full.is_relative_to(here) else full)


def _line(strategy: type[Strategy], text: str) -> str:
    code = strategy.on_event.__code__
    # Each frame that numba passed names its file and line; the first one of the strategy is the innermost.
    found = re.search(rf'{re.escape(Path(code.co_filename).name)}(?:", line | \()(\d+)', text)
    line = found[1] if found else code.co_firstlineno
    return f"{place(code.co_filename)}:{line}: it does not compile: {_reason(text)}"


def _reason(text: str) -> str:
    """The first line that says more than where the compiler was, with the signature that belongs to it."""
    lines = [line.strip() for line in text.splitlines()]
    said = [line for line in lines if line and not line.startswith("Failed in ")]
    if len(said) > 1 and said[1].startswith(">>> "):
        return f"{said[0]} {said[1].removeprefix('>>> ')}"
    return said[0] if said else "the compiler gives no reason"
