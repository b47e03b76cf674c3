"""Limits shared by settings and options; in their own module, so that the command line imports little."""

from typing import Final

MAX_SEED: Final = 2**63 - 1
MAX_USD: Final = 1e9
MAX_SHOWN: Final = 60  # characters of a wrong value in a message
