"""The words of texts for fields that keep an older name, because scripts read it."""

from collections.abc import Mapping
from typing import Any, Final

ROUND_TRIPS: Final = "round trips"  # the field `trades`; the rows of the table `trades` are fills and failed orders

# Titles of the columns of strategies by field; the page has the same (memesnipe/api/page/views/strategies.js).
STRATEGY_TITLES: Final = {
    "spec_id": "strategy",
    "mode": "mode",
    "families": "signals",
    "allocation_usd": "capital",
    "total_return": "simulated return",
    "trades": "simulated round trips",
    "generation": "generation",
}


def in_text(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values under the names that texts use."""
    return {ROUND_TRIPS if name == "trades" else name: value for name, value in values.items()}
