"""Collect garbage less often in a process that loads this module, for example as the first one of Ray's workers.

By default Python looks for unreachable cycles after every 700 new objects. While modules load nearly all new objects
stay, so looking takes a sixth of the time of a start. Afterwards it delays events by tens of milliseconds at a time; a
process for which that is long calls `collect_in_small_steps`.
"""

import gc
from typing import Final

_NEW_OBJECTS: Final = 50_000  # a few megabytes; nearly all objects are freed by their reference count

_SMALL_STEP: Final = 1_000  # new objects: a tenth of a millisecond

gc.set_threshold(_NEW_OBJECTS, 20, 20)


def collect_in_small_steps() -> None:
    """Have this process look for garbage often and briefly from now on, and never again in what it holds now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_SMALL_STEP, 10, 50)  # 10 steps, of the objects of 10 steps: a millisecond
