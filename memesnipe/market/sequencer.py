"""The sequencer: assigns each event of a run its seq, its token's index, and the flags of due decisions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from memesnipe.market.codec import from_messages
from memesnipe.market.events import GENERATION, NS_PER_S, REBALANCE, Events
from memesnipe.market.record_rules import JUMP, MALFORMED, Error, error_of, time_error
from memesnipe.market.token_index import TokenIndex

_MAX_TEXT: Final = 2_000

# Limit for live events. The clocks of validators and of this machine differ by little. One event far in the future
# would make all correct events out of order until that time.
MAX_FUTURE_NS: Final = 10 * NS_PER_S
# Longer than the silence after which a token is dead, so one wrong time would expire every token.
MAX_JUMP_NS: Final = 3_600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Rejected:
    """A rejected event and the reason."""

    reason: str
    raw: Any  # the event as received
    index: int  # in its batch
    category: str = MALFORMED

    @property
    def text(self) -> str:
        """The event as text, as far as possible."""
        try:
            return repr(self.raw)[:_MAX_TEXT]
        except (ValueError, RecursionError):  # an integer of too many digits, or deeply nested lists
            return f"a {type(self.raw).__name__} that cannot be shown"


@dataclass(slots=True)
class Sequencer:
    """Numbers events in order of arrival. Its state is three values, so that a restart continues without a gap.

    Decisions are due after the first event in a new interval of event time, so they depend only on the events, not on
    batches or the machine's clock.
    """

    rebalance_interval_s: int
    generation_interval_s: int
    last_seq: int = 0
    last_ts: int = 0
    mints: list[str] = field(default_factory=list)
    _tokens: TokenIndex = field(init=False)
    _jumped_to: int | None = None  # time of the last event rejected as a jump

    def __post_init__(self) -> None:
        self._tokens = TokenIndex(self.mints)

    def stamp(self, raw: Sequence[Any], *, now_ns: int | None = None) -> tuple[Events, list[Rejected]]:
        """Return the numbered records of the valid events, and the rejected events. No input raises an exception.

        Args:
            raw: events from a feed: message fields without ``seq``, ``token`` and ``flags``.
            now_ns: the clock for a live feed; None for a feed that replays.
        """
        accepted: list[dict[str, Any]] = []
        rejected: list[Rejected] = []
        for index, message in enumerate(raw):
            error = self._error(message, now_ns)
            if error is not None:
                rejected.append(_rejected(error, message, index))
                continue
            ts = message["ts"]
            token, flags = self._tokens.of(message.get("mint")), self._flags(self.last_ts, ts)
            self.last_seq, self.last_ts, self._jumped_to = self.last_seq + 1, ts, None
            accepted.append({**message, "seq": self.last_seq, "token": token, "flags": flags})
        return from_messages(accepted), rejected

    def rejection(self, message: Any, index: int) -> Rejected | None:
        """Return the rejection of an event of a replaying feed if it came next; None if it would be accepted."""
        error = self._error(message, None)
        return _rejected(error, message, index) if error is not None else None

    def _error(self, message: Any, now_ns: int | None) -> Error | None:
        """Return the error of the first rule that an event breaks; None if it is valid."""
        try:
            error = error_of(
                message if isinstance(message, dict) else {}
            )  # anything but an object counts as a record without a kind
        except (ValueError, RecursionError):  # the message of the error includes a value without a repr
            error = Error(MALFORMED, "a field is too large or too deep to be shown")
        if error is not None:
            return error
        ts = message["ts"]
        # Without a clock the source is a tape, which may be of any time since 2020 and have any gap.
        late = time_error(ts, self.last_ts, now_ns, MAX_FUTURE_NS)
        if late is not None or now_ns is None:
            return late
        if self.last_ts and ts - self.last_ts > MAX_JUMP_NS and not self._confirms_a_jump(ts):
            self._jumped_to = ts
            return Error(JUMP, f"ts {ts} is {(ts - self.last_ts) / NS_PER_S:.0f} s after the previous event's")
        return None

    def _confirms_a_jump(self, ts: int) -> bool:
        """Return whether the last event rejected as a jump had about the same time: the gap is then real.

        Without this rule the run could not continue after an hour without events.
        """
        return self._jumped_to is not None and abs(ts - self._jumped_to) <= MAX_JUMP_NS

    def is_decision_due(self, raw: Sequence[Any]) -> bool:
        """Return whether a decision is due after the last of these next events of the feed.

        The answer may be a false True if some of the events will be rejected.
        """
        last = time_of(raw[-1])
        # At the start of a run the events have the only time.
        previous = self.last_ts or min((ts for ts in map(time_of, raw) if ts > 0), default=0)
        return last > 0 and self._flags(previous, last) > 0

    def _flags(self, previous_ts: int, ts: int) -> int:
        flags = 0
        for flag, interval_s in (
            (REBALANCE, self.rebalance_interval_s),
            (GENERATION, self.generation_interval_s),
        ):
            interval = interval_s * NS_PER_S
            if previous_ts and ts // interval > previous_ts // interval:
                flags |= flag
        # A generation implies a rebalance: the portfolio handles both together.
        return flags | REBALANCE if flags else 0


def time_of(message: Any) -> int:
    """Return the time of an event as the feed reported it; 0 if it is missing."""
    ts = message.get("ts") if isinstance(message, dict) else None
    return ts if isinstance(ts, int) and not isinstance(ts, bool) else 0


def _rejected(error: Error, message: Any, index: int) -> Rejected:
    return Rejected(error.message[:_MAX_TEXT], message, index, error.category)
