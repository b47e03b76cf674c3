"""The names of the streams, and how much of each one stays in Redis behind its readers."""

from typing import Final

from memesnipe.market.codec import STREAM_OF_KIND

EVENTS: Final = "events"  # stands for all EVENT_STREAMS, merged by seq
EVENT_STREAMS: Final = tuple(STREAM_OF_KIND.values())

BACKTEST_JOBS: Final = "backtest_jobs_submitted"
BACKTEST_RESULTS: Final = "backtest_results"
STRATEGY_SPECS: Final = "strategy_specs"
ALLOCATIONS: Final = "allocations_channel"
FILLS: Final = "fills"
SIMULATION_RESULTS: Final = "simulation_results"
POSITION_UPDATES: Final = "position_updates"
EXIT_ORDERS: Final = "exit_orders"
RISK_EVENTS: Final = "risk_events"

ACTORS: Final = ("market_data", "executor", "position", "portfolio", "strategy_factory")
EVENT_READERS: Final = ("executor", "position", "strategy_factory")  # actors that take in every event

ALL: Final = (
    *EVENT_STREAMS, BACKTEST_JOBS, BACKTEST_RESULTS, STRATEGY_SPECS, ALLOCATIONS, FILLS, SIMULATION_RESULTS,
    POSITION_UPDATES, EXIT_ORDERS, RISK_EVENTS,
)  # fmt: skip

# Each actor says under this key, in Redis, how it is; the key expires when it stops saying so.
HEARTBEAT_KEY: Final = "memesnipe:heartbeat:{}"

# market_data waits for the slowest reader before it is this many events ahead, so nothing unread is ever trimmed.
MAX_IN_FLIGHT: Final = 5_000
KEEP_EVENTS: Final = 100_000
KEEP_MESSAGES: Final = 10_000
KEEP_RESULTS: Final = 200  # of SIMULATION_RESULTS, which are large and soon out of date


def keep(stream: str) -> int:
    """How many entries of a stream that is not events stay in Redis."""
    return KEEP_RESULTS if stream == SIMULATION_RESULTS else KEEP_MESSAGES
