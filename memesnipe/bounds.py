"""Limits that settings and options share. They stand alone, so that the command line loads nothing for them."""

from typing import Final

MAX_SEED: Final = 2**63 - 1
MAX_USD: Final = 1e9
MAX_SHOWN: Final = 60  # letters of a wrong value
