"""The names of the streams, and how much of each one stays in Redis behind its readers."""

from typing import Final

from memesnipe.bus.heartbeat import ACTORS, HEARTBEAT_KEY
from memesnipe.market.codec import STREAM_OF_KIND
from memesnipe.trading.messages import (
    ALLOCATIONS,
    COMMANDS,
    EXIT_ORDERS,
    FILLS,
    POSITION_UPDATES,
    RISK_EVENTS,
    SIMULATION_RESULTS,
)

EVENTS: Final = "events"  # stands for all EVENT_STREAMS, merged by seq
EVENT_STREAMS: Final = tuple(STREAM_OF_KIND.values())

BACKTEST_JOBS: Final = "backtest_jobs_submitted"
BACKTEST_RESULTS: Final = "backtest_results"
STRATEGY_SPECS: Final = "strategy_specs"
PROGRESS: Final = "executor_progress"  # how far the executor has come: all it has to say up to there has been said

EVENT_READERS: Final = ("executor", "position", "strategy_factory")  # actors that take in every event

ALL: Final = (
    *EVENT_STREAMS, BACKTEST_JOBS, BACKTEST_RESULTS, STRATEGY_SPECS, ALLOCATIONS, FILLS, SIMULATION_RESULTS,
    POSITION_UPDATES, EXIT_ORDERS, RISK_EVENTS, COMMANDS, PROGRESS,
)  # fmt: skip

__all__ = (
    "ACTORS", "ALLOCATIONS", "COMMANDS", "EXIT_ORDERS", "FILLS", "HEARTBEAT_KEY", "POSITION_UPDATES", "RISK_EVENTS",
    "SIMULATION_RESULTS",
)  # fmt: skip

# market_data waits for the slowest reader before it is this many events ahead, so nothing unread is ever trimmed.
MAX_IN_FLIGHT: Final = 5_000
KEEP_EVENTS: Final = 100_000
KEEP_MESSAGES: Final = 10_000
KEEP_TRANSIENT: Final = 200
KEEP_RESULTS: Final = 10  # each has a line for every strategy in the arena, so megabytes where there are thousands

# Who reads what, of the streams that are not events: nothing goes before they have taken it in.
READERS: Final = {
    STRATEGY_SPECS: ("portfolio",),
    ALLOCATIONS: ("executor",),
    FILLS: ("position",),
    SIMULATION_RESULTS: ("position", "portfolio"),
    PROGRESS: ("position",),
    POSITION_UPDATES: ("portfolio",),
    EXIT_ORDERS: ("executor",),
    RISK_EVENTS: ("executor", "portfolio"),
    COMMANDS: ("executor", "position", "portfolio"),
}

# What is soon out of date, and large or frequent: old entries leave the database too.
TRANSIENT: Final = (SIMULATION_RESULTS, PROGRESS)


def keep(stream: str) -> int:
    """How many entries of a stream that is not events stay in Redis."""
    if stream == SIMULATION_RESULTS:
        return KEEP_RESULTS
    return KEEP_TRANSIENT if stream in TRANSIENT else KEEP_MESSAGES
