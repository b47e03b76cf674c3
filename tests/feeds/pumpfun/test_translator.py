"""Each chain event becomes the messages that its facts allow, or is put aside and counted."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.feeds.base import OWN_TS
from memesnipe.feeds.pumpfun.accounts import MintAccount, PoolAccount
from memesnipe.feeds.pumpfun.coins import FORGET_AFTER_NS, Recent, base58
from memesnipe.feeds.pumpfun.context import (
    AHEAD,
    FOREIGN_QUOTE,
    LATE,
    NO_FEES,
    NO_SOL_PRICE,
    OTHER_DECIMALS,
    OTHER_POOL,
    OVERTAKEN,
    UNKNOWN_POOL,
    USDC_QUOTE,
)
from memesnipe.feeds.pumpfun.pool_questions import FoundPool
from memesnipe.feeds.pumpfun.quotes import USDC_KEY, WRAPPED_SOL_KEY
from memesnipe.feeds.pumpfun.translator import Translator
from memesnipe.market.events import CURVE_COMPLETE, DEV_TRANSFER, HOLDERS, MIGRATION, NS_PER_S
from memesnipe.market.pump import wallet_hash
from memesnipe.market.record_rules import error_of
from memesnipe.testing.pumpfun_frames import key_of
from tests.feeds.pumpfun.chain import (
    COMPLETE,
    CREATE,
    CREATE_POOL,
    DEPOSIT,
    MAKER,
    MINT,
    NOW_NS,
    NOW_S,
    POOL,
    REST,
    SOL,
    SOL_USD,
    TOKEN,
    USER,
    WITHDRAWAL,
    Curve,
    changed,
    pool_buy,
    pool_sell,
    transaction,
)
from tests.feeds.pumpfun.chain import (
    MIGRATION as MIGRATED,
)


def a_translator(sol_usd: float = SOL_USD) -> Translator:
    return Translator(lambda: sol_usd, lambda: NOW_NS + 3600 * NS_PER_S)


def translated(*events: Any, by: Translator | None = None) -> list[dict[str, Any]]:
    translator = by or a_translator()
    return [m for event in events for m in translator.translate(transaction(event))]


def kinds(messages: list[dict[str, Any]]) -> list[Any]:
    return [m.get("action", m["kind"]) for m in messages]


def put_aside(*events: Any, by: Translator | None = None) -> dict[str, int]:
    """Return the counts of events of which no message was made."""
    translator = by or a_translator()
    assert translated(*events, by=translator) == []
    return dict(translator.counts)


def test_a_curve_trade_has_amounts_reserves_fees_and_values() -> None:
    trade = Curve().buy(10**6 * TOKEN)
    (message,) = translated(CREATE, trade)
    price_usd = trade.virtual_sol_reserves / SOL * SOL_USD / (trade.virtual_token_reserves / TOKEN)
    assert message == {
        "ts": NOW_NS, "kind": "price", "venue": "pump_curve", "side": "buy", "slot": 7, "sol_usd": SOL_USD,
        "mint": base58(MINT), "price_usd": pytest.approx(price_usd), "trader": wallet_hash(base58(USER)),
        "volume_usd": pytest.approx(trade.sol_amount / SOL * SOL_USD), "sol_lamports": trade.sol_amount,
        "liquidity_usd": pytest.approx(trade.real_sol_reserves / SOL * SOL_USD), "token_raw": 10**6 * TOKEN,
        "pool_sol_lamports": trade.virtual_sol_reserves, "pool_token_raw": trade.virtual_token_reserves,
        "real_sol_lamports": trade.real_sol_reserves, "real_token_raw": trade.real_token_reserves,
        "supply_raw": 10**9 * TOKEN, "lp_fee_bps": 0, "protocol_fee_bps": 95, "creator_fee_bps": 30,
    }  # fmt: skip
    assert error_of(message) is None


def test_the_supply_of_a_coin_not_seen_created_is_unknown() -> None:
    (message,) = translated(Curve().buy(TOKEN))
    assert message["supply_raw"] == 0


def test_cashback_and_rewards_of_holders_are_paid_like_the_creators_fee() -> None:
    trade = changed(Curve().buy(TOKEN), creator_fee_basis_points=0, cashback_fee_basis_points=30, holder_rewards_bps=5)
    assert translated(trade)[0]["creator_fee_bps"] == 35


def test_a_mayhem_coin_has_the_reserves_of_its_events() -> None:
    trade = changed(Curve().buy(TOKEN), mayhem_mode=True, virtual_sol_reserves=44 * SOL, virtual_token_reserves=10**15)
    (message,) = translated(CREATE, trade)
    assert (message["pool_sol_lamports"], message["pool_token_raw"]) == (44 * SOL, 10**15)


def test_holders_are_reported_at_most_every_half_minute_and_only_if_all_are_known() -> None:
    curve, translator = Curve(), a_translator()
    trades = [curve.buy(10 * TOKEN, key_of(f"u{i}"), NOW_S + 20 * i) for i in range(4)]
    trades += [curve.sell(10 * TOKEN, key_of("u0"), NOW_S + 90), curve.buy(TOKEN, key_of("u9"), NOW_S + 100)]
    messages = translated(CREATE, *trades, by=translator)
    reports = [((m["ts"] - NOW_NS) // NS_PER_S, m["holders"]) for m in messages if m.get("action") == HOLDERS]
    assert reports == [(40, 3.0), (100, 4.0)]  # at 90 s one had come and one had gone
    assert HOLDERS not in kinds(translated(*trades))


def test_a_sale_of_the_developer_is_a_transfer_of_the_developer() -> None:
    curve = Curve()
    events = [CREATE, curve.buy(9 * TOKEN, MAKER), curve.sell(4 * TOKEN, MAKER), curve.sell(5 * TOKEN, USER)]
    messages = translated(*events)
    assert kinds(messages) == ["price", "price", DEV_TRANSFER, "price"]
    assert messages[2]["amount_usd"] == messages[1]["volume_usd"] > 0
    assert all(error_of(message) is None for message in messages)


def test_a_graduation_goes_on_in_its_pool() -> None:
    last = Curve().buy_all()
    first = pool_buy(10**6 * TOKEN, 206_900_000 * TOKEN, 84 * SOL, base_supply=10**9 * TOKEN)
    messages = translated(CREATE, last, COMPLETE, CREATE_POOL, MIGRATED, first, DEPOSIT, WITHDRAWAL)
    assert kinds(messages) == ["price", CURVE_COMPLETE, MIGRATION, "price", "depth", "depth"]
    assert [m["venue"] for m in messages] == ["pump_curve"] * 2 + ["pumpswap"] * 4
    assert messages[2]["amount_usd"] == 84 * SOL_USD
    trade = messages[3]
    assert trade["pool_sol_lamports"] == 84 * SOL + first.pool_quote_amount == trade["real_sol_lamports"]
    assert trade["pool_token_raw"] == 205_900_000 * TOKEN == trade["real_token_raw"]
    assert (trade["lp_fee_bps"], trade["protocol_fee_bps"], trade["creator_fee_bps"]) == (2, 93, 30)
    assert trade["supply_raw"] == 10**9 * TOKEN
    assert (messages[4]["change_usd"], messages[4]["liquidity_usd"]) == (6 * SOL_USD, 90 * SOL_USD)
    assert (messages[5]["change_usd"], messages[5]["liquidity_usd"]) == (-4 * SOL_USD, 80 * SOL_USD)
    assert all(error_of(message) is None for message in messages)


def test_the_supply_is_withheld_where_fees_do_not_follow_from_the_market_cap() -> None:
    sale = pool_sell(TOKEN, 206_900_000 * TOKEN, 84 * SOL, base_supply=10**9 * TOKEN, lp_fee_basis_points=20)
    (*_, message) = translated(CREATE_POOL, sale)
    assert (message["supply_raw"], message["lp_fee_bps"]) == (0, 20)


@pytest.mark.parametrize("virtual", [-3 * SOL, 5 * SOL])
def test_a_pool_is_priced_with_its_signed_virtual_reserves(virtual) -> None:
    sale = pool_sell(10**6 * TOKEN, 206_900_000 * TOKEN, 84 * SOL, virtual)
    (message,) = translated(CREATE_POOL, sale)
    assert message["pool_sol_lamports"] == 84 * SOL + virtual - sale.pool_quote_amount
    assert message["real_sol_lamports"] == 84 * SOL + min(virtual, 0) - sale.pool_quote_amount
    assert message["pool_token_raw"] == 207_900_000 * TOKEN


def test_a_buy_into_the_future_pool_counts_whole_and_the_pool_opens_with_what_it_left() -> None:
    translator, last = a_translator(), Curve().buy_all()
    translator.translate(transaction(CREATE))
    messages = translator.translate(transaction(last, COMPLETE, REST))
    assert kinds(messages) == ["price", CURVE_COMPLETE]
    assert messages[0]["sol_lamports"] == last.sol_amount + REST.quote_in
    assert messages[0]["token_raw"] == last.token_amount + REST.base_out
    assert messages[0]["real_token_raw"] == 0  # the curve trades no more
    assert messages[0]["price_usd"] == pytest.approx(85 * SOL_USD / 205_900_000)
    opened = changed(MIGRATED, sol_amount=85 * SOL, mint_amount=205_900_000 * TOKEN)
    assert translated(opened, by=translator)[0]["amount_usd"] == 85 * SOL_USD
    assert "pool opened with other reserves than its last buy left" not in translator.counts
    translated(REST, MIGRATED, by=translator)
    assert translator.counts["pool opened with other reserves than its last buy left"] == 1
    assert translator.counts["buy into a future pool without its trade"] == 1  # REST alone


def test_a_buy_into_the_future_pool_belongs_to_its_buyer_alone() -> None:
    translator, last = a_translator(), Curve().buy_all(key_of("another buyer"))
    (message, _) = translator.translate(transaction(last, COMPLETE, REST))
    assert message["sol_lamports"] == last.sol_amount
    assert translator.counts["buy into a future pool without its trade"] == 1


def test_trades_of_an_unknown_pool_are_put_aside_until_it_is_learned() -> None:
    translator, trade = a_translator(), pool_buy(TOKEN, 206_900_000 * TOKEN, 84 * SOL)
    assert put_aside(trade, DEPOSIT, by=translator) == {UNKNOWN_POOL: 2}
    assert translator.unknown_pools() == [base58(POOL)]
    translator.learn_pool(base58(POOL), base58(MINT))
    assert translator.unknown_pools() == []
    assert kinds(translated(trade, by=translator)) == ["price"]


def test_a_pool_can_be_learned_before_the_first_event() -> None:
    translator, trade = a_translator(), pool_buy(TOKEN, 206_900_000 * TOKEN, 84 * SOL)
    translator.learn_pool(base58(POOL), base58(MINT))
    assert kinds(translated(trade, by=translator)) == ["price"]


def test_a_second_pool_is_not_the_market_of_its_coin() -> None:
    other = key_of("second pool")
    trade = pool_buy(TOKEN, 206_900_000 * TOKEN, 84 * SOL, pool=other)
    early = changed(CREATE_POOL, pool=other)
    assert put_aside(CREATE_POOL, early, trade) == {OTHER_POOL: 1}
    assert put_aside(CREATE, early, trade) == {OTHER_POOL: 1}  # its curve is open
    translator = a_translator()
    assert kinds(translated(early, Curve().buy(TOKEN), by=translator)) == ["price"]
    assert translated(trade, by=translator) == []  # the open curve was seen later
    assert kinds(translated(early, trade, MIGRATED, trade)) == ["price", MIGRATION]  # the migration decides


@pytest.mark.parametrize(("quote", "reason"), [(USDC_KEY, USDC_QUOTE), (key_of("other coin"), FOREIGN_QUOTE)])
def test_amounts_in_another_quote_are_never_read_as_lamports(quote, reason) -> None:
    rest = changed(REST, quote_mint=quote)
    trade = changed(Curve().buy_all(), quote_mint=quote)
    assert put_aside(trade)[reason] == 1
    assert put_aside(changed(COMPLETE, quote_mint=quote))[reason] == 1
    assert put_aside(changed(MIGRATED, quote_mint=quote), pool_buy(TOKEN, 10**12, 84 * SOL))[reason] == 2
    assert put_aside(changed(CREATE_POOL, quote_mint=quote), pool_sell(TOKEN, 10**12, 84 * SOL))[reason] == 1
    translator = a_translator()
    (message, _) = translator.translate(transaction(Curve().buy_all(), COMPLETE, rest))
    assert message["sol_lamports"] == Curve().buy_all().sol_amount
    assert translator.counts["buy into a future pool without its trade"] == 1


def test_a_pool_with_sol_as_its_base_and_a_coin_without_6_decimals_are_put_aside() -> None:
    trade = pool_buy(TOKEN, 206_900_000 * TOKEN, 84 * SOL)
    turned = changed(CREATE_POOL, base_mint=WRAPPED_SOL_KEY, quote_mint=MINT)
    assert put_aside(turned, trade) == {FOREIGN_QUOTE: 1}
    assert put_aside(changed(CREATE_POOL, base_mint=WRAPPED_SOL_KEY), trade) == {FOREIGN_QUOTE: 1}
    assert put_aside(changed(CREATE_POOL, base_mint_decimals=9), trade) == {OTHER_DECIMALS: 1}


def test_a_trade_without_fees_is_put_aside() -> None:
    assert put_aside(changed(Curve().buy(TOKEN), fee_basis_points=-1)) == {NO_FEES: 1}


@pytest.mark.parametrize("sol_usd", [0.0, float("nan"), 1e9, -1.0])
def test_without_a_price_of_sol_only_completions_pass(sol_usd) -> None:
    translator = a_translator(sol_usd)
    messages = translated(CREATE, Curve().buy_all(), COMPLETE, MIGRATED, DEPOSIT, by=translator)
    assert kinds(messages) == [CURVE_COMPLETE]
    assert error_of(messages[0]) is None
    assert translator.counts == {NO_SOL_PRICE: 3, "onchain messages": 1}


def test_time_never_goes_back_and_neither_the_past_nor_the_future_is_taken() -> None:
    curve, translator = Curve(), Translator(lambda: SOL_USD, lambda: NOW_NS)
    offsets = [0, -9, 4, -5, -1, 6, -30, 4]
    trades = [curve.buy(TOKEN, at_s=NOW_S + offset) for offset in offsets]
    messages = translated(*trades, by=translator)
    assert [(m["ts"] - NOW_NS) // NS_PER_S for m in messages] == [0, 0, 4, 4, 4, 4]
    own = [None, -9, None, -5, -1, None]
    assert [m.get(OWN_TS) for m in messages] == [s if s is None else NOW_NS + s * NS_PER_S for s in own]
    assert translator.counts == {"price messages": 6, LATE: 1, AHEAD: 1}


def test_what_is_older_than_the_last_event_of_its_coin_says_nothing_of_its_reserves() -> None:
    translator = a_translator()
    curve = Curve()
    early, late = curve.buy(TOKEN, key_of("early")), curve.buy(2 * TOKEN)
    assert translator.translate(transaction(CREATE, late, slot=9))
    assert translator.translate(transaction(early, slot=8)) == []
    translator.translate(transaction(MIGRATED, pool_buy(TOKEN, 10**14, 80 * SOL), slot=10))
    for event in (pool_buy(TOKEN, 10**14, 80 * SOL), DEPOSIT):
        assert translator.translate(transaction(event, slot=9)) == []
    assert translator.counts[OVERTAKEN] == 3
    coin = translator.coins.coin(MINT, NOW_NS)
    assert coin.holders == 2  # who bought early holds tokens
    assert translator.translate(transaction(DEPOSIT, slot=10))


def test_what_was_looked_up_does_not_replace_what_events_have_told() -> None:
    translator = a_translator()
    translator.translate(transaction(CREATE, COMPLETE, MIGRATED))
    found = PoolAccount(key_of("other mint"), WRAPPED_SOL_KEY, b"", True)
    translator.learn_found(FoundPool(POOL, "", found, MintAccount(1, 6)))
    (message,) = translator.translate(transaction(pool_buy(TOKEN, 10**14, 80 * SOL)))
    assert message["mint"] == base58(MINT)


def test_what_has_no_event_for_hours_is_forgotten() -> None:
    translator, hours = a_translator(), FORGET_AFTER_NS // NS_PER_S + 1
    trade = pool_buy(TOKEN, 206_900_000 * TOKEN, 84 * SOL)
    other = changed(CREATE_POOL, pool=key_of("later"), base_mint=key_of("later coin"), timestamp=NOW_S + hours)
    assert kinds(translated(CREATE_POOL, trade, other, by=translator)) == ["price"]
    assert translated(changed(trade, timestamp=NOW_S + hours), by=translator) == []


def test_the_number_of_remembered_values_is_bounded() -> None:
    recent: Recent[int] = Recent(max_entries=3)
    for i in range(5):
        recent.put(bytes([i]), i, ts=i)
        recent.get(bytes([0]), ts=i)
    assert [recent.get(bytes([i]), 9) for i in range(5)] == [0, None, None, 3, 4]
    assert len(recent) == 3


U64 = st.integers(0, 2**64 - 1) | st.integers(0, 3)
KEYS = st.sampled_from([MINT, POOL, USER, MAKER, bytes(32), b"", USDC_KEY])


def _values(field: str) -> st.SearchStrategy[Any]:
    if field in ("mint", "user", "creator", "pool", "coin_creator", "quote_mint", "base_mint"):
        return KEYS.filter(bool) if field in ("mint", "user", "pool", "base_mint") else KEYS
    if field == "timestamp":
        return st.sampled_from([NOW_S, NOW_S + 1]) | st.integers(-(2**63), 2**63 - 1)
    if field == "virtual_quote_reserves":
        return st.integers(-(2**127), 2**127 - 1)
    return st.booleans() if field.startswith(("is_", "mayhem")) else U64


EVENTS = [CREATE, Curve().buy(TOKEN), COMPLETE, MIGRATED, CREATE_POOL, REST, DEPOSIT, WITHDRAWAL]
EVENTS += [pool_buy(TOKEN, 10**12, SOL), pool_sell(TOKEN, 10**12, SOL)]
ANY_EVENT = st.sampled_from(EVENTS).flatmap(
    lambda event: st.fixed_dictionaries({}, optional={f: _values(f) for f in event.__struct_fields__}).map(
        lambda fields: changed(event, **fields)
    )
)


@settings(max_examples=300)
@given(st.lists(st.lists(ANY_EVENT, min_size=1, max_size=4), max_size=6))
def test_any_events_are_translated_without_an_exception_and_in_order_of_time(transactions) -> None:
    translator = a_translator()
    messages = [m for events in transactions for m in translator.translate(transaction(*events))]
    times = [m["ts"] for m in messages]
    assert times == sorted(times)
    assert sum(n for name, n in translator.counts.items() if name.endswith(" messages")) == len(messages)
