"""Direct swaps on a local chain bring exactly what their plans expect, or fail at their minimum."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.account import Account
from solders.hash import Hash
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from memesnipe.feeds.pumpfun.chain_events import BuyEvent
from memesnipe.feeds.pumpfun.decoder import Decoder
from memesnipe.feeds.pumpfun.own_trades import own_trade
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.jupiter import JupiterServer
from memesnipe.localnet.market import ChainMarket, keypair_of
from memesnipe.localnet.node import Node
from memesnipe.localnet.programs.cashback import earned
from memesnipe.localnet.programs.creation import create_coin
from memesnipe.localnet.programs.state import rent
from memesnipe.localnet.records import TransactionRecord
from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from memesnipe.solana.addresses import (
    JITO_TIP_ACCOUNTS,
    PUMP,
    PUMP_AMM,
    PUMP_AMM_GLOBAL_CONFIG,
    PUMP_GLOBAL,
    SYSTEM,
    TOKEN_2022,
    pda,
    token_address,
)
from memesnipe.solana.direct.source import DirectSource
from memesnipe.solana.fills import wallet_change
from memesnipe.solana.instructions.pumpfun import bonding_curve
from memesnipe.solana.instructions.pumpswap import canonical_pool
from memesnipe.solana.instructions.pumpswap_accounts import accumulator_address
from memesnipe.solana.instructions.pumpswap_cashback import cashback_address
from memesnipe.solana.jupiter import JupiterClient
from memesnipe.solana.pump_accounts import NO_KEY
from memesnipe.solana.pump_config import PoolConfig, PumpGlobal
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service import Service, http_client
from memesnipe.solana.swap_plan import NoRouteError, Swap, SwapPlan, best_plan
from memesnipe.solana.transaction import FeePlan, compose
from tests.localnet.programs.market import ME, fund

FEES = FeePlan(0, 0)
OTHER = keypair_of("somebody else")
NOBODY_AT = "http://127.0.0.1:9"


class World:
    """A node with a market, and a wallet."""

    def __init__(self, node: Node, market: ChainMarket, loop: asyncio.Runner) -> None:
        self.node, self.market, self._loop = node, market, loop
        self.http = http_client(5.0)
        self._rpc = Rpc([Service(self.http, node.rpc_url)], attempts=1)
        self._direct = DirectSource(self._rpc, ME.pubkey())

    def coin(self, name: str, *, cashback: bool = False) -> Pubkey:
        """Return a new coin of a known creator."""
        mint = keypair_of(name)
        created = create_coin(mint.pubkey(), OTHER.pubkey(), name, name, is_cashback=cashback)
        self.act(lambda: self.market.send(OTHER, created, signers=[mint]))
        self.market.coins.append(mint.pubkey())
        return mint.pubkey()

    def act(self, function: Any) -> None:
        """Let something land, and be confirmed."""
        self.node.call(function)
        self.node.tick(3)

    def in_pool(self, name: str, *, cashback: bool = False) -> Pubkey:
        """Return a coin whose curve has migrated."""
        mint = self.coin(name, cashback=cashback)
        self.complete(mint)
        return mint

    def complete(self, mint: Pubkey) -> None:
        """Buy what is left of a coin's curve, and let it migrate."""
        self.act(lambda: self.market.buy_rest(OTHER, mint))
        self.act(lambda: self.market.migrate(mint))

    def plan(self, swap: Swap) -> SwapPlan:
        """Return the plan of the direct source."""
        return self._loop.run(self._direct.plan(swap))

    def best(self, swap: Swap, jupiter_url: str = "") -> SwapPlan:
        """Return the best plan of the direct source and of Jupiter."""
        jupiter = JupiterClient(Service(self.http, jupiter_url or self.node.rpc_url), ME.pubkey())
        return self._loop.run(best_plan(swap, [self._direct, jupiter]))

    def execute(self, plan: SwapPlan) -> TransactionRecord:
        """Return the transaction of a plan, which has landed."""
        blockhash: Hash = self.node.call(lambda: self.market.chain.latest_blockhash()[0])
        message = MessageV0.from_bytes(compose(plan, FEES, ME.pubkey(), blockhash)[1:])
        signature = self.node.call(lambda: self.market.chain.send(VersionedTransaction(message, [ME])))
        self.node.tick(3)
        record: TransactionRecord | None = self.node.call(lambda: self.market.chain.history.get(signature))
        assert record is not None
        return record

    def executed(self, plan: SwapPlan, mint: Pubkey) -> tuple[int, int]:
        """Execute a plan; return the changes of the wallet's tokens, and of its SOL without fees and rent."""
        record = self.execute(plan)
        assert record.execution.err is None, record.execution.logs

        found = self._loop.run(self._rpc.transaction(str(record.signature), "confirmed"))
        assert found is not None
        change = wallet_change(found, str(ME.pubkey()), str(mint), frozenset())
        before, after = record.execution.before.lamports, record.execution.after.lamports
        rents = {pda(one, b"user_volume_accumulator", ME.pubkey()): rent(137) for one in (PUMP, PUMP_AMM)}
        rents[cashback_address(ME.pubkey())] = rent(165)
        created = [key for key, was, now in zip(record.keys.all, before, after, strict=True) if now and not was]
        paid = sum(rents.get(key, 0) for key in created)
        return change.token_raw, change.lamports + change.rent_lamports + record.execution.fee + paid

    def held(self, mint: Pubkey) -> int:
        """Return the wallet's tokens."""
        held: int = self.node.call(lambda: self.market.balance(ME.pubkey(), mint))
        return held


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    chain = Chain()
    market = ChainMarket(chain)
    fund(chain, 100_000 * SOL)
    chain.set_account(OTHER.pubkey(), Account(100_000 * SOL, b"", SYSTEM))
    vault = pda(PUMP, b"creator-vault", OTHER.pubkey())
    chain.set_account(vault, Account(SOL, b"", SYSTEM))
    with Node(chain, routes=JupiterServer(market).routes(), is_paced=False) as node, asyncio.Runner() as loop:
        found = World(node, market, loop)
        yield found
        loop.run(found.http.aclose())


def buy(mint: Pubkey, lamports: int, min_out: int = 1) -> Swap:
    return Swap("buy", str(mint), lamports, min_out, 100)


def sale(mint: Pubkey, token_raw: int, min_out: int = 1) -> Swap:
    return Swap("sell", str(mint), token_raw, min_out, 100)


@pytest.mark.parametrize("where", ["curve", "pool", "cashback on curve", "cashback in pool"])
def test_what_is_executed_is_what_was_expected(world: World, where: str) -> None:
    made = world.in_pool if "pool" in where else world.coin
    mint = made(f"exact {where}", cashback="cashback" in where)
    for lamports in (12_345_678, 3 * SOL + 1):
        plan = world.plan(buy(mint, lamports))
        tokens, spent = world.executed(plan, mint)
        assert tokens == plan.expected_out
        assert 0 <= spent + lamports <= 2  # what rounding leaves of the budget
        assert plan.min_out == plan.expected_out * 99 // 100
    third = world.held(mint) // 3
    part = world.plan(sale(mint, third))
    assert world.executed(part, mint) == (-third, part.expected_out)
    whole = world.plan(sale(mint, world.held(mint)))
    held = world.held(mint)
    assert world.executed(whole, mint) == (-held, whole.expected_out)
    account = token_address(ME.pubkey(), mint, TOKEN_2022)
    assert world.node.call(lambda: world.market.chain.account(account)) is None, "it is closed once it is empty"


def test_a_sale_creates_the_accounts_for_cashback_that_are_missing(world: World) -> None:
    mint = world.coin("migrates while held", cashback=True)
    world.executed(world.plan(buy(mint, SOL)), mint)
    world.complete(mint)
    chain, accounts = world.market.chain, (accumulator_address(ME.pubkey()), cashback_address(ME.pubkey()))
    for address in accounts:  # other tests have created them
        world.node.call(lambda address=address: chain.set_account(address, Account(0, b"", SYSTEM)))
    half = world.held(mint) // 2
    for sold in (half, world.held(mint) - half):
        plan = world.plan(sale(mint, sold))
        compose(plan, FeePlan(1, 10**6, 10**6, JITO_TIP_ACCOUNTS[0]), ME.pubkey(), Hash.default())  # it fits with a tip
        assert world.executed(plan, mint) == (-sold, plan.expected_out)
    accumulator, cashback = (world.node.call(lambda address=address: chain.account(address)) for address in accounts)
    assert earned(bytes(accumulator.data)) == cashback.lamports - rent(165) > 0


def test_the_fees_of_a_trade_contain_the_cashback(world: World) -> None:
    mint = world.in_pool("fees", cashback=True)
    record = world.execute(world.plan(buy(mint, SOL)))
    trade = own_trade(record.execution.logs, str(ME.pubkey()))
    assert trade is not None
    assert 0 <= SOL - trade.sol_lamports - trade.fee_lamports <= 2
    event = next(each for each in Decoder().decode(0, record.execution.logs).events if isinstance(each, BuyEvent))
    assert (event.coin_creator_fee_basis_points, event.cashback_fee_basis_points) == (0, 30)


def test_the_last_buy_of_a_curve_goes_on_into_its_pool(world: World) -> None:
    mint = world.coin("last buy")
    plan = world.plan(buy(mint, 200 * SOL))
    assert world.executed(plan, mint)[0] == plan.expected_out > 793_100_000 * 10**6
    with pytest.raises(NoRouteError, match="the curve is complete and has not migrated yet"):
        world.plan(buy(mint, SOL))


@pytest.mark.parametrize("where", ["curve", "pool"])
def test_the_minimum_is_enforced_when_others_trade_before(world: World, where: str) -> None:
    mint = world.in_pool("beaten in pool") if where == "pool" else world.coin("beaten")
    plan = world.plan(buy(mint, SOL))
    world.act(lambda: world.market.buy(OTHER, mint, 10 * SOL))
    err = world.execute(plan).execution.err
    assert isinstance(err, dict)
    assert err["InstructionError"][1] == {"Custom": 6042 if where == "curve" else 6040}
    assert world.held(mint) == 0


def test_a_better_price_than_at_the_decision_is_not_given_away(world: World) -> None:
    mint = world.coin("better")
    plan = world.plan(buy(mint, SOL, min_out=5))
    assert plan.min_out == plan.expected_out * 99 // 100
    strict = world.plan(buy(mint, SOL, min_out=plan.expected_out))
    assert strict.min_out == plan.expected_out


def test_without_jupiter_the_swap_is_made_directly(world: World) -> None:
    mint = world.coin("jupiter is down")
    assert world.best(buy(mint, SOL), NOBODY_AT).source == "pump.fun"


def test_of_equal_plans_the_direct_one_is_chosen(world: World) -> None:
    mint = world.coin("equal")
    swap = buy(mint, SOL)
    assert world.best(swap).expected_out == world.plan(swap).expected_out
    assert world.best(swap).source == "pump.fun"


def test_where_the_maths_are_not_known_jupiter_trades(world: World) -> None:
    mint = world.coin("odd")
    plain = world.node.call(lambda: world.market.curve(mint))
    changed = {
        "the constants of a mayhem coin are not known": {"is_mayhem_mode": True},
        "the coin is quoted in": {"quote_mint": OTHER.pubkey()},
        "the coin has fees of its own": {"creator_fee_bps": 500},
        "fees of its own": {"is_holder_reward": True},
    }
    for reason, change in changed.items():
        set_data(world, bonding_curve(mint), replace(plain, **change).encode())
        with pytest.raises(NoRouteError, match=reason):
            world.plan(buy(mint, SOL))
        assert world.best(buy(mint, SOL)).source == "jupiter"
    set_data(world, bonding_curve(mint), b"something else")
    with pytest.raises(NoRouteError, match="is not understood: no BondingCurve"):
        world.plan(buy(mint, SOL))


def test_changed_global_accounts_are_refused(world: World) -> None:
    on_curve, in_pool = world.coin("global"), world.in_pool("global in pool")
    before = PumpGlobal.decode(bytes(world.market.chain.account(PUMP_GLOBAL).data))  # type: ignore[union-attr]
    for change, reason in (
        ({"protocol_fee_bps": 100}, "charges 100 and 30 bps, not as known"),
        ({"migration_fee_lamports": 1}, "charges 1 lamports for a migration"),
    ):
        set_data(world, PUMP_GLOBAL, replace(before, **change).encode())
        with pytest.raises(NoRouteError, match=reason):
            world.plan(buy(on_curve, SOL))
    set_data(world, PUMP_GLOBAL, before.encode())
    config = PoolConfig(before.buyback_recipient, 1, before.fee_recipient)
    set_data(world, PUMP_AMM_GLOBAL_CONFIG, config.encode())
    with pytest.raises(NoRouteError, match="functions of the program are switched off"):
        world.plan(buy(in_pool, SOL))
    set_data(world, PUMP_AMM_GLOBAL_CONFIG, replace(config, disable_flags=0).encode())


def test_pools_that_are_not_understood_are_refused(world: World) -> None:
    mint = world.in_pool("odd pool")
    plain = world.node.call(lambda: world.market.pool(mint))
    changed: dict[str, dict[str, Any]] = {
        "the pool is quoted in": {"quote_mint": OTHER.pubkey()},
        "the pool has other vaults": {"pool_base_token_account": OTHER.pubkey()},
        "the pool has fees of its own": {"creator_fee_bps": 31},
        "a cashback coin without a creator": {"is_cashback_coin": True, "coin_creator": NO_KEY},
    }
    for reason, change in changed.items():
        set_data(world, canonical_pool(mint), replace(plain, **change).encode())
        with pytest.raises(NoRouteError, match=reason):
            world.plan(buy(mint, SOL))


def test_what_is_no_coin_has_no_route(world: World) -> None:
    with pytest.raises(NoRouteError, match="is no mint"):
        world.plan(buy(OTHER.pubkey(), SOL))


def set_data(world: World, address: Pubkey, data: bytes) -> None:
    """Replace the data of an account."""
    chain = world.market.chain

    def write() -> None:
        account = chain.account(address)
        assert account is not None
        chain.set_account(address, Account(account.lamports, data, account.owner))

    world.node.call(write)


@settings(max_examples=20, deadline=None)
@given(before=st.integers(10**7, 60 * SOL), lamports=st.integers(10**6, 30 * SOL), part=st.floats(0.01, 1.0))
def test_any_amount_is_exact(world: World, before: int, lamports: int, part: float) -> None:
    for mint in (world.coin(f"any {before} {lamports} {part}"), world.in_pool(f"any pool {before} {lamports} {part}")):
        world.act(lambda mint=mint: world.market.buy(OTHER, mint, before))
        bought = world.plan(buy(mint, lamports))
        assert world.executed(bought, mint)[0] == bought.expected_out
        sold = max(int(world.held(mint) * part), 1_000_000)
        plan = world.plan(sale(mint, sold))
        assert world.executed(plan, mint) == (-sold, plan.expected_out)
