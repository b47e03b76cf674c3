"""Orders and fills as plain values, exchanged by the desk, the ledger, the protocol and the database."""

from dataclasses import dataclass
from typing import Final

from memesnipe.market.events import BUY_SIDE, SHORT_SIDE

ENTRIES: Final = (BUY_SIDE, SHORT_SIDE)


def cash_change_lamports(side: int, sol_lamports: int, fees_lamports: int) -> int:
    """Return the change of a trader's cash by an order's outcome; a failed order has traded no SOL."""
    return (-sol_lamports if side in ENTRIES else sol_lamports) - fees_lamports


@dataclass(frozen=True, slots=True)
class Order:
    """A decision in flight to the chain or to the perp venue."""

    spec_id: str
    order_no: int  # counts the orders of a strategy from 1
    token: int
    side: int
    reason: str
    decided_ts: int
    decided_seq: int
    due_ts: int
    size: float  # entries: share of the strategy's capital
    budget_lamports: int  # entries: budget, pool fees included
    token_raw: int  # sells: tokens to sell
    expected: int  # quote at the decision: raw tokens of a buy, lamports after fees of an exit, mark of a short
    decided_between_events: bool = False  # decided between two events, after that of `decided_seq` rather than at it


@dataclass(frozen=True, slots=True)
class Fill:
    """The outcome of an order. Amounts are 0 if it failed; `failure` is empty if it did not."""

    order: Order
    ts: int
    seq: int  # the last event before it
    token_raw: int
    sol_lamports: int
    pool_fee_lamports: int
    network_fee_lamports: int
    pool_sol_lamports: int  # paid into the pool or out of it
    failure: str

    @property
    def cash_change_lamports(self) -> int:
        """The change of the trader's cash."""
        fees_lamports = self.pool_fee_lamports + self.network_fee_lamports
        return cash_change_lamports(self.order.side, self.sol_lamports, fees_lamports)
