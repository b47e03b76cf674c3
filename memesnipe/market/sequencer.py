"""The sequencer: gives each event of a run its number, its token's index, and the marks where decisions are due."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from memesnipe.market.codec import from_messages
from memesnipe.market.events import GENERATION, NS_PER_S, REBALANCE, Events
from memesnipe.market.record_rules import JUMP, MALFORMED, Error, error_of, time_error
from memesnipe.market.token_index import TokenIndex

_MAX_TEXT: Final = 2_000

# Where events are told as they happen. The clocks of validators and of this machine differ by little. Much more must
# not be allowed: until that time has come, every true event would be from the past.
MAX_FUTURE_NS: Final = 10 * NS_PER_S
# Every token is dead after a shorter silence than that, so one wrong time would end all of them.
MAX_JUMP_NS: Final = 3_600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that was put aside, and why."""

    reason: str
    raw: Any  # whatever it was
    index: int  # in the batch it came in
    category: str = MALFORMED

    @property
    def text(self) -> str:
        """The event as far as it can be shown."""
        try:
            return repr(self.raw)[:_MAX_TEXT]
        except (ValueError, RecursionError):  # a number of too many digits, or lists in lists in lists
            return f"a {type(self.raw).__name__} that cannot be shown"


@dataclass(slots=True)
class Sequencer:
    """Numbers events in the order they come. Its state is three values, so a restart goes on without a gap.

    Decisions fall due after the first event in a new interval of event time, so they depend on the events
    alone: not on batches, not on the machine's clock.
    """

    rebalance_interval_s: int
    generation_interval_s: int
    last_seq: int = 0
    last_ts: int = 0
    mints: list[str] = field(default_factory=list)
    _tokens: TokenIndex = field(init=False)
    _jumped_to: int | None = None  # where the event led that was last put aside as a jump

    def __post_init__(self) -> None:
        self._tokens = TokenIndex(self.mints)

    def stamp(self, raw: Sequence[Any], *, now_ns: int | None = None) -> tuple[Events, list[Rejected]]:
        """Records of the good events, numbered, and the others with their flaw. Nothing in ``raw`` makes it raise.

        Args:
            raw: events as a feed gives them: message fields without ``seq``, ``token`` and ``flags``.
            now_ns: the time now, where the feed tells of events as they happen; None where it replays them.
        """
        good: list[dict[str, Any]] = []
        rejected: list[Rejected] = []
        for index, message in enumerate(raw):
            error = self._error(message, now_ns)
            if error is not None:
                rejected.append(_rejected(error, message, index))
                continue
            ts = message["ts"]
            token, flags = self._tokens.of(message.get("mint")), self._flags(self.last_ts, ts)
            self.last_seq, self.last_ts, self._jumped_to = self.last_seq + 1, ts, None
            good.append({**message, "seq": self.last_seq, "token": token, "flags": flags})
        return from_messages(good), rejected

    def rejection(self, message: Any, index: int) -> Rejected | None:
        """Why an event of a feed that replays would be put aside if it came next; None where it would not."""
        error = self._error(message, None)
        return _rejected(error, message, index) if error is not None else None

    def _error(self, message: Any, now_ns: int | None) -> Error | None:
        """The first rule that an event breaks; None where it keeps all."""
        try:
            error = error_of(message if isinstance(message, dict) else {})  # what is no object has no kind
        except (ValueError, RecursionError):  # it wanted to show a value that cannot be
            error = Error(MALFORMED, "a field is too large or too deep to be shown")
        if error is not None:
            return error
        ts = message["ts"]
        # Without a clock it is a tape, which may be of any time since 2020 and have any gap.
        late = time_error(ts, self.last_ts, now_ns, MAX_FUTURE_NS)
        if late is not None or now_ns is None:
            return late
        if self.last_ts and ts - self.last_ts > MAX_JUMP_NS and not self._confirms_a_jump(ts):
            self._jumped_to = ts
            return Error(JUMP, f"ts {ts} is {(ts - self.last_ts) / NS_PER_S:.0f} s after the previous event's")
        return None

    def _confirms_a_jump(self, ts: int) -> bool:
        """Whether the event put aside before led to about the same time: then we were away, and the market went on.

        Without that way back the first hour without events would be the end of the run.
        """
        return self._jumped_to is not None and abs(ts - self._jumped_to) <= MAX_JUMP_NS

    def decides(self, raw: Sequence[Any]) -> bool:
        """Whether a decision falls due with the last of these events of the feed, which come next.

        It errs on the side of yes where events among them will be put aside.
        """
        times = [ts for ts in map(time_of, raw) if ts > 0]
        previous = self.last_ts or min(times, default=0)  # a run begins with no time but that of its events
        last = time_of(raw[-1])
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
        # A new generation is a decision too: the portfolio answers both at once.
        return flags | REBALANCE if flags else 0


def time_of(message: Any) -> int:
    """When an event says that it happened; 0 where it does not say."""
    ts = message.get("ts") if isinstance(message, dict) else None
    return ts if isinstance(ts, int) and not isinstance(ts, bool) else 0


def _rejected(error: Error, message: Any, index: int) -> Rejected:
    return Rejected(error.message[:_MAX_TEXT], message, index, error.category)
