"""What is held, and how the sales of it go: the progress of a `flatten`."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy import Connection, and_, cast, select
from sqlalchemy.dialects.postgresql import JSONB

from memesnipe.protocol.account import Account
from memesnipe.protocol.chain_errors import in_words
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.protocol.order_status import OPEN, OrderStatus
from memesnipe.storage.schema import MessageRow, OrderRow, PositionRow, TradeRow

_EXITS: Final = ("sell", "cover")
PositionKey: TypeAlias = tuple[str, str, int]  # account, strategy, token


@dataclass(frozen=True, slots=True)
class Held:
    """An open position."""

    mint: str
    value_lamports: int


@dataclass(frozen=True, slots=True)
class Sale:
    """The last order that sells a position; the SOL and the failure are those of its outcome, if there is one."""

    order_id: str
    status: str
    sol_lamports: int
    failure: str

    @property
    def is_open(self) -> bool:
        """Whether its outcome is not known yet."""
        return self.status in OPEN

    @property
    def has_traded(self) -> bool:
        """Whether its outcome is known and a trade."""
        return self.status in (OrderStatus.LANDED, OrderStatus.RECONCILED) and not self.failure


def read_held(connection: Connection, run_id: int, account: str) -> dict[PositionKey, Held]:
    """Return the open positions of an account, of all accounts where it is empty."""
    query = select(PositionRow).where(PositionRow.run_id == run_id, PositionRow.cost_lamports > 0)
    if account:
        query = query.where(PositionRow.account == account)
    rows = connection.execute(query.order_by(PositionRow.account, PositionRow.spec_id, PositionRow.token))
    return {(row.account, row.spec_id, row.token): Held(row.mint, row.value_lamports) for row in rows}


def read_sales(connection: Connection, run_id: int, since_seq: int) -> dict[PositionKey, Sale]:
    """Return the last sale of each position that was decided at or after an event."""
    same = and_(TradeRow.run_id == OrderRow.run_id, TradeRow.order_id == OrderRow.order_id)
    query = (
        select(OrderRow.__table__, TradeRow.sol_lamports, TradeRow.failure)
        .outerjoin(TradeRow, same)
        .where(OrderRow.run_id == run_id, OrderRow.side.in_(_EXITS), OrderRow.decided_seq >= since_seq)
        .order_by(OrderRow.decided_seq, OrderRow.decided_ts)
    )
    return {
        (row.account, row.spec_id, row.token): Sale(
            row.order_id, row.status, row.sol_lamports or 0, in_words(row.failure or "")
        )
        for row in connection.execute(query)
    }


def read_detail(connection: Connection, run_id: int, key: PositionKey, order_id: str) -> str:
    """Return in plain words what the venue has said last about an order of the live account; "" for nothing."""
    account, spec_id, _ = key
    if account != Account.LIVE:
        return ""
    order_no = order_id.removeprefix(f"{account}-{spec_id}-")
    payload = cast(MessageRow.payload, JSONB)
    query = select(payload["detail"].astext).where(
        MessageRow.run_id == run_id,
        MessageRow.stream == ExecutionReport.stream,
        payload["spec_id"].astext == spec_id,
        payload["order_no"].astext == order_no,
        payload["detail"].astext != "",
    )
    return in_words(connection.scalar(query.order_by(MessageRow.number.desc()).limit(1)) or "")
