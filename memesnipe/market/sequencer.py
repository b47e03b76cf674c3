"""The sequencer: gives each event of a run its number, its token's index, and the marks where decisions are due."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from memesnipe.market.codec import flaw, from_messages
from memesnipe.market.events import GENERATION, NO_TOKEN, NS_PER_S, REBALANCE, Events

# Kinds that say something about one token alone. Talk and bridges may concern the whole market. The token need not have
# been traded yet: it is spoken of, and its pool is filled, before its first trade.
_OF_A_TOKEN: Final = ("price", "depth", "funding", "onchain")
_LONGEST_MINT: Final = 64  # an address has 32 to 44 characters
_LONGEST_TEXT: Final = 2_000
LAST_TS: Final = 2**62  # the year 2116: latencies and holds are added to times, and the sum must fit 64 bits

# Where events are told as they happen. The clocks of validators and of this machine differ by little. Much more must
# not be allowed: until that time has come, every true event would be from the past.
MAX_FUTURE_NS: Final = 10 * NS_PER_S
# Every token is dead after a shorter silence than that, so one wrong time would end all of them.
MAX_JUMP_NS: Final = 3_600 * NS_PER_S

MALFORMED, PAST, FUTURE, JUMP = "malformed", "past", "future", "jump"


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that was put aside, and why."""

    reason: str
    raw: Any  # whatever it was
    index: int  # in the batch it came in
    sort: str = MALFORMED  # what its reason is a case of; there are few of them

    @property
    def text(self) -> str:
        """The event as far as it can be shown."""
        try:
            return repr(self.raw)[:_LONGEST_TEXT]
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
    _index: dict[str, int] = field(default_factory=dict)
    _jumped_to: int | None = None  # where the event led that was last put aside as a jump

    def __post_init__(self) -> None:
        self._index = {mint: i for i, mint in enumerate(self.mints)}

    def stamp(self, raw: Sequence[Any], *, now_ns: int | None = None) -> tuple[Events, list[Rejected]]:
        """Records of the good events, numbered, and the others with their flaw. Nothing in ``raw`` makes it raise.

        Args:
            raw: events as a feed gives them: message fields without ``seq``, ``token`` and ``flags``.
            now_ns: the time now, where the feed tells of events as they happen; None where it replays them.
        """
        good: list[dict[str, Any]] = []
        rejected: list[Rejected] = []
        for index, message in enumerate(raw):
            stamped = self._numbered(message)
            flawed = self._flaw(stamped, now_ns)
            if flawed is not None:
                sort, reason = flawed
                rejected.append(Rejected(reason[:_LONGEST_TEXT], message, index, sort))
                continue
            stamped["token"] = self._token(stamped.get("mint"))
            stamped["flags"] = self._flags(self.last_ts, stamped["ts"])
            self.last_seq, self.last_ts, self._jumped_to = stamped["seq"], stamped["ts"], None
            good.append(stamped)
        return from_messages(good), rejected

    def rejection(self, message: Any, index: int) -> Rejected | None:
        """Why an event of a feed that replays would be put aside if it came next; None where it would not."""
        flawed = self._flaw(self._numbered(message), None)
        return Rejected(flawed[1][:_LONGEST_TEXT], message, index, flawed[0]) if flawed is not None else None

    def _numbered(self, message: Any) -> dict[str, Any]:
        told = message if isinstance(message, dict) else {}  # what is no object has no kind
        return {**told, "seq": self.last_seq + 1, "flags": 0, "token": NO_TOKEN}

    def _flaw(self, stamped: dict[str, Any], now_ns: int | None) -> tuple[str, str] | None:
        """What sort of flaw an event has, and in words; None where it has none."""
        reason = _malformed(stamped)
        if reason is not None:
            return MALFORMED, reason
        ts = stamped["ts"]
        if ts < self.last_ts:
            return PAST, f"ts {ts} is before the previous event's {self.last_ts}"
        if now_ns is None:
            return None  # a tape may be of any time and have any gap
        if ts > now_ns + MAX_FUTURE_NS:
            return FUTURE, f"ts {ts} is {(ts - now_ns) / NS_PER_S:.0f} s from now"
        if self.last_ts and ts - self.last_ts > MAX_JUMP_NS and not self._confirms_a_jump(ts):
            self._jumped_to = ts
            return JUMP, f"ts {ts} is {(ts - self.last_ts) / NS_PER_S:.0f} s after the previous event's"
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

    def _token(self, mint: str | None) -> int:
        if not mint:
            return NO_TOKEN
        if mint not in self._index:
            self._index[mint] = len(self.mints)
            self.mints.append(mint)
        return self._index[mint]

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


def _malformed(stamped: dict[str, Any]) -> str | None:
    """Why an event cannot be one of the market, wherever it comes; None when it can."""
    try:
        reason = flaw(stamped)
    except (ValueError, RecursionError):  # it wanted to show a value that cannot be
        return "a field is too large or too deep to be shown"
    if reason is not None:
        return reason
    if stamped["ts"] > LAST_TS:
        return f"ts is {stamped['ts']}"
    mint = stamped.get("mint")
    if not mint:
        return f"kind is {stamped['kind']!r} and mint is {mint!r}" if stamped["kind"] in _OF_A_TOKEN else None
    # What PostgreSQL or JSON cannot hold would stop everything at this event, and at every restart again.
    readable = len(mint) <= _LONGEST_MINT and mint.isascii() and mint.isprintable()
    return None if readable else f"mint is {mint[:_LONGEST_MINT]!r}"
