"""The memory pool of the genes' states and parameters: a few large blocks, for fast passes over thousands of states.

A separate small block per gene would occupy its own memory pages, and misses of the translation lookaside buffer would
dominate. Large blocks lie on huge pages.
"""

from collections import defaultdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_BLOCK: Final = 32 * 2**20  # bytes; the operating system backs only the used part with memory
_ALIGNED: Final = 64  # bytes of a cache line


class StatePool:
    """Allocates zeroed arrays and reuses released ones."""

    def __init__(self) -> None:
        self._block = np.zeros(0, np.uint8)
        self._taken = 0  # bytes used of the block
        self._returned: dict[int, list[NDArray[np.uint8]]] = defaultdict(list)

    def take(self, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return an array of zeros, shape (count,)."""
        size = count * dtype.itemsize
        room = -(-size // _ALIGNED) * _ALIGNED
        returned = self._returned[room]
        if returned:
            memory = returned.pop()
            memory[:] = 0
        else:
            if self._taken + room > len(self._block):
                self._block, self._taken = np.zeros(max(_BLOCK, room), np.uint8), 0
            memory = self._block[self._taken : self._taken + room]
            self._taken += room
        return memory[:size].view(dtype)

    def release(self, array: NDArray[Any]) -> None:
        """Release an array of this pool for reuse; the caller must not use it afterwards."""
        memory: Any = array.view(np.uint8)
        room = -(-len(memory) // _ALIGNED) * _ALIGNED
        start = memory.ctypes.data - memory.base.ctypes.data
        self._returned[room].append(memory.base[start : start + room])
