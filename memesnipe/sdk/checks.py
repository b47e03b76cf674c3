"""Checks a strategy before it is compiled, so that its author reads a line and a rule instead of a compiler's words."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager

from memesnipe.errors import StrategyError
from memesnipe.sdk.strategy import Strategy


def check(strategy: type[Strategy]) -> str:
    """The source of ``on_event``."""
    return inspect.getsource(strategy.on_event)


@contextmanager
def explain(strategy: type[Strategy]) -> Iterator[None]:
    """Turn what the compiler says into one line."""
    try:
        yield
    except Exception as error:
        raise StrategyError(f"{strategy.family}: {error}") from error
