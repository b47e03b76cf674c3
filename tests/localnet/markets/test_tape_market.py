"""The trades of a tape become transactions that leave the pools as the tape has them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from memesnipe.errors import InputError
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.faults import FaultPlan, FaultRates, FaultyMempool, SlotDriver
from memesnipe.localnet.market import ChainMarket, keypair_of
from memesnipe.localnet.markets.tape_market import TapeMarket
from memesnipe.localnet.markets.tape_trades import TapeTrades, reserves_before
from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from memesnipe.market.events import rows
from memesnipe.solana.addresses import TOKEN_2022, token_address
from memesnipe.tapes.tape import Tape
from tests.localnet.markets.tapes import LAUNCH, POOL, TapeBuilder
from tests.support import CURVE

REAL_MINT = str(keypair_of("somebody's mint").pubkey())
NEAR = 1e-6  # buys bring a few raw tokens more than in the tape


class Played:
    """A tape that is played to its end."""

    def __init__(self, tape: Tape, speed: float = 10.0, faults: FaultRates | None = None) -> None:
        plan = FaultPlan(faults)
        self.chain = Chain(mempool=FaultyMempool(plan))
        self.market = ChainMarket(self.chain)
        self.player = TapeMarket(self.market, TapeTrades(tape), speed)
        self.chain.listeners.append(self.player.on_block)
        self._driver = SlotDriver(self.chain, plan)

    def to_the_end(self) -> "Played":
        self.player.start()
        for _ in range(2_000):
            if self.player.status()["state"] == "ended":
                return self
            self._driver.step()
        raise AssertionError(self.player.status())

    def mint(self, name: str) -> Pubkey:
        return Pubkey.from_string(self.player.mints()[name])


def test_a_coin_is_launched_traded_completed_and_migrated_as_in_the_tape() -> None:
    builder = TapeBuilder().trade(0, REAL_MINT, 1, sol=2 * SOL).trade(1, REAL_MINT, 2, sol=3 * SOL)
    builder.trade(2, REAL_MINT, 1, token_raw=builder.held[REAL_MINT, 1] // 2)
    builder.trade(3, REAL_MINT, 3, sol=90 * SOL).migrate(REAL_MINT).trade(3.1, REAL_MINT, 2, sol=SOL)
    builder.trade(3.2, REAL_MINT, 2, token_raw=builder.held[REAL_MINT, 2])
    played = Played(builder.tape(), speed=60).to_the_end()
    status = played.player.status()
    assert played.mint(REAL_MINT) == Pubkey.from_string(REAL_MINT)
    assert (status["trades"], status["failed"], status["skipped"]) == (6, {}, {})
    assert status["sent"] == status["landed"] == 6 + 2  # the creation and the migration
    vaults, pool = played.market.vaults(played.mint(REAL_MINT)), played.market.pool(played.mint(REAL_MINT))
    assert vaults is not None
    assert pool is not None
    expected = builder.pools[REAL_MINT]
    assert vaults[1] + pool.virtual_quote_reserves == pytest.approx(expected.sol_lamports, rel=NEAR)
    assert vaults[0] == pytest.approx(expected.token_raw, rel=NEAR)


def test_coins_in_mid_life_begin_with_the_reserves_that_the_tape_shows() -> None:
    builder = TapeBuilder()
    builder.pools |= {"curve": CURVE, "pool": POOL}
    builder.trade(0, "curve", 1, sol=SOL).trade(1, "pool", 1, sol=SOL).trade(2, "pool", 9, token_raw=10**12)
    trades = TapeTrades(builder.tape())
    assert trades.midlife == 2
    assert "2 coins begin with the reserves that the tape shows first" in trades.summary()
    played = Played(builder.tape()).to_the_end()
    assert played.player.status()["skipped"] == {}
    curve = played.market.curve(played.mint("curve"))
    assert curve is not None
    after = builder.pools["curve"]
    assert curve.virtual_quote_reserves == pytest.approx(after.sol_lamports, rel=NEAR)
    assert curve.real_token_reserves == pytest.approx(after.real_token_raw, rel=NEAR)
    vaults = played.market.vaults(played.mint("pool"))
    assert vaults is not None
    assert vaults[0] == pytest.approx(builder.pools["pool"].token_raw, rel=NEAR)
    # Trader 9 had never bought: what it has sold came from the coin's creator.
    assert played.player.status()["smaller_sales"] == 0


def test_what_the_chain_cannot_have_is_counted_by_kind() -> None:
    builder = TapeBuilder().price(0, 180.0).trade(1, "A", 1, sol=SOL).price(2, 190.0)
    builder.other(3, "social", mint="A", sentiment=0.1, mentions=3.0).other(3, "bridge", inflow_usd=5.0)
    trades = TapeTrades(builder.tape())
    assert trades.left_out == {"social events": 1, "bridge events": 1}
    assert trades.summary() == "1 trades of 1 coins over 2 s; left out: 1 social events, 1 bridge events"
    played = Played(builder.tape())
    assert played.player.sol_usd == 180.0
    assert played.to_the_end().player.sol_usd == 190.0


def test_a_tape_without_trades_is_refused() -> None:
    with pytest.raises(InputError, match="it has no trade of"):
        TapeTrades(TapeBuilder().price(0, 180.0).tape())


def test_the_market_waits_until_it_is_started_and_follows_the_clock_of_the_chain() -> None:
    builder = TapeBuilder().trade(0, "A", 1, sol=SOL).trade(8, "A", 2, sol=SOL)
    played = Played(builder.tape(), speed=2.0)
    for _ in range(5):
        played.chain.tick()
    assert played.player.status()["state"] == "waiting"
    assert played.market.sent.sent == 0
    played.player.start()
    for _ in range(9):
        played.chain.tick()
    assert played.market.sent.sent == 2  # 3.6 s of the chain are 7.2 s of the tape
    played.chain.tick()
    assert played.market.sent.sent == 3


def test_a_seller_without_tokens_is_skipped_and_counted() -> None:
    builder = TapeBuilder().trade(0, "A", 1, sol=SOL).trade(1, "A", 1, token_raw=10**13)
    builder.trade(2, "A", 1, token_raw=builder.held["A", 1])
    builder.messages += [builder.messages[-1] | {"ts": builder.messages[-1]["ts"] + 1, "trader": 5}]
    status = Played(builder.tape()).to_the_end().player.status()
    assert status["skipped"] == {"sales without tokens": 1}


def test_faults_of_transactions_spare_the_market() -> None:
    builder = TapeBuilder()
    for number in range(60):
        builder.trade(number * 0.2, "A", number % 7, sol=SOL // 10)
    faults = FaultRates(drop=0.5, fail=0.5, delay=0.5, reorder=1.0, skip=0.2)
    status = Played(builder.tape(), faults=faults).to_the_end().player.status()
    assert (status["landed"], status["failed"]) == (61, {})


def test_a_fork_that_takes_back_a_launch_lets_the_coin_be_launched_again() -> None:
    builder = TapeBuilder().trade(0, "A", 1, sol=SOL).trade(4, "A", 2, sol=SOL)
    played = Played(builder.tape(), speed=2.0)
    played.player.start()
    played.chain.tick()
    played.chain.tick()
    assert played.market.curve(played.mint("A")) is not None
    played.chain.roll_back(1)
    assert played.market.curve(played.mint("A")) is None
    played.to_the_end()
    held = played.market.balance(keypair_of("trader 2 of a tape").pubkey(), played.mint("A"))
    assert held > 0


amounts = st.lists(st.tuples(st.integers(0, 3), st.integers(10**6, 20 * SOL), st.booleans()), min_size=1, max_size=25)


@settings(max_examples=15, deadline=None)
@given(amounts=amounts, start=st.sampled_from([LAUNCH, CURVE, POOL]), speed=st.sampled_from([1.0, 500.0]))
def test_any_tape_leaves_the_pools_as_it_has_them(
    amounts: list[tuple[int, int, bool]], start: object, speed: float
) -> None:
    builder = TapeBuilder()
    builder.pools["A"] = start  # type: ignore[assignment]
    for number, (trader, lamports, sells) in enumerate(amounts):
        held, pool = builder.held.get(("A", trader), 0), builder.pools["A"]
        if sells and held > 10**9:
            builder.trade(number, "A", trader, token_raw=held // 2)
        elif pool.venue != CURVE.venue or pool.real_sol_lamports + lamports < 80 * SOL:
            builder.trade(number, "A", trader, sol=lamports)
    if not builder.messages:
        return
    tape = builder.tape()
    for event, before in zip(rows(tape.events[1:]), rows(tape.events), strict=False):
        shown = reserves_before(event)
        assert (shown.sol_lamports, shown.token_raw) == (before.pool_sol_lamports, before.pool_token_raw)
    played = Played(tape, speed).to_the_end()
    status = played.player.status()
    assert (status["failed"], status["skipped"], status["smaller_sales"]) == ({}, {}, 0)
    mint, after = played.mint("A"), builder.pools["A"]
    curve, pool, vaults = played.market.curve(mint), played.market.pool(mint), played.market.vaults(mint)
    if pool is not None and vaults is not None:
        found = (vaults[1] + pool.virtual_quote_reserves, vaults[0])
    else:
        assert curve is not None
        found = (curve.virtual_quote_reserves, curve.virtual_token_reserves)
    assert found == (
        pytest.approx(after.sol_lamports, rel=NEAR, abs=100),
        pytest.approx(after.token_raw, rel=NEAR, abs=10_000),
    )
    trader = keypair_of("trader 0 of a tape").pubkey()
    account = played.chain.account(token_address(trader, mint, TOKEN_2022))
    assert (account is not None) == (builder.held.get(("A", 0)) is not None)
