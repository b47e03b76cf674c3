"""The streams: the writer and the readers of each, and the number of entries kept in Redis behind its readers."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from memesnipe.protocol.arena_messages import ARENA_OUTPUTS, PlacedAllocation
from memesnipe.protocol.events import EVENT_STREAMS, PAYLOAD_OF_KIND, EventPayload
from memesnipe.protocol.heartbeat import ACTORS, ARENAS
from memesnipe.protocol.messages import (
    AllocationMessage,
    AppliedCommand,
    ArenaStandings,
    BacktestJob,
    BacktestResult,
    CommandMessage,
    ExecutionReport,
    ExecutorProgress,
    ExitOrder,
    FillMessage,
    PositionUpdate,
    RiskEvent,
    SimulationResults,
    StrategySpec,
)
from memesnipe.protocol.payload import Decoder, Versioned

EVENTS: Final = "events"  # all EVENT_STREAMS, merged by seq
FILLS: Final = FillMessage.stream
SIMULATION_RESULTS: Final = SimulationResults.stream
PROGRESS: Final = ExecutorProgress.stream
STRATEGY_SPECS: Final = StrategySpec.stream
COMMANDS: Final = CommandMessage.stream
APPLIED_COMMANDS: Final = AppliedCommand.stream
RISK_EVENTS: Final = RiskEvent.stream
EXIT_ORDERS: Final = ExitOrder.stream
EXECUTION_REPORTS: Final = ExecutionReport.stream
ALLOCATIONS: Final = AllocationMessage.stream
ARENA_STANDINGS: Final = ArenaStandings.stream
POSITION_UPDATES: Final = PositionUpdate.stream
PLACED: Final = PlacedAllocation.stream
OUTPUTS: Final = tuple(output.stream for output in ARENA_OUTPUTS)  # by arena
BACKTEST_JOBS: Final = BacktestJob.stream
BACKTEST_RESULTS: Final = BacktestResult.stream

# market_data waits before it is this many events ahead of the slowest reader, so no unread event is ever trimmed.
MAX_IN_FLIGHT: Final = 5_000
KEEP_EVENTS: Final = 100_000
KEEP_MESSAGES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream.

    Attributes:
        payload: the type of its messages.
        writer: the role that writes it, the only one.
        readers: roles that read it; no entry is trimmed before all of them have committed it. Of `ARENAS`, those that
            the run has (`readers_in`).
        keep: entries that stay in Redis behind the slowest reader.
        transient: whether old messages are also deleted from the database, because they are large or frequent.
    """

    payload: type[Versioned]
    writer: str
    readers: tuple[str, ...] = ()
    keep: int = KEEP_MESSAGES
    transient: bool = False

    @property
    def name(self) -> str:
        """Return the Redis key."""
        return self.payload.stream

    @property
    def is_event(self) -> bool:
        """Return whether the stream is one of `EVENT_STREAMS`."""
        return issubclass(self.payload, EventPayload)


EVENT_READERS: Final = ("executor", "position", "strategy_factory")  # besides the arenas of a run
# Messages that belong to one event are applied in the order of this table.
STREAMS: Final = {
    stream.name: stream
    for stream in (
        *(
            Stream(payload, "market_data", (*EVENT_READERS, *ARENAS), KEEP_EVENTS)
            for payload in PAYLOAD_OF_KIND.values()
        ),
        Stream(FillMessage, "executor", ("position",)),
        # Each message has one result per strategy in the arena: megabytes for thousands of strategies.
        Stream(SimulationResults, "executor", ("position", "portfolio"), keep=10, transient=True),
        Stream(ExecutorProgress, "executor", ("position",), keep=200, transient=True),
        Stream(BacktestJob, "strategy_factory"),
        Stream(BacktestResult, "strategy_factory", ("portfolio",)),
        Stream(StrategySpec, "strategy_factory", ("portfolio",)),
        Stream(CommandMessage, "market_data", ("executor", "portfolio")),
        Stream(AppliedCommand, "executor", ("position",)),
        Stream(RiskEvent, "position", ("portfolio",)),
        Stream(ExitOrder, "position"),
        # The executor publishes a venue's reports and applies them like any other control.
        Stream(ExecutionReport, "executor", ("executor",)),
        Stream(AllocationMessage, "portfolio", ("executor",)),
        # Only in runs whose arenas have processes of their own.
        Stream(PlacedAllocation, "market_data", ("executor", *ARENAS)),
        *(
            Stream(output, arena, ("executor",), keep=10, transient=True)
            for output, arena in zip(ARENA_OUTPUTS, ARENAS, strict=True)
        ),
        # As large as the results, but once a generation.
        Stream(ArenaStandings, "portfolio", ("strategy_factory",), keep=10, transient=True),
        Stream(PositionUpdate, "position", ("portfolio",)),
    )
}
# The streams that the executor applies besides events.
CONTROLS: Final = (COMMANDS, EXECUTION_REPORTS, ALLOCATIONS)
# The streams that a finished run has consumed completely. Other inputs of the portfolio may follow its last decision.
CONSUMED_TO_THE_END: Final = {
    "executor": CONTROLS,
    "position": (FILLS, SIMULATION_RESULTS, APPLIED_COMMANDS),
    "portfolio": (POSITION_UPDATES,),
}
READERS: Final = {name: stream.readers for name, stream in STREAMS.items() if stream.readers and not stream.is_event}
TRANSIENT: Final = tuple(name for name, stream in STREAMS.items() if stream.transient)


def reads_of(role: str, arenas: int = 0) -> tuple[str, ...]:
    """Return the streams that a role reads, in the order in which it applies them.

    Args:
        role: the role; `EVENTS` stands for the events.
        arenas: how many arenas of the run have processes of their own.
    """
    others = tuple(
        name for name, stream in streams_in(arenas).items() if role in stream.readers and not stream.is_event
    )
    return (EVENTS, *others) if role in (*EVENT_READERS, *ARENAS) else others


def streams_in(arenas: int) -> dict[str, Stream]:
    """Return the streams of a run, of which so many arenas have processes of their own."""
    absent = OUTPUTS[arenas:] if arenas else (PLACED, *OUTPUTS)
    return {name: stream for name, stream in STREAMS.items() if name not in absent}


def readers_in(arenas: int) -> dict[str, tuple[str, ...]]:
    """Return the readers of each stream but those of events, in a run as for `streams_in`."""
    return {
        name: tuple(reader for reader in READERS[name] if reader not in ARENAS[arenas:])
        for name in streams_in(arenas)
        if name in READERS
    }


def writes_of(role: str) -> tuple[str, ...]:
    """Return the streams that a role writes, except the streams of events."""
    return tuple(name for name, stream in STREAMS.items() if stream.writer == role and not stream.is_event)


@cache
def decoder_of(stream: str) -> Decoder:
    """Return the decoder of a stream's payloads."""
    return Decoder(STREAMS[stream].payload)


__all__ = [
    "ACTORS", "ALLOCATIONS", "APPLIED_COMMANDS", "ARENAS", "ARENA_STANDINGS", "BACKTEST_JOBS", "BACKTEST_RESULTS",
    "COMMANDS", "CONSUMED_TO_THE_END", "CONTROLS", "EVENTS", "EVENT_READERS", "EVENT_STREAMS", "EXECUTION_REPORTS",
    "EXIT_ORDERS", "FILLS", "KEEP_EVENTS", "KEEP_MESSAGES", "MAX_IN_FLIGHT", "OUTPUTS", "PLACED",
    "POSITION_UPDATES", "PROGRESS", "READERS", "RISK_EVENTS", "SIMULATION_RESULTS", "STRATEGY_SPECS", "STREAMS",
    "TRANSIENT", "Stream", "decoder_of", "readers_in", "reads_of", "streams_in", "writes_of",
]  # fmt: skip
