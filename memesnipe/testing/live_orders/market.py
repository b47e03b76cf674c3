"""A running local chain with a coin of pump.fun, and a wallet that trades it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from solders.pubkey import Pubkey

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.faults import FaultPlan, FaultRates, FaultyMempool
from memesnipe.localnet.foreseen import ForeseenAccounts
from memesnipe.localnet.jito import JitoServer
from memesnipe.localnet.jupiter import JupiterServer
from memesnipe.localnet.market import ChainMarket, keypair_of
from memesnipe.localnet.node import Node
from memesnipe.localnet.programs.pool_state import pool_state
from memesnipe.localnet.sender import SenderServer
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.market.pools import Pool, quote_buy, quote_sell
from memesnipe.solana.curve_quotes import pool_of
from memesnipe.solana.instructions.pumpswap import canonical_pool

_FIRST_BUYER: Final = keypair_of("first buyer")
FUNDED_LAMPORTS: Final = 10 * LAMPORTS_PER_SOL


class LiveMarket:
    """A node, its coin, and the wallet.

    Args:
        node: is entered.
        market: with one coin.
        wallet: that trades.
    """

    def __init__(self, node: Node, market: ChainMarket, wallet: Pubkey) -> None:
        self.node, self.wallet, self.mint = node, wallet, market.coins[0]
        self._market = market

    def expected(self, lamports: int = 0, token_raw: int = 0) -> int:
        """Return the raw tokens that lamports buy now, or the lamports after fees that tokens bring."""

        def quoted() -> int:
            pool = _priced(self._market, self.mint)
            if lamports:
                return quote_buy(pool, lamports).token_raw
            sale = quote_sell(pool, token_raw)
            return sale.sol_lamports - sale.fee_lamports

        return self.node.call(quoted)

    def held(self) -> int:
        """Return the raw tokens of the wallet."""
        return self.node.call(lambda: self._market.balance(self.wallet, self.mint))

    def lamports(self) -> int:
        """Return the lamports of the wallet."""
        account = self.node.call(lambda: self.node.chain.account(self.wallet))
        return account.lamports if account is not None else 0

    def outcomes(self) -> dict[str, Any]:
        """Return the error (None: success) of each transaction of the wallet that is in a block, by signature."""
        history = self.node.chain.history
        return self.node.call(
            lambda: {str(one.signature): one.execution.err for one in history.of_address(self.wallet)}
        )

    def slots(self) -> dict[str, int]:
        """Return the slot of each transaction of the wallet that is in a block, by signature."""
        history = self.node.chain.history
        return self.node.call(lambda: {str(one.signature): one.slot for one in history.of_address(self.wallet)})


def _priced(market: ChainMarket, mint: Pubkey) -> Pool:
    """Return the curve or the pool of a coin, wherever it is."""
    if market.pool(mint) is not None:
        return pool_state(canonical_pool(mint), ForeseenAccounts(market.chain)).pool
    curve = market.curve(mint)
    assert curve is not None  # noqa: S101 - it was created
    return pool_of(curve)


@contextmanager
def live_market(
    wallet: Pubkey, rates: FaultRates, seed: int, slot_ms: int = 20, *, is_cashback_pool: bool = False
) -> Iterator[LiveMarket]:
    """Yield a running chain with faults, whose coin was created before they began.

    Args:
        wallet: that trades.
        rates: of the faults.
        seed: of the faults.
        slot_ms: length of a slot.
        is_cashback_pool: whether the coin is a cashback coin in its pool, and not another one on its curve.
    """
    plan = FaultPlan(rates, seed)
    chain = Chain(slot_ms=slot_ms, confirmed_after=3, finalized_after=8, mempool=FaultyMempool(plan))
    market = ChainMarket(chain)
    mint = market.create_coin("coin", is_cashback=is_cashback_pool)
    chain.tick()
    if is_cashback_pool:
        chain.fund(_FIRST_BUYER.pubkey(), 1_000 * LAMPORTS_PER_SOL)
        market.buy_rest(_FIRST_BUYER, mint)
        chain.tick()
        market.migrate(mint)
    for _ in range(8):
        chain.tick()
    chain.fund(wallet, FUNDED_LAMPORTS)
    servers = (JupiterServer(market), JitoServer(chain), SenderServer(chain))
    routes = [route for server in servers for route in server.routes()]
    with Node(chain, routes=routes, plan=plan) as node:
        yield LiveMarket(node, market, wallet)
