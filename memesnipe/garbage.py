"""Collect garbage less often in a process that loads this module, for example as the first one of Ray's workers.

By default Python looks for unreachable cycles after every 700 new objects. While modules load nearly all new objects
stay, so looking takes a sixth of the time of a start; afterwards it delays events.
"""

import gc
from typing import Final

_NEW_OBJECTS: Final = 50_000  # a few megabytes; nearly all objects are freed by their reference count

gc.set_threshold(_NEW_OBJECTS, 20, 20)
