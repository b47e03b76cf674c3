"""Lamports are conserved: over random transfers, calls, failures, airdrops, bundles, forks and faults."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from memesnipe.localnet.chain import FAUCET_LAMPORTS, Chain
from memesnipe.localnet.faults import FaultPlan, FaultRates, FaultyMempool, SlotDriver
from memesnipe.localnet.records import Block
from tests.localnet.support import COUNTER, SOL, VAULT, ToyProgram, add_toy, pay, signed, wallet

WALLETS = [wallet(number) for number in range(4)]
START = 10 * SOL
RATES = FaultRates(drop=0.1, delay=0.3, fail=0.2, reorder=0.5, skip=0.1, stall=0.05, fork=0.3, delay_blocks=3)

index = st.integers(0, len(WALLETS) - 1)
transfers = st.tuples(st.just("pay"), index, index, st.integers(0, 12 * SOL), st.integers(0, 10**7))
calls = st.tuples(st.just("call"), index, index, st.integers(0, 2 * SOL), st.integers(0, 10**7))
bundles = st.tuples(st.just("bundle"), index, index, st.integers(0, 12 * SOL), st.just(0))
airdrops = st.tuples(st.just("airdrop"), index, index, st.integers(1, SOL), st.just(0))
ticks = st.tuples(st.just("tick"), index, index, st.integers(1, 3), st.just(0))
steps = st.lists(st.one_of(transfers, calls, bundles, airdrops, ticks, ticks), min_size=10, max_size=40)


def balance(chain: Chain, keys: Iterable[Pubkey]) -> int:
    """Return the sum of the lamports of accounts."""
    return sum(account.lamports for key in keys if (account := chain.account(key)) is not None)


def act(chain: Chain, driver: SlotDriver, step: tuple[str, int, int, int, int]) -> None:
    kind, first, second, number, price = step
    source, to = WALLETS[first], WALLETS[second].pubkey()
    budget: list[Instruction] = [set_compute_unit_limit(10_000), set_compute_unit_price(price)] if price else []
    if kind == "pay":
        chain.send(signed(chain, source, *budget, pay(source, to, number)))
    elif kind == "call":
        chain.send(signed(chain, source, *budget, ToyProgram.instruction(to, number)))
    elif kind == "bundle":
        chain.send_bundle([signed(chain, source, pay(source, to, part)) for part in (number, number // 2 + 1)])
    elif kind == "airdrop":
        chain.airdrop(to, number)
    else:
        for _ in range(number):
            driver.step()


@settings(max_examples=50)
@given(steps=steps, seed=st.integers(0, 1_000))
def test_lamports_are_neither_made_nor_lost(steps: list[tuple[str, int, int, int, int]], seed: int) -> None:
    plan = FaultPlan(RATES, seed)
    chain = Chain(mempool=FaultyMempool(plan), confirmed_after=1, finalized_after=4)
    add_toy(chain)
    for step in range(len(WALLETS)):
        chain.airdrop(WALLETS[step].pubkey(), START)
    driver = SlotDriver(chain, plan)
    blocks: list[Block] = []
    chain.listeners.append(blocks.append)
    keys = [chain.faucet, VAULT, COUNTER, *(one.pubkey() for one in WALLETS)]
    total = FAUCET_LAMPORTS + 6 * SOL
    assert balance(chain, keys) == total
    for step in steps:
        act(chain, driver, step)
        assert balance(chain, keys) + chain.fees_lamports == total
    for block in blocks:
        for record in block.transactions:
            done = record.execution
            # A program that is emulated pays from an account that its instruction does not name.
            if not any(key == ToyProgram.program_id for key in record.keys.all) or done.err is not None:
                assert sum(done.before.lamports) == sum(done.after.lamports) + done.fee
            if done.err is not None:
                assert done.before.lamports[0] - done.after.lamports[0] == done.fee
                assert done.before.lamports[1:] == done.after.lamports[1:]


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_the_same_seed_makes_the_same_chain(seed: int) -> None:
    def run() -> tuple[object, ...]:
        plan = FaultPlan(RATES, seed)
        chain = Chain(mempool=FaultyMempool(plan), finalized_after=4)
        driver = SlotDriver(chain, plan)
        for number in range(12):
            chain.airdrop(WALLETS[number % 4].pubkey(), SOL + number)
            driver.step()
        return chain.ledger.head.blockhash, chain.ledger.head.height, plan.counts, chain.dropped, chain.fees_lamports

    assert run() == run()
