"""What is measured of the submission of one order, for the landing model; no decision depends on it.

Times are those of this machine's clock, in ns since 1970. A crash loses what was measured since the last commit of the
submission: numbers of sends are then too low.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from memesnipe.execution.submission_events import Built, Observation, Report, SendFinished, Signed, StatusSeen
from memesnipe.protocol.order_status import OrderStatus

OUTCOMES: Final = frozenset({OrderStatus.LANDED, OrderStatus.FAILED, OrderStatus.EXPIRED, OrderStatus.CANCELLED})
_MAX_ERROR: Final = 200  # characters


@dataclass(slots=True)
class LaneRecord:
    """How a lane has replied to the sends of an order."""

    accepted: int = 0
    failed: int = 0
    accepted_ns: int = 0  # the first time; 0: never
    error: str = ""  # the last one


@dataclass(slots=True)
class LandingRecord:
    """The measured course of one order; 0 and "" are what is not known (yet)."""

    accepted_ns: int = 0  # the client has the order
    built_ns: int = 0
    built_slot: int = 0  # for which the node gave the blockhash
    priority_fee_lamports: int = 0
    tip_lamports: int = 0
    priority_fee_basis: str = ""  # what the priority fee follows: `memesnipe.execution.submission_events.BidBasis`
    price_estimate: int = 0  # micro-lamports a compute unit
    tip_basis: str = ""
    tip_estimate_lamports: int = 0
    signed_ns: int = 0
    sent_ns: int = 0  # the first send began
    sends: int = 0  # through all lanes at once
    lanes: dict[str, LaneRecord] = field(default_factory=dict)
    absent_ns: int = 0  # the last time that the chain did not know the signature
    seen_ns: int = 0  # the first time that it did
    landed_slot: int = 0  # with success or with an error
    landed_unix_s: int = 0  # the chain's time of that block
    is_slipped: bool = False  # it failed on the chain because the price was beyond the tolerance
    outcome: str = ""  # landed | slipped | failed | expired | unsent | cancelled
    outcome_ns: int = 0
    failure: str = ""

    @property
    def accepted_by(self) -> str:
        """The names of the lanes that accepted it, joined by `+`; "none" where none did."""
        return "+".join(sorted(name for name, lane in self.lanes.items() if lane.accepted)) or "none"

    @property
    def landed_ns(self) -> int:
        """When the transaction was in a block: the middle between the last time that the chain did not know it (or the
        first send), and the first time that it did; 0 where that is unknown.
        """
        return (max(self.absent_ns, self.sent_ns) + self.seen_ns) // 2 if self.seen_ns else 0

    def on_send(self, now_ns: int) -> None:
        """Count a send that begins."""
        self.sends += 1
        self.sent_ns = self.sent_ns or now_ns

    def on_bid(self, priority_fee_lamports: int, tip_lamports: int) -> None:
        """Note what the message offers to be included."""
        self.priority_fee_lamports, self.tip_lamports = priority_fee_lamports, tip_lamports

    def on_observation(self, observation: Observation, now_ns: int) -> None:
        """Note the time of an observation."""
        match observation:
            case Built(_, _, slot, bid) if not self.built_ns:
                self.built_ns, self.built_slot = now_ns, slot
                self.priority_fee_basis, self.price_estimate = bid.priority_fee, bid.price_estimate
                self.tip_basis, self.tip_estimate_lamports = bid.tip, bid.tip_estimate_lamports
            case Signed() if not self.signed_ns:
                self.signed_ns = now_ns
            case SendFinished(accepted, errors):
                self._on_replies(accepted, errors, now_ns)
            case StatusSeen(None) if not self.outcome:  # after a fork the first time does not count any more
                self.absent_ns, self.seen_ns = now_ns, 0
            case StatusSeen() if not self.seen_ns:
                self.seen_ns = now_ns

    def on_executed(self, slot: int, unix_s: int, *, is_slipped: bool) -> None:
        """Note the block of the transaction, and whether it failed because the price was beyond the tolerance."""
        self.landed_slot, self.landed_unix_s = slot, unix_s
        self.is_slipped = is_slipped

    def on_report(self, report: Report, now_ns: int) -> None:
        """Note the outcome that a report has, if it has one."""
        match report.status:
            case OrderStatus.LANDED | OrderStatus.EXPIRED | OrderStatus.CANCELLED:
                self.outcome = str(report.status)
            case OrderStatus.FAILED if report.fill is None:
                self.outcome = "unsent"
            case OrderStatus.FAILED:
                self.outcome = "slipped" if self.is_slipped else "failed"
            case _:
                return
        self.outcome_ns, self.failure = now_ns, report.detail

    def _on_replies(self, accepted: Sequence[str], errors: Sequence[str], now_ns: int) -> None:
        for name in accepted:
            lane = self.lanes.setdefault(name, LaneRecord())
            lane.accepted += 1
            lane.accepted_ns = lane.accepted_ns or now_ns
        for text in errors:
            name, _, error = text.partition(": ")
            lane = self.lanes.setdefault(name, LaneRecord())
            lane.failed += 1
            lane.error = error[:_MAX_ERROR]
