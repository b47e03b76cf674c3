"""Orders and fills as plain values: what the desk, the ledger, the protocol and the database exchange."""

from dataclasses import dataclass
from typing import Final

from memesnipe.market.events import BUY_SIDE, SHORT_SIDE

ENTRIES: Final = (BUY_SIDE, SHORT_SIDE)


@dataclass(frozen=True, slots=True)
class Order:
    """A decision on its way to the chain, or to the perp venue."""

    spec_id: str
    order_no: int  # counts the orders of a strategy from 1
    token: int
    side: int
    reason: str
    decided_ts: int
    decided_seq: int
    due_ts: int
    size: float  # of an entry: the share of the strategy's capital
    budget_lamports: int  # of an entry, pool fees included
    token_raw: int  # of a sell
    expected: int  # what was quoted at the decision: tokens of a buy, lamports after fees of an exit
    decided_between_events: bool = False  # decided between two events, after that of `decided_seq` rather than at it


@dataclass(frozen=True, slots=True)
class Fill:
    """What became of an order. Amounts are 0 where it failed; `failure` is empty where it did not."""

    order: Order
    ts: int
    seq: int  # the last event before it
    token_raw: int
    sol_lamports: int
    pool_fee_lamports: int
    network_fee_lamports: int
    pool_sol_lamports: int  # what went into the pool or came out of it
    failure: str

    @property
    def cash_change_lamports(self) -> int:
        """What it did to the trader's cash."""
        paid = self.pool_fee_lamports + self.network_fee_lamports
        return (-self.sol_lamports if self.order.side in ENTRIES else self.sol_lamports) - paid
