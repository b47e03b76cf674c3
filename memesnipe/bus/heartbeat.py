"""The actors, and where each says how it is. They stand alone, so that looking at them loads no compiler."""

from typing import Final

ACTORS: Final = ("market_data", "executor", "position", "portfolio", "strategy_factory")

# Each actor says under this key, in Redis, how it is; the key expires when it stops saying so.
HEARTBEAT_KEY: Final = "memesnipe:heartbeat:{}"
