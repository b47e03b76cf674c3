"""The ranges of the genes that every genome has, besides its families' parameters; units as in the genome's fields."""

from typing import Final

from memesnipe.sdk import Param

MAX_SIGNALS: Final = 3

EXITS: Final = {
    "stop_loss": Param(0.03, 0.6, 0.2, True, "ratio"),
    "take_profit": Param(0.03, 5.0, 0.5, True, "ratio"),
    "trailing_stop": Param(0.03, 0.6, 0.2, True, "ratio"),
    "max_hold_s": Param(10, 7200, 300, True, "s"),
}
FILTERS: Final = {
    "min_liquidity_usd": Param(10, 20_000, 200, True, "USD"),
    "min_age_s": Param(0.5, 3600, 10, True, "s"),
}
WEIGHT: Final = Param(0.1, 1.0, 0.5, False, "share")
THRESHOLD: Final = Param(0.2, 1.0, 0.5, False, "share")
SIZE: Final = Param(0.02, 0.25, 0.1, True, "share")
