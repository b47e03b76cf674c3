"""The wallet of a live run: what it held at the end, and what the run's records say that it holds."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Engine, case, cast, func, select
from sqlalchemy.dialects.postgresql import insert

from memesnipe.market.events import BUY_SIDE, SIDE_NAMES
from memesnipe.protocol.account import Account
from memesnipe.storage.runs import open_orders
from memesnipe.storage.schema import TradeRow
from memesnipe.storage.schema_submissions import WalletRow

_BUY: Final = SIDE_NAMES[BUY_SIDE]


@dataclass(frozen=True, slots=True)
class WalletRecord:
    """Lamports, and raw tokens by mint, of a wallet; and the live orders without a final outcome."""

    lamports: int
    tokens: dict[str, int]
    open_orders: int = 0


def write_wallet(engine: Engine, run_id: int, lamports: int, tokens: dict[str, int]) -> None:
    """Store what the wallet of a run holds, with the number of its open orders."""
    with engine.begin() as connection:
        values: dict[str, Any] = {
            "lamports": lamports,
            "tokens": tokens,
            "open_orders": open_orders(connection, run_id),
        }
        statement = insert(WalletRow).values(run_id=run_id, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["run_id"], set_=values))


def read_wallet(connection: Connection, run_id: int) -> WalletRecord | None:
    """Return what was stored last; None before the first end."""
    row = connection.execute(select(WalletRow).where(WalletRow.run_id == run_id)).first()
    return None if row is None else WalletRecord(row.lamports, dict(row.tokens), row.open_orders)


def traded(connection: Connection, run_id: int) -> WalletRecord:
    """Return the changes of the wallet by all trades of the live account, failed ones and all fees included."""
    trade, sign = TradeRow, case((TradeRow.side == _BUY, 1), else_=-1)
    of_run = (trade.run_id == run_id, trade.account == Account.LIVE)
    fees = trade.pool_fee_lamports + trade.network_fee_lamports
    cash = select(cast(func.coalesce(func.sum(-sign * trade.sol_lamports - fees), 0), BigInteger)).where(*of_run)
    held = cast(func.sum(sign * trade.token_raw), BigInteger)
    tokens = select(trade.mint, held.label("raw")).where(*of_run).group_by(trade.mint)
    return WalletRecord(
        connection.execute(cash).scalar_one(),
        {row.mint: row.raw for row in connection.execute(tokens)},
        open_orders(connection, run_id),
    )
