"""The pool that the genes' states lie in: a few large blocks, so that moving over thousands of them stays fast.

A small block of its own for every gene would lie on memory pages of its own, and the processor knows the place of only
so many pages: most of the time would go into looking them up. Large blocks lie on huge pages.
"""

from collections import defaultdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_BLOCK: Final = 32 * 2**20  # bytes; the system gives memory only to what is used of it
_ALIGNED: Final = 64  # bytes of a line of the cache


class StatePool:
    """Gives out arrays of zeros, and takes them back."""

    def __init__(self) -> None:
        self._block = np.zeros(0, np.uint8)
        self._taken = 0  # of the block
        self._returned: dict[int, list[NDArray[np.uint8]]] = defaultdict(list)

    def take(self, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """An array of zeros, shape (count,)."""
        size = count * dtype.itemsize
        room = -(-size // _ALIGNED) * _ALIGNED
        returned = self._returned[room]
        if returned:
            place = returned.pop()
            place[:] = 0
        else:
            if self._taken + room > len(self._block):
                self._block, self._taken = np.zeros(max(_BLOCK, room), np.uint8), 0
            place = self._block[self._taken : self._taken + room]
            self._taken += room
        return place[:size].view(dtype)

    def give_back(self, array: NDArray[Any]) -> None:
        """Take an array back that was taken from here; who has it must not use it any more."""
        place: Any = array.view(np.uint8)
        room = -(-len(place) // _ALIGNED) * _ALIGNED
        start = place.ctypes.data - place.base.ctypes.data
        self._returned[room].append(place.base[start : start + room])
