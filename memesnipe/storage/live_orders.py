"""The orders of a live account as they were measured: what the landing model is fitted to."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy import Connection

from memesnipe.engine.orders import Fill
from memesnipe.execution.landing_record import LandingRecord
from memesnipe.protocol.account import Account
from memesnipe.stats.proportion import wilson_interval
from memesnipe.storage.schema import TradeRow
from memesnipe.storage.schema_submissions import SubmissionRow
from memesnipe.storage.submissions import record_of
from memesnipe.trading.parity import MISSED_BPS, slippage_bps

SENT: Final = ("landed", "slipped", "failed", "expired")  # outcomes of orders that were sent
LANDED: Final = ("landed", "slipped")  # a price beyond the tolerance is no matter of landing


@dataclass(frozen=True, slots=True)
class LiveOrder:
    """One order."""

    order_id: str
    spec_id: str
    decided_ts: int  # ns since 1970, of the event
    network_fee_lamports: int  # base fee, priority fee, tip and rent; 0 where nothing reached the chain
    record: LandingRecord
    slippage_bps: float | None = None  # from the quote at its decision to its fill

    @property
    def bid_lamports(self) -> int:
        """Priority fee and tip."""
        return self.record.priority_fee_lamports + self.record.tip_lamports

    @property
    def was_sent(self) -> bool:
        """Whether it was sent, and its outcome is known."""
        return self.record.outcome in SENT

    @property
    def landed(self) -> bool:
        """Whether it landed, in the sense of the fill model."""
        return self.record.outcome in LANDED


def newest_run_with_orders(connection: Connection) -> int | None:
    """Return the newest run that has live orders; None where there is none."""
    return connection.scalar(sa.select(sa.func.max(SubmissionRow.run_id)))


def read_live_orders(connection: Connection, run_id: int) -> list[LiveOrder]:
    """Return the orders of a run, in the order in which the client accepted them."""
    table = SubmissionRow.__table__
    query = sa.select(table).where(SubmissionRow.run_id == run_id)
    rows = connection.execute(query.order_by(SubmissionRow.accepted_ns, SubmissionRow.order_id)).mappings()
    return [_live_order({str(name): value for name, value in row.items()}) for row in rows]


def _live_order(row: dict[str, Any]) -> LiveOrder:
    order, fill = row["intent"], None if row["fill"] is None else msgspec.convert(row["fill"], Fill)
    return LiveOrder(
        row["order_id"],
        order["spec_id"],
        order["decided_ts"],
        0 if fill is None else fill.network_fee_lamports,
        record_of(row),
        None if fill is None else slippage_bps(fill),
    )


def read_live_parity(connection: Connection, run_id: int) -> list[float]:
    """Return how much worse each live fill was than the simulated one, in bps; `MISSED_BPS` where one failed."""
    query = sa.select(TradeRow.parity_bps).where(TradeRow.run_id == run_id, TradeRow.account == Account.LIVE)
    return [bps for bps in connection.scalars(query.where(TradeRow.parity_bps.is_not(None))) if bps is not None]


def live_summary(connection: Connection, run_id: int, spec_id: str) -> dict[str, Any]:
    """Return how the live orders of a strategy landed, and how their prices compare with the simulated ones.

    Returns:
        `sent`, `landed`, `rate` with `low` and `high` (Wilson's 95 % interval; null and 0 to 1 without orders);
        `compared` fills with two prices, their mean `parity_bps` (positive: live is worse; null without any), and how
        often only the simulated or only the live fill landed (`missed`, `gained`).
    """
    outcome, price = SubmissionRow.outcome, TradeRow.parity_bps
    counts = sa.select(sa.func.count().filter(outcome.in_(SENT)), sa.func.count().filter(outcome.in_(LANDED))).where(
        SubmissionRow.run_id == run_id, SubmissionRow.intent["spec_id"].as_string() == spec_id
    )
    sent, landed = connection.execute(counts).one()
    has_prices = sa.func.abs(price) != MISSED_BPS
    parity = sa.select(
        sa.func.count().filter(has_prices),
        sa.func.avg(price).filter(has_prices),
        sa.func.count().filter(price == MISSED_BPS),
        sa.func.count().filter(price == -MISSED_BPS),
    ).where(TradeRow.run_id == run_id, TradeRow.account == Account.LIVE, TradeRow.spec_id == spec_id)
    compared, parity_bps, missed, gained = connection.execute(parity).one()
    low, high = wilson_interval(landed, sent)
    return {
        "sent": sent,
        "landed": landed,
        "rate": landed / sent if sent else None,
        "low": low,
        "high": high,
        "compared": compared,
        "parity_bps": parity_bps,
        "missed": missed,
        "gained": gained,
    }
