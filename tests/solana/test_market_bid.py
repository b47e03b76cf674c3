"""A bid lies within the limits, whatever the estimates are, and follows them in between."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from memesnipe.solana.addresses import JITO_TIP_ACCOUNTS
from memesnipe.solana.bid import bid_of
from memesnipe.solana.estimate import ESTIMATE, MISSING, SETTINGS, STALE, Estimate, Reading, keep_fresh
from memesnipe.solana.jito import JitoClient
from memesnipe.solana.market_bid import BidRange, plan_bid
from memesnipe.solana.policy_caps import PolicyCaps, policy_caps
from memesnipe.solana.priority_fees import clamped, helius_estimate, recent_percentile
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service import Service, http_client
from memesnipe.solana.service_errors import UnreachableError
from memesnipe.solana.swap_plan import SwapPlan
from memesnipe.solana.transaction import MAX_UNITS, FeePlan, compose
from tests.signer.conftest import SteppedClock
from tests.solana.http_server import Reply, Request, Server, serving

WALLET = Pubkey.new_unique()
TIP_ACCOUNT = JITO_TIP_ACCOUNTS[0]
PLAN = SwapPlan(
    "test", (transfer(TransferParams(from_pubkey=WALLET, to_pubkey=Pubkey.new_unique(), lamports=1)),), 1, 1
)
FEE, TIP = BidRange(10_000, 300_000, 100_000), BidRange(1_000, 100_000, 10_000)

lamports = st.integers(0, 10**10)
units = st.integers(1, MAX_UNITS)
values = st.none() | st.integers(0, 10**12)


@st.composite
def ranges(draw: st.DrawFn) -> BidRange:
    floor, cap = sorted((draw(lamports), draw(lamports)))
    return BidRange(floor, cap, draw(lamports))


def reading(value: int | None) -> Reading[int]:
    return Reading(value, MISSING if value is None else ESTIMATE)


def offered(fees: FeePlan, compute_units: int) -> tuple[int, int]:
    """Return the priority fee and the tip of a message that bids this."""
    bid = bid_of(compose(PLAN, fees, WALLET, Hash.default(), compute_units), [str(TIP_ACCOUNT)])
    return bid.priority_fee_lamports, bid.tip_lamports


@given(values, values, ranges(), ranges(), st.none() | st.builds(PolicyCaps, lamports, lamports), units)
def test_every_bid_is_within_the_limits_and_the_policy(
    price: int | None, tip: int | None, fees: BidRange, tips: BidRange, caps: PolicyCaps | None, compute_units: int
) -> None:
    fee, paid_tip = offered(plan_bid(reading(price), reading(tip), fees, tips, TIP_ACCOUNT, caps), compute_units)
    fee_cap = fees.cap if caps is None else min(fees.cap, caps.priority_fee)
    tip_cap = tips.cap if caps is None else min(tips.cap, caps.tip)
    assert min(tips.floor, tip_cap) <= paid_tip <= tip_cap
    is_coarse = compute_units > 1_000_000  # where one fee alone is allowed, it may be a lamport less
    assert min(fees.floor, fee_cap) - is_coarse <= fee <= fee_cap
    if price is None:
        assert fee_cap >= fee >= min(max(fees.default, fees.floor), fee_cap) - is_coarse


@given(st.integers(0, 10**12), units, lamports, lamports)
def test_a_price_is_changed_only_as_far_as_the_limits_ask(price: int, compute_units: int, one: int, other: int) -> None:
    low, high = min(one, other), max(one, other) + 1
    found = clamped(price, compute_units, high, low)
    fee, wanted = (-(-value * compute_units // 10**6) for value in (found, price))
    assert low <= fee <= high
    if low <= wanted <= high:
        assert fee == wanted


@pytest.mark.parametrize(
    ("price", "tip", "expected"),
    [
        (0, 0, (10_000, 1_000)),
        (500_000, 25_000, (100_000, 25_000)),  # 200,000 units
        (10**12, 10**9, (300_000, 100_000)),
        (None, None, (100_000, 10_000)),
    ],
)
def test_a_bid_follows_the_estimates_between_floor_and_cap(
    price: int | None, tip: int | None, expected: tuple[int, int]
) -> None:
    assert offered(plan_bid(reading(price), reading(tip), FEE, TIP, TIP_ACCOUNT), 200_000) == expected


def test_the_basis_says_what_a_bid_follows() -> None:
    plan = plan_bid(Reading(7, ESTIMATE), Reading(None, STALE), FEE, TIP, TIP_ACCOUNT)
    assert plan.basis.priority_fee, plan.basis.price_estimate == (ESTIMATE, 7)
    assert (plan.basis.tip, plan.basis.tip_estimate_lamports) == (STALE, 0)


numbers = st.integers(-(10**30), 10**400) | st.floats() | st.integers(0, 10**7) | st.floats(0, 2)
scalars = st.none() | st.booleans() | numbers | st.text(max_size=5)
garbage = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8
)
rows = st.lists(st.fixed_dictionaries({"slot": st.integers(0, 10**9), "prioritizationFee": scalars}), max_size=4)
estimates = st.fixed_dictionaries({"priorityFeeEstimate": scalars})
tips = st.lists(st.fixed_dictionaries({"landed_tips_50th_percentile": scalars}), max_size=2)
bodies = st.binary(max_size=30) | (garbage | rows | estimates).map(
    lambda value: json.dumps({"jsonrpc": "2.0", "id": 1, "result": value}).encode()
)
tip_bodies = st.binary(max_size=30) | (garbage | tips).map(lambda value: json.dumps(value).encode())


@pytest.fixture(scope="module")
def server() -> Server:
    with serving(Reply(None)) as running:
        yield running


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(bodies, tip_bodies, st.sampled_from(["node", "helius"]), st.sampled_from([200, 404]))
def test_garbage_from_the_services_leaves_the_bid_within_the_limits(
    server: Server, body: bytes, tip_body: bytes, source: str, status: int
) -> None:
    def reply(request: Request) -> Reply:
        return Reply(body if request.method == "POST" else tip_body, status)

    async def bid() -> FeePlan:
        async with http_client() as http:
            service = Service(http, server.url)
            rpc, jito = Rpc([service], attempts=1), JitoClient(service, service)
            ask = (lambda: helius_estimate(rpc, [])) if source == "helius" else (lambda: recent_percentile(rpc, [], 75))
            price = Estimate("price", ask, 60)
            tip = Estimate("tip", lambda: jito.tip_floor_lamports(50), 60)
            await asyncio.gather(price.refresh(), tip.refresh())
            return plan_bid(price.read(), tip.read(), FEE, TIP, TIP_ACCOUNT)

    server.script = reply
    plan = asyncio.run(bid())
    fee, tip = offered(plan, 123_457)
    assert 10_000 <= fee <= 300_000
    assert 1_000 <= tip <= 100_000
    assert plan.basis.price_estimate < 2**63, "it is stored"


def test_an_estimate_is_missing_fresh_stale_and_fresh_again() -> None:
    clock, failures = SteppedClock(), list[tuple[str, str]]()
    with serving(by=lambda _: replies[-1]) as server:

        async def use() -> None:
            async with http_client() as http:
                jito = JitoClient(Service(http, server.url), Service(http, server.url))
                tip = Estimate(
                    "tip floor", lambda: jito.tip_floor_lamports(50), 60, clock=clock,
                    on_failure=lambda name, reason: failures.append((name, reason)),
                )  # fmt: skip
                assert tip.read() == Reading(None, MISSING)
                await tip.refresh()
                assert tip.read() == Reading(20_000, ESTIMATE)
                replies.append(Reply(None, 503))
                clock.sleep(60)
                await tip.refresh()
                assert tip.read() == Reading(20_000, ESTIMATE), "a failure keeps the last value"
                clock.sleep(1)
                assert tip.read() == Reading(None, STALE)
                replies.append(Reply([{"landed_tips_50th_percentile": 0.00003}]))
                await tip.refresh()
                assert tip.read() == Reading(30_000, ESTIMATE)
                clock.sleep(-1)
                assert tip.read() == Reading(None, STALE), "the clock was set back"

        replies = [Reply([{"landed_tips_50th_percentile": 0.00002}])]
        asyncio.run(use())
    assert failures == [("tip floor", f"{server.url.removeprefix('http://').partition(':')[0]}: HTTP 503")]


def test_without_a_source_the_settings_are_the_basis() -> None:
    estimate: Estimate[int] = Estimate("price", None, 60)
    asyncio.run(estimate.refresh())
    assert estimate.read() == Reading(None, SETTINGS)


def test_an_estimate_that_does_not_answer_delays_neither_the_others_nor_a_read() -> None:
    async def use() -> None:
        async def hang() -> int:
            await asyncio.Event().wait()
            raise AssertionError

        async def answer() -> int:
            answered.set()
            return 5

        answered, failures = asyncio.Event(), list[str]()
        slow = Estimate("slow", hang, 60, 0.01, lambda name, _: failures.append(name))
        quick = Estimate("quick", answer, 60)
        refreshing = asyncio.create_task(keep_fresh([slow, quick], 0.001))
        await answered.wait()
        answered.clear()
        await answered.wait()  # in the second round
        refreshing.cancel()
        assert (slow.read(), quick.read()) == (Reading(None, MISSING), Reading(5, ESTIMATE))
        assert failures[0] == "slow"

    asyncio.run(asyncio.wait_for(use(), 10))


@pytest.mark.parametrize("caps", [None, {"priority_fee": -1, "tip": 1}, {"tip": 1}])
def test_limits_of_a_signer_without_a_policy_are_unknown(caps: object) -> None:
    async def use(url: str) -> PolicyCaps:
        async with http_client() as http:
            return await policy_caps(Service(http, url))

    with serving(
        Reply({"max_bid_lamports": caps}), Reply({"max_bid_lamports": {"priority_fee": 5, "tip": 6}})
    ) as server:
        with pytest.raises(UnreachableError):
            asyncio.run(use(server.url))
        assert asyncio.run(use(server.url)) == PolicyCaps(5, 6)
        assert server.requests[0].path == "/signer/health"
