from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from memesnipe.feeds.choice import FeedChoice, make_feed
from memesnipe.feeds.synthetic.feed import START_TS, SyntheticFeed
from memesnipe.feeds.synthetic.launches import begin
from memesnipe.feeds.synthetic.state import MarketState, state_of, world_of
from memesnipe.feeds.synthetic.token import MIGRATED_TOKEN_RAW, NEW_CURVE, Crowd, Token
from memesnipe.feeds.synthetic.world import KOREAN_TEMPO, World
from memesnipe.market.codec import KIND_CODES
from memesnipe.market.events import (
    CURVE_COMPLETE,
    DEV_TRANSFER,
    HOLDERS,
    MIGRATION,
    NS_PER_S,
    PUMP_CURVE,
    PUMPSWAP,
    Event,
    rows,
)
from memesnipe.market.pools import BPS, Pool, fees_of, migrated, pool_after, quote_buy, quote_sell
from memesnipe.market.sequencer import Sequencer

SEEDS = range(6)
every_seed = pytest.mark.parametrize("seed", SEEDS)
Messages = list[dict[str, Any]]


@lru_cache
def _first(count: int, seed: int) -> tuple[dict[str, Any], ...]:
    return tuple(islice(SyntheticFeed(seed).messages(0), count))


def _messages(count: int, seed: int = 1, position: int = 0) -> Messages:
    return list(islice(SyntheticFeed(seed).messages(position), count))


def _events(count: int, seed: int) -> list[Event]:
    """Return the first events as records."""
    events, rejected = Sequencer(60, 600).stamp(list(_first(count, seed)))
    assert not rejected
    return list(rows(events))


def _of(seed: int, kind: str, action: int | None = None) -> Messages:
    return [m for m in _first(8000, seed) if m["kind"] == kind and (action is None or m["action"] == action)]


def test_the_seed_determines_the_market() -> None:
    assert _messages(3000) == _messages(3000)
    assert _messages(500) != _messages(500, seed=2)


@settings(max_examples=15)
@given(st.integers(0, 1500))
def test_the_feed_continues_identically_from_any_position(position: int) -> None:
    assert _messages(20, position=position) == _messages(position + 20)[position:]


@settings(max_examples=25)
@given(st.integers(0, 6000), st.integers(60, 900), st.sampled_from(SEEDS))
def test_the_feed_continues_bit_identically_from_a_checkpoint(position: int, every: int, seed: int) -> None:
    whole = _first(8000, seed)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "feed.checkpoints"
        for _ in islice(SyntheticFeed(seed, path, every).messages(0), position + 2):
            pass  # the feed is always a little ahead of the committed position
        feed = SyntheticFeed(seed, path, every)
        found = feed._checkpoints.before(position) if feed._checkpoints else None
        assert found is None or position - 2 * every - 50 < found[0] <= position
        assert found is not None or position < 2 * every + 50
        resumed = tuple(islice(feed.messages(position), 1500))
        assert [orjson.dumps(m) for m in resumed] == [orjson.dumps(m) for m in whole[position : position + 1500]]
        assert not list(Path(folder).glob("*.writing"))


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other seed", "too far"])
def test_an_unusable_checkpoint_is_ignored(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "feed.checkpoints"
    for _ in islice(SyntheticFeed(1, path, 500).messages(0), 2000):
        pass
    raw = bytearray(path.read_bytes())
    if damage == "flip":
        raw[len(raw) // 2] ^= 1
    path.write_bytes({"cut": raw[:-10], "empty": b""}.get(damage, raw))
    seed, position = (2 if damage == "other seed" else 1), (400 if damage == "too far" else 1800)
    feed = SyntheticFeed(seed, path, 500)
    assert feed._checkpoints is not None
    assert feed._checkpoints.before(position) is None
    assert list(islice(feed.messages(position), 20)) == _messages(20, seed=seed, position=position)


def test_a_state_is_small_and_independent_of_its_market() -> None:
    world = World(3)
    begin(world)
    for _ in range(20_000):
        world.run_next()
    state = state_of(world)
    text = TypeAdapter(MarketState).dump_json(state)
    assert len(text) < 200_000
    copies = world_of(state), world_of(TypeAdapter(MarketState).validate_json(text))
    messages = [[other.run_next() for _ in range(3000)] for other in (world, *copies)]
    assert messages[0] == messages[1] == messages[2]
    assert TypeAdapter(MarketState).dump_json(state) == text, "continuing from a state must not change it"


@every_seed
def test_events_are_valid_and_in_order_of_time(seed: int) -> None:
    raw = list(_first(8000, seed))
    assert raw[0]["ts"] == START_TS
    assert all(a["ts"] <= b["ts"] and a["slot"] <= b["slot"] for a, b in pairwise(raw))
    events, rejected = Sequencer(60, 600).stamp(raw)
    assert not rejected
    assert len(events) == 8000


@every_seed
def test_every_kind_of_event_occurs_within_minutes(seed: int) -> None:
    raw = _first(4000, seed)
    assert {m["kind"] for m in raw} == set(KIND_CODES)
    actions = {m["action"] for m in raw if m["kind"] == "onchain"}
    assert actions == {HOLDERS, DEV_TRANSFER, CURVE_COMPLETE, MIGRATION}
    trades = {(m["venue"], m["side"]) for m in raw if m["kind"] == "price"}
    assert trades == {(venue, side) for venue in ("pump_curve", "pumpswap") for side in ("buy", "sell")}
    changes = [m["change_usd"] for m in raw if m["kind"] == "depth"]
    assert min(changes) < 0 < max(changes)


def _steps(seed: int) -> Iterator[tuple[Event, Pool, bool]]:
    """Yield each trade after a token's first, the pool before it, and whether liquidity changed in between."""
    last: dict[int, Pool] = {}
    touched: dict[int, bool] = defaultdict(bool)
    for event in _events(8000, seed):
        if event.kind == KIND_CODES["depth"]:
            touched[event.token] = True
        if event.kind == KIND_CODES["onchain"] and event.action == MIGRATION:
            last[event.token] = migrated(last[event.token], MIGRATED_TOKEN_RAW)
        if event.kind == KIND_CODES["price"]:
            if event.token in last:
                yield event, last[event.token], touched.pop(event.token, False)
            last[event.token] = pool_after(event)


@every_seed
def test_each_trade_moves_the_pool_left_by_the_previous_trade(seed: int) -> None:
    steps = [step[:2] for step in _steps(seed) if not step[2]]
    assert len(steps) > 5000
    assert {(before.venue, event.venue) for event, before in steps} == {(1, 1), (2, 2)}
    for event, before in steps:
        fees = fees_of(before)
        lp_lamports = -(-event.sol_lamports * fees.lp // BPS)
        moved_sol = event.side * event.sol_lamports + lp_lamports
        assert event.pool_sol_lamports == before.sol_lamports + moved_sol
        assert event.real_sol_lamports == before.real_sol_lamports + moved_sol
        assert event.pool_token_raw == before.token_raw - event.side * event.token_raw
        assert event.real_token_raw == before.real_token_raw - event.side * event.token_raw


@every_seed
def test_each_trade_is_priced_as_on_the_chain(seed: int) -> None:
    for event, before, touched in _steps(seed):
        if touched:
            continue
        if event.side < 0:
            assert quote_sell(before, event.token_raw).sol_lamports == event.sol_lamports
        else:  # the event has the SOL traded; the budget also covers the fees
            fees = sum(-(-event.sol_lamports * bps // BPS) for bps in fees_of(before))
            quote = quote_buy(before, event.sol_lamports + fees)
            assert abs(quote.token_raw - event.token_raw) <= event.token_raw // event.sol_lamports + 1


@every_seed
def test_liquidity_changes_keep_the_price_of_the_pool(seed: int) -> None:
    touched = [(event, before) for event, before, is_touched in _steps(seed) if is_touched]
    assert touched
    for event, before in touched:
        undone = event.pool_sol_lamports - event.side * event.sol_lamports
        price = undone / (event.pool_token_raw + event.side * event.token_raw)
        assert price == pytest.approx(before.sol_lamports / before.token_raw, rel=1e-3)
    for message in _of(seed, "depth"):
        assert message["venue"] == "pumpswap"
        assert message["liquidity_usd"] > max(message["change_usd"], 0)


@every_seed
def test_prices_and_amounts_match_the_pool(seed: int) -> None:
    for event in _events(3000, seed):
        if event.kind != KIND_CODES["price"]:
            continue
        usd = event.sol_usd / 1e9
        assert event.price_usd == pytest.approx(event.pool_sol_lamports * usd / (event.pool_token_raw / 1e6))
        assert event.volume_usd == pytest.approx(event.sol_lamports * usd)
        assert event.liquidity_usd == pytest.approx(event.real_sol_lamports * usd)
        assert min(event.real_sol_lamports, event.real_token_raw) >= 0
        assert event.pool_token_raw <= (NEW_CURVE.token_raw if event.venue == PUMP_CURVE else event.supply_raw)
        if event.venue == PUMP_CURVE:
            assert event.pool_sol_lamports - event.real_sol_lamports == NEW_CURVE.sol_lamports
            assert (event.lp_fee_bps, event.protocol_fee_bps, event.creator_fee_bps) == (0, 95, 30)
        else:
            assert fees_of(pool_after(event)).creator > 0


@every_seed
def test_a_curve_completes_with_its_last_token_and_migrates(seed: int) -> None:
    graduates = [m["mint"] for m in _of(seed, "onchain", CURVE_COMPLETE)]
    assert graduates
    for mint in graduates:
        story = [m for m in _first(8000, seed) if m.get("mint") == mint and m["kind"] in ("price", "onchain")]
        at = next(i for i, m in enumerate(story) if m.get("action") == CURVE_COMPLETE)
        assert story[at - 1]["real_token_raw"] == 0
        assert story[at - 1]["slot"] == story[at]["slot"]
        later = [m for m in story[at + 1 :] if m.get("action") != HOLDERS]
        if not later:
            continue  # the migration is after the last event of the test
        assert later[0]["action"] == MIGRATION
        pool = migrated(Pool(PUMP_CURVE, 0, 0, story[at - 1]["real_sol_lamports"], 0, 10**15), MIGRATED_TOKEN_RAW)
        assert later[0]["amount_usd"] == pytest.approx(pool.sol_lamports / 1e9 * later[0]["sol_usd"])
        assert {m["venue"] for m in later if m["kind"] == "price"} <= {"pumpswap"}


@every_seed
def test_holders_of_a_traded_token_are_reported_every_30_to_60_s(seed: int) -> None:
    reports: dict[str, list[int]] = defaultdict(list)
    for message in _of(seed, "onchain", HOLDERS):
        reports[message["mint"]].append(message["ts"])
        assert message["holders"] == int(message["holders"]) >= 2
        assert message["amount_usd"] == 0
    gaps = [b - a for ts in reports.values() for a, b in pairwise(ts)]
    assert len(gaps) > 50
    assert 30 * NS_PER_S <= min(gaps) <= max(gaps) <= 60 * NS_PER_S + 1000


@every_seed
def test_a_perp_stays_near_the_pool_and_its_rate_follows_the_basis(seed: int) -> None:
    price: dict[str, float] = {}
    bases: list[float] = []
    for message in _first(8000, seed):
        if message["kind"] == "price":
            price[message["mint"]] = message["price_usd"]
        elif message["kind"] == "funding" and message["mint"] in price:
            basis = message["mark_usd"] / price[message["mint"]] - 1.0
            bases.append(basis)
            assert abs(basis) < 0.25
            assert message["rate"] * basis >= 0 or abs(basis) < 0.002  # the price of SOL may move between the two
    assert len(bases) > 20
    assert min(bases) < 0 < max(bases)


def test_bridge_inflows_have_no_token_and_come_in_clusters() -> None:
    inflows = [m for seed in SEEDS for m in _of(seed, "bridge")]
    assert all("mint" not in m and m["inflow_usd"] > 0 for m in inflows)
    large = [m for m in inflows if m["inflow_usd"] > 400_000]
    assert 10 < len(large) < 0.7 * len(inflows)


def test_most_launches_fail_and_few_graduate() -> None:
    peaks: dict[str, int] = {}
    for message in islice(SyntheticFeed(0).messages(0), 60_000):
        if message["kind"] == "price" and message["venue"] == "pump_curve":
            peaks[message["mint"]] = max(peaks.get(message["mint"], 0), message["pool_sol_lamports"])
    assert len(peaks) > 150
    assert sum(peak < 45 * 10**9 for peak in peaks.values()) > 0.7 * len(peaks)
    assert 0.005 < sum(peak > 114 * 10**9 for peak in peaks.values()) / len(peaks) < 0.06


def test_tempo_is_higher_from_9_to_17_in_korea() -> None:
    world = World(1)
    tempos = []
    for hour in range(48):
        world.now_s = hour * 3600.0 + 1.0
        tempos.append(world.tempo)
    assert tempos == ([KOREAN_TEMPO] * 8 + [1.0] * 16) * 2  # the market starts at 09:00 in Korea


def test_removed_liquidity_leaves_the_tokens_with_the_provider() -> None:
    pool = Pool(PUMPSWAP, 10**12, 10**14, 10**12, 10**14, 10**15, 20, 5, 95)
    token = Token("A", pool, Crowd())
    sol = token.change_liquidity(-0.5)
    assert sol == -(10**12) // 2
    assert (token.pool.real_sol_lamports, token.pool.token_raw, token.dev_raw) == (5 * 10**11, 5 * 10**13, 5 * 10**13)
    assert token.public_raw == 10**15 - 10**14
    token.change_liquidity(100.0)
    assert token.pool.token_raw < 10**15  # only tokens held can be added


def test_make_feed_uses_name_and_seed_of_the_choice() -> None:
    choice = FeedChoice("synthetic", 0.0, seed=7)
    feed = make_feed(choice)
    feed.open(20)
    assert [event.message for event in feed.poll(30, 0.0)] == _messages(30, seed=7, position=20)
    assert FeedChoice(**choice.to_dict()) == choice
    assert choice.identity == FeedChoice("synthetic", 5.0, seed=7).identity != FeedChoice("synthetic", 0.0).identity
    assert choice.lockstep
    assert not FeedChoice("synthetic", 5.0).lockstep
