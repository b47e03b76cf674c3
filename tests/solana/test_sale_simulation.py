"""A round trip is simulated on a local chain: what can be bought and sold passes, and a trap does not."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import pytest
from solders.account import Account
from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from memesnipe.execution.token_verdict import SafetyVerdict
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.jupiter import JupiterServer
from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.node import Node
from memesnipe.localnet.programs import Expansion, MarketAccounts, ProgramError
from memesnipe.localnet.programs.state import rent
from memesnipe.localnet.token_data import TokenData
from memesnipe.solana.addresses import PUMP_AMM
from memesnipe.solana.direct.source import DirectSource
from memesnipe.solana.instructions.pumpswap import canonical_pool
from memesnipe.solana.jupiter import JupiterClient
from memesnipe.solana.pump_pools import pool_accounts
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.sale_simulation import SaleSimulation
from memesnipe.solana.service import Service, http_client
from memesnipe.solana.swap_plan import NoRouteError, SwapSource
from memesnipe.solana.token_safety import SafetyPolicy, TokenSafety
from tests.localnet.programs.market import ME, fund
from tests.solana import exchange

SOL = 10**9
SPENT = 1_000_000


class Market:
    """A node with a coin on its curve and another one in its pool, and what the checks need of it."""

    def __init__(self, node: Node, market: ChainMarket) -> None:
        self.node, self.market = node, market
        self.on_curve, self.in_pool, self.cashback = market.coins

    @asynccontextmanager
    async def services(self) -> AsyncIterator[tuple[Rpc, JupiterClient]]:
        async with http_client() as http:
            service = Service(http, self.node.rpc_url)
            yield Rpc([service], 1), JupiterClient(service, ME.pubkey())

    def simulate(self, mint: Pubkey, max_loss_bps: int = 2_000, source: str = "jupiter") -> str:
        async def run() -> str:
            async with self.services() as (rpc, jupiter):
                used = DirectSource(rpc, ME.pubkey()) if source == "direct" else jupiter
                return await SaleSimulation(rpc, [used], ME.pubkey(), SPENT, max_loss_bps=max_loss_bps)(str(mint))

        return asyncio.run(run())

    def verdict(self, mint: Pubkey) -> SafetyVerdict:
        async def run() -> SafetyVerdict:
            async with self.services() as (rpc, jupiter):
                sale = SaleSimulation(rpc, [jupiter], ME.pubkey(), SPENT)
                safety = TokenSafety(rpc, None, jupiter, sale, SafetyPolicy())
                return await safety.assess(str(mint), pool_accounts(mint))

        return asyncio.run(run())


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    chain = Chain()
    made = ChainMarket(chain)
    fund(chain)
    bought = made.create_coin("on curve")
    migrated = made.create_coin("in pool")
    cashback = made.create_coin("cashback in pool")
    chain.tick()
    made.buy(ME, bought, SOL)  # a curve that nobody has bought from has nothing to pay with
    for mint in (migrated, cashback):
        made.buy(ME, mint, 87 * SOL)
        chain.tick()
        made.migrate(mint)
        chain.tick()
    address, pool = canonical_pool(cashback), made.pool(cashback)
    assert pool is not None
    data = replace(pool, is_cashback_coin=True).encode()
    chain.set_account(address, Account(rent(len(data)), data, PUMP_AMM))
    routes = [route for server in (JupiterServer(made), TokenData(made, lambda: 150.0)) for route in server.routes()]
    with Node(chain, routes=routes, is_paced=False) as node:
        for _ in range(40):
            node.tick()  # until what was done is confirmed
        yield Market(node, made)


@pytest.mark.parametrize("source", ["jupiter", "direct"])
@pytest.mark.parametrize("kind", ["on_curve", "in_pool"])
def test_a_coin_can_be_bought_and_sold_and_nothing_is_spent(market: Market, kind: str, source: str) -> None:
    chain = market.node.chain
    before = market.node.call(lambda: chain.account(ME.pubkey()))
    assert market.simulate(getattr(market, kind), source=source) == ""
    assert market.node.call(lambda: chain.account(ME.pubkey())) == before


def test_a_cashback_coin_is_bought_and_sold_directly(market: Market) -> None:
    """The wallet has no account for cashback yet: the purchase creates it, and the sale must not do so again."""
    assert market.simulate(market.cashback, source="direct") == ""


def test_a_round_trip_that_costs_more_than_the_limit_is_refused(market: Market) -> None:
    """Both fees of a curve are about 2.5 % of what is spent."""
    assert market.simulate(market.on_curve, max_loss_bps=500) == ""
    with pytest.raises(NoRouteError, match="are required"):
        market.simulate(market.on_curve, max_loss_bps=200)


def test_a_coin_of_many_is_safe_and_one_that_a_wallet_holds_is_not(market: Market) -> None:
    verdict = market.verdict(market.on_curve)
    assert verdict.text == ""
    assert verdict.sources == {
        "mint": "checked", "holders": "checked", "sale": "checked", "rugcheck": "not configured", "jupiter": "checked",
    }  # fmt: skip
    assert market.verdict(market.in_pool).text == "holders: the 10 largest accounts hold 80%"


def test_a_mint_whose_authorities_are_kept_is_unsafe(market: Market) -> None:
    """The node and the local Jupiter, which reads the chain too, say so independently of each other."""
    chain, mint = market.node.chain, market.on_curve
    clean = market.node.call(lambda: chain.account(mint))
    assert clean is not None
    data = b"\x01\0\0\0" + bytes(ME.pubkey()) + clean.data[36:]
    try:
        market.node.call(lambda: chain.set_account(mint, Account(clean.lamports, data, clean.owner)))
        for _ in range(40):
            market.node.tick()
        assert market.verdict(mint).text == "mint: mint authority; jupiter: mint authority"
    finally:
        market.node.call(lambda: chain.set_account(mint, clean))


class Trap(exchange.Exchange):
    """Sells tokens, and buys none back."""

    def expand(self, data: bytes, accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
        if data[0] != 1:
            raise ProgramError(6_001, ["Program log: paused"])
        return super().expand(data, accounts, state)


@contextmanager
def exchange_with(program: exchange.Exchange) -> Iterator[Node]:
    chain = Chain()
    exchange.add_exchange(chain)
    chain.add_program(program)
    with Node(chain, is_paced=False) as node:
        yield node


@pytest.mark.parametrize(
    ("program", "lamports", "reason"),
    [
        (exchange.Exchange(), SPENT, ""),
        (Trap(), SPENT, "bought through exchange, it cannot be sold through exchange"),
        (exchange.Exchange(), 11 * SOL, "bought through exchange, it cannot be sold"),
    ],
)
def test_a_trap_is_found_by_the_simulation(program: exchange.Exchange, lamports: int, reason: str) -> None:
    async def run(url: str) -> str:
        async with http_client() as http:
            rpc = Rpc([Service(http, url)], 1)
            sources: list[SwapSource] = [exchange.ExchangeSource()]
            return await SaleSimulation(rpc, sources, exchange.WALLET.pubkey(), lamports)(str(exchange.MINT))

    with exchange_with(program) as node:
        found = asyncio.run(run(node.rpc_url))
    assert found.startswith(reason) and bool(found) == bool(reason)
