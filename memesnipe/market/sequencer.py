"""The sequencer: gives each event of a run its number, its token's index, and the marks where decisions are due."""

from dataclasses import dataclass, field
from typing import Any

from memesnipe.market.codec import flaw, from_messages
from memesnipe.market.events import GENERATION, NO_TOKEN, NS_PER_S, REBALANCE, Events


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that was put aside, and why."""

    reason: str
    raw: dict[str, Any]
    index: int  # in the batch it came in


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

    def __post_init__(self) -> None:
        self._index = {mint: i for i, mint in enumerate(self.mints)}

    def stamp(self, raw: list[dict[str, Any]], *, is_last: bool = False) -> tuple[Events, list[Rejected]]:
        """Records of the good events, numbered, and the others with their flaw.

        Args:
            raw: events as a feed gives them: message fields without ``seq``, ``token`` and ``flags``.
            is_last: the feed ends here, so a last decision is due whatever the time.
        """
        good: list[dict[str, Any]] = []
        rejected: list[Rejected] = []
        for index, message in enumerate(raw):
            stamped = {**message, "seq": self.last_seq + 1, "flags": 0, "token": NO_TOKEN}
            reason = flaw(stamped)
            if reason is None and stamped["ts"] < self.last_ts:
                reason = f"ts {stamped['ts']} is before the previous event's {self.last_ts}"
            if reason is not None:
                rejected.append(Rejected(reason, message, index))
                continue
            stamped["token"] = self._token(message.get("mint"))
            stamped["flags"] = self._flags(self.last_ts, stamped["ts"])
            self.last_seq, self.last_ts = stamped["seq"], stamped["ts"]
            good.append(stamped)
        if is_last and good:
            good[-1]["flags"] |= REBALANCE
        return from_messages(good), rejected

    def decides(self, raw: list[dict[str, Any]]) -> bool:
        """Whether a decision falls due with the last of these events of the feed, which come next.

        It errs on the side of yes where events among them will be put aside.
        """
        times = (message["ts"] for message in raw if isinstance(message.get("ts"), int))
        previous = self.last_ts or min(times, default=0)  # a run begins with no time but that of its events
        last = raw[-1].get("ts")
        return isinstance(last, int) and self._flags(previous, last) > 0

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
