"""Orders and what becomes of them: the one place that says what a trade costs, whoever makes it.

How a fill is assumed to happen:

- An order reaches the chain `latency_ns` after the decision and meets the pool as the last event before left it,
  shifted by what the trader itself took out of it and gave to it (`Holding`).
- It lands with probability `landing_ratio`, drawn from a hash of (seed, strategy, order number): the same in every
  batching, process and worker. One that does not land pays its base and priority fee, but no tip.
- A fill worse than the quote of the decision by more than `slippage_bps` fails on chain and pays the same.
"""

from dataclasses import dataclass
from hashlib import blake2b

from memesnipe.market.events import BUY_SIDE
from memesnipe.market.pools import BPS, Pool, quote_buy, quote_sell


@dataclass(frozen=True, slots=True)
class FillModel:
    """What it takes to get a transaction onto the chain."""

    seed: int = 0
    latency_ns: int = 1_500_000_000
    landing_ratio: float = 0.9
    slippage_bps: int = 1_000
    base_fee_lamports: int = 5_000
    priority_fee_lamports: int = 100_000
    tip_lamports: int = 10_000

    @property
    def network_fee_lamports(self) -> int:
        """What a landed transaction pays beside the trade."""
        return self.base_fee_lamports + self.priority_fee_lamports + self.tip_lamports

    def lands(self, spec_id: str, order_no: int) -> bool:
        """Whether this order lands."""
        digest = blake2b(f"{self.seed}/{spec_id}/{order_no}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") < self.landing_ratio * 2**64


@dataclass(frozen=True, slots=True)
class Order:
    """A decision on its way to the chain."""

    spec_id: str
    order_no: int  # counts the orders of a strategy from 1
    token: int
    side: int
    reason: str
    decided_ts: int
    decided_seq: int
    due_ts: int
    size: float  # of a buy: the share of the strategy's capital
    budget_lamports: int  # of a buy, pool fees included
    token_raw: int  # of a sell
    expected: int  # what the pool quoted at the decision: tokens of a buy, lamports after fees of a sell


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
    failure: str

    @property
    def cash_change_lamports(self) -> int:
        """What it did to the trader's cash."""
        paid = self.pool_fee_lamports + self.network_fee_lamports
        return (-self.sol_lamports if self.order.side == BUY_SIDE else self.sol_lamports) - paid


@dataclass(slots=True)
class Holding:
    """Tokens held, what they cost, and how far our own trades have moved their pool."""

    token_raw: int = 0
    cost_lamports: int = 0  # everything paid for them
    shift_sol_lamports: int = 0
    shift_token_raw: int = 0
    opened_ts: int = 0
    best_value_lamports: int = 0

    def take(self, fill: Fill) -> int:
        """Take a landed fill over.

        Returns:
            The profit it realised in lamports: 0 for a buy; proceeds less the cost of what was sold for a sell.
        """
        if fill.order.side == BUY_SIDE:
            self.opened_ts = self.opened_ts or fill.ts
            self.token_raw += fill.token_raw
            self.cost_lamports -= fill.cash_change_lamports
            self.shift_sol_lamports += fill.sol_lamports
            self.shift_token_raw -= fill.token_raw
            return 0
        cost = self.cost_lamports * fill.token_raw // self.token_raw
        self.token_raw -= fill.token_raw
        self.cost_lamports -= cost
        self.shift_sol_lamports -= fill.sol_lamports
        self.shift_token_raw += fill.token_raw
        return fill.cash_change_lamports - cost

    def value_lamports(self, pool: Pool) -> int:
        """What the pool, moved by our own trades, would pay for all of it now, after its fees."""
        quote = quote_sell(pool.moved(self.shift_sol_lamports, self.shift_token_raw), self.token_raw)
        return quote.sol_lamports - quote.fee_lamports


def execute(order: Order, pool: Pool, ts: int, seq: int, model: FillModel) -> Fill:
    """Let an order meet a pool (already moved by the trader's own trades)."""
    failed_fee = model.base_fee_lamports + model.priority_fee_lamports

    def failed(why: str) -> Fill:
        return Fill(order, ts, seq, 0, 0, 0, failed_fee, why)

    if not model.lands(order.spec_id, order.order_no):
        return failed("did not land")
    if order.side == BUY_SIDE:
        quote = quote_buy(pool, order.budget_lamports)
        got = quote.token_raw
    else:
        quote = quote_sell(pool, order.token_raw)
        got = quote.sol_lamports - quote.fee_lamports
    if got <= 0:
        return failed("the pool gives nothing")
    if got * BPS < order.expected * (BPS - model.slippage_bps):
        return failed("slippage beyond tolerance")
    return Fill(
        order,
        ts,
        seq,
        quote.token_raw,
        quote.sol_lamports,
        quote.fee_lamports,
        model.network_fee_lamports,
        "",
    )
