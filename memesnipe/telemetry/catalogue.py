"""Every metric of the actors: its name, type, labels, meaning, and the actors that export it."""

from dataclasses import dataclass
from typing import Final, Literal

from memesnipe.protocol.heartbeat import ARENAS

PREFIX: Final = "memesnipe_"
ALL: Final = ("market_data", "executor", "position", "portfolio", "strategy_factory")
READERS: Final = ALL[1:]
CAUSES: Final = ("database", "redis", "lease", "other")  # of a recovery

Kind = Literal["counter", "gauge", "histogram"]
# From half a millisecond, a small batch, to the 30 s after which PostgreSQL ends a stalled transaction.
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Its first label is always `actor`."""

    name: str  # without `PREFIX`, and of a counter without `_total`
    kind: Kind
    actors: tuple[str, ...]
    meaning: str
    labels: tuple[str, ...] = ()  # besides `actor`

    @property
    def family(self) -> str:
        """Return the name in Prometheus, for a histogram that of its family."""
        return PREFIX + self.name + ("_total" if self.kind == "counter" else "")

    @property
    def series(self) -> tuple[str, ...]:
        """Return the names that a query can use."""
        if self.kind != "histogram":
            return (self.family,)
        return tuple(self.family + suffix for suffix in ("_bucket", "_count", "_sum"))

    @property
    def buckets(self) -> tuple[float, ...]:
        """Return the upper bounds of a histogram's buckets, in seconds."""
        return _SECONDS


METRICS: Final = (
    Metric("entries", "counter", ALL, "Entries consumed; of market_data, events published (`feed`)", ("stream",)),
    Metric("seq", "gauge", ALL, "Sequence number of the last event consumed, of market_data published"),
    Metric(
        "failures", "counter", ALL,
        "Times the actor had to recover, by what failed: `database`, `redis`, `lease` or `other`", ("cause",),
    ),
    Metric("database_seconds", "histogram", ALL, "Duration of a statement in PostgreSQL"),
    Metric("memory_bytes", "gauge", ALL, "Resident memory of the actor's process"),
    Metric("start_time_seconds", "gauge", ALL, "Start of the actor's process, in seconds since 1970"),
    Metric("machine_memory_ratio", "gauge", ALL, "Share of the container's memory limit in use, or of the machine's"),
    Metric("disk_used_ratio", "gauge", ALL, "Used share of the disk with the folder of the installation"),
    Metric("commit_seconds", "histogram", READERS, "Time from entries read to effects committed and published"),
    Metric("publish_seconds", "histogram", ("market_data",), "Time from events taken to events published"),
    Metric("stream_length", "gauge", ("market_data",), "Entries of a stream in Redis", ("stream",)),
    Metric(
        "consumer_lag", "gauge", ("market_data",),
        "Entries of a stream that a reader has not consumed; `events` are all events together", ("stream", "reader"),
    ),
    Metric("events_put_aside", "counter", ("market_data",), "Feed events that were rejected", ("category",)),
    Metric("feed_silence_seconds", "gauge", ("market_data",), "Time without an event of a live feed", ("feed",)),
    Metric(
        "feed_untrusted", "gauge", ("market_data",),
        "1 while the protocol of a live feed is not what is known of it, and nothing is bought", ("feed",),
    ),
    Metric(
        "feed_connections", "gauge", ("market_data",),
        "Connections of a live feed since it was opened; each after the first is a gap in its events", ("feed",),
    ),
    Metric("feed_failures", "gauge", ("market_data",), "Failed connections since the feed was opened", ("feed",)),
    Metric("feed_queued", "gauge", ("market_data",), "Events received from a live feed and not taken yet", ("feed",)),
    Metric("feed_full", "gauge", ("market_data",), "Pauses with a full queue since the feed was opened", ("feed",)),
    Metric(
        "feed_rejected", "gauge", ("market_data",),
        "Payloads of a live feed without a usable message since it was opened", ("feed",),
    ),
    Metric(
        "feed_late", "gauge", ("market_data",),
        "Events of a live feed that were given the time of an earlier one since it was opened", ("feed",),
    ),
    Metric("orders", "counter", ("executor",), "Orders: decisions that passed the risk gate", ("account", "side")),
    Metric("orders_refused", "counter", ("executor",), "Decisions that the risk gate refused", ("account", "reason")),
    Metric(
        "trades", "counter", ("executor",),
        "Orders that ended on the chain, or on paper as there: `landed`, or the reason of the failure",
        ("account", "side", "outcome"),
    ),
    Metric(
        "live_orders", "counter", ("executor",),
        "Orders at a venue with transactions: `landed`, `slipped` (failed on the chain for its price), `failed` "
        "(another error there), `expired`, `unsent` or `cancelled`", ("outcome",),
    ),
    Metric(
        "live_bids", "counter", ("executor",),
        "Live orders with an outcome, by what each part of their bid (`priority_fee`, `tip`) followed: the `estimate`, "
        "the `settings` where none is asked for, or the settings because it is `missing` or `stale`",
        ("part", "basis"),
    ),
    Metric(
        "landing_seconds", "histogram", ("executor",),
        "Time from the first send of a transaction to its block, by the lanes that accepted it, such as `jito+rpc`",
        ("lanes",),
    ),
    Metric(
        "event_to_order_seconds", "histogram", ("executor",),
        "Time from reading events to the commit of the orders they led to; `memesnipe_publish_seconds` comes before it",
    ),
    Metric(
        "parity_error_bps", "gauge", ("executor",),
        "Mean absolute difference of the latest fills from the simulated ones, in bps, at the last decision",
    ),
    Metric("breaker_level", "gauge", ("position",), "0 normal, 1 warning, 2 critical, 3 emergency", ("account",)),
    Metric("size_multiplier", "gauge", ("position",), "The breaker's factor for a new position", ("account",)),
    Metric("halted", "gauge", ("position",), "1 while trading is halted by a command", ("account",)),
    Metric("drawdown_ratio", "gauge", ("position",), "Loss from the highest equity, as a share of it", ("account",)),
    Metric("equity_usd", "gauge", ("position",), "Cash and positions", ("account",)),
    Metric("cash_usd", "gauge", ("position",), "Cash", ("account",)),
    Metric("open_positions", "gauge", ("position",), "Open positions", ("account",)),
    Metric("strategies", "gauge", ("portfolio",), "Strategies, after the last decision", ("mode",)),
    Metric("strategies_proven", "gauge", ("portfolio",), "Strategies beyond probation", ("mode",)),
    Metric("best_e_value", "gauge", ("portfolio",), "Highest evidence (e-value) of a strategy", ("mode",)),
    Metric("allocated_usd", "gauge", ("portfolio",), "Capital allocated to strategies", ("mode",)),
    Metric("generations", "counter", ("strategy_factory",), "Generations bred"),
    Metric("evaluations", "counter", ("strategy_factory",), "Genomes evaluated"),
    Metric("evaluations_per_second", "gauge", ("strategy_factory",), "Genomes per second in the last generation"),
    Metric("genes", "counter", ("strategy_factory",), "Genes whose votes backtests needed, for each segment"),
    Metric("genes_kept", "counter", ("strategy_factory",), "Those of them whose votes a worker had kept"),
    Metric("specs", "counter", ("strategy_factory",), "Strategies proposed for the arena"),
)  # fmt: skip


def metrics_of(actor: str) -> tuple[Metric, ...]:
    """Return the metrics that an actor exports: those of all readers for an arena, and all for a name that is none."""
    if actor in ARENAS:
        return tuple(metric for metric in METRICS if set(READERS) <= set(metric.actors))
    return tuple(metric for metric in METRICS if actor in metric.actors or actor not in ALL)
