"""The planted edges of a synthetic market."""

from enum import StrEnum
from typing import Final


class Edge(StrEnum):
    """What is predictable in a market beyond its costs."""

    NONE = "none"
    MOMENTUM = "momentum"
    MEAN_REVERSION = "mean_reversion"
    SOCIAL = "social"


NONE_CODE: Final = 0
MOMENTUM_CODE: Final = 1
MEAN_REVERSION_CODE: Final = 2
SOCIAL_CODE: Final = 3
EDGE_CODES: Final = {
    Edge.NONE: NONE_CODE,
    Edge.MOMENTUM: MOMENTUM_CODE,
    Edge.MEAN_REVERSION: MEAN_REVERSION_CODE,
    Edge.SOCIAL: SOCIAL_CODE,
}
