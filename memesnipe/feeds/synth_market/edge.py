"""The planted edges of a synthetic market."""

from enum import StrEnum
from typing import Final


class Edge(StrEnum):
    """What is predictable in a market beyond its costs."""

    NONE = "none"
    MOMENTUM = "momentum"
    MEAN_REVERSION = "mean_reversion"
    SOCIAL = "social"


EDGE_CODES: Final = {edge: code for code, edge in enumerate(Edge)}
