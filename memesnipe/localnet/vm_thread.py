"""A thread of its own for everything that executes programs of the chain.

Programs that LiteSVM has compiled (solders 0.29) leave the x87 unit of their thread unusable: `long double` arithmetic
in that thread is invalid afterwards, and numpy warns of invalid values in `remainder`. Nothing else runs in it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
_THREAD: Final = ThreadPoolExecutor(1, "svm")


def in_vm_thread(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call a function in the thread, and return its result."""
    return _THREAD.submit(function, *args, **kwargs).result()
