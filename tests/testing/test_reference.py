"""The reference engine against examples calculated by hand from `docs/market-model.md`."""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.market import events as ev
from memesnipe.market.events import AMM, BRIDGE, DEPTH, FUNDING, PRICE, PUMP_CURVE, PUMPSWAP, SOCIAL, SOL_PRICE
from memesnipe.sdk import BUY, HOLD, SELL, SHORT, Strategy, state
from memesnipe.testing.reference.engine import Reference, Trader
from memesnipe.testing.reference.pools import NOTHING, Fees, Pool, Quote, buy_exactly, sell, shifted, spend, value_quote
from memesnipe.testing.reference.records import chance, mix

S = 1_000_000_000  # ns in a second, lamports in a SOL
SIDES = {"buy": ev.BUY_SIDE, "sell": ev.SELL_SIDE, "short": ev.SHORT_SIDE, "cover": ev.COVER_SIDE}


class Mood(Strategy):
    """Votes the sentiment of social events."""

    subscriptions = (SOCIAL,)

    @staticmethod
    def on_event(p: Any, s: Any, e: Any) -> int:
        return int(e.sentiment)


class SecondInflow(Strategy):
    """Buys at the second bridge event."""

    subscriptions = (BRIDGE, DEPTH)
    subscribed = state("i8")

    @staticmethod
    def on_event(p: Any, s: Any, e: Any) -> int:
        if e.kind == BRIDGE:
            s.subscribed += 1
        return BUY if s.subscribed == 2 else HOLD


class Model(NamedTuple):
    seed: int = 0
    latency_ns: int = 1 * S
    landing_max: float = 1.0
    landing_half_lamports: int = 0  # every order lands
    slippage_bps: int = 1_000
    base_fee_lamports: int = 5_000
    priority_fee_lamports: int = 100_000
    tip_lamports: int = 20_000
    dead_after_ns: int = 1_800 * S


EXITS = ExitGenes(stop_loss=0.5, take_profit=9.0, trailing_stop=0.9, max_hold_s=100_000.0)
GENOME = Genome((SignalGene("mood", {}, 1.0),), 0.5, 0.1, EXITS, FilterGenes(0.0, 0.0))
# 99 SOL and 100e9 raw tokens, 1 % to the pool: simple numbers for a buy of 1 SOL.
POOL: dict[str, Any] = {
    "venue": AMM, "pool_sol_lamports": 99 * S, "pool_token_raw": 100 * S, "real_sol_lamports": 99 * S,
    "real_token_raw": 100 * S, "lp_fee_bps": 100, "liquidity_usd": 9_900.0,
}  # fmt: skip
BOUGHT = 990_099_009  # 0.99e9 * 100e9 // (99e9 + 0.99e9); 0.01e9 of 1e9 is the fee
# Sold at once: 990099009 * 100e9 // 100e9, less what the last 1 % of the tokens (9900991, rounded up) would add:
# 990099009 - 980198018 * 100e9 // (99009900991 + 980198018).
SOLD, SALE_FEE = 990_099_009, 990_099_009 - 980_295_076


def record(at_s: float, kind: int, token: int = 0, **fields: Any) -> dict[str, Any]:
    return {"ts": round(at_s * S), "kind": kind, "token": token, "sol_usd": 100.0} | fields


def price(at_s: float, token: int = 0, **fields: Any) -> dict[str, Any]:
    return record(at_s, PRICE, token, **(POOL | fields))


def talk(at_s: float, vote: int, token: int = 0) -> dict[str, Any]:
    return record(at_s, SOCIAL, token, sentiment=vote)


def mark(at_s: float, mark_usd: float, rate: float = 0.0) -> dict[str, Any]:
    return record(at_s, FUNDING, mark_usd=mark_usd, rate=rate)


def sol_price(at_s: float) -> dict[str, Any]:
    return record(at_s, SOL_PRICE, ev.NO_TOKEN)


def run(*records: dict[str, Any], genome: Genome = GENOME, model: Model | None = None) -> Trader:
    """Advance a strategy with 10 SOL over the records one by one."""
    families: dict[str, Strategy] = {"mood": Mood(), "second_inflow": SecondInflow()}
    reference = Reference(families, model or Model(), 1_000.0)
    reference.add(genome)
    for seq, fields in enumerate(records, 1):
        event = ev.empty(1)
        event["seq"] = seq
        for name, value in fields.items():
            event[name] = value
        reference.advance(event)
    return reference.strategies[genome.spec_id]


def endings(trader: Trader) -> list[tuple[str, str, float, str]]:
    names = {number: name for name, number in SIDES.items()}
    return [(names[o.side], o.reason, o.ts / S, o.failure) for o in trader.outcomes]


def exits(**given: float) -> Genome:
    return replace(GENOME, exits=replace(EXITS, **given))


# ---- pools

CURVE = Pool(PUMP_CURVE, 1_000, 10_000, 500, 8_000, Fees(0, 95, 30), 0, complete=False)
SWAP = Pool(PUMPSWAP, 1_000, 10_000, 1_000, 10_000, Fees(20, 5, 5), 0, complete=False)
PLAIN = Pool(AMM, 1_000, 10_000, 1_000, 10_000, Fees(100, 7, 7), 0, complete=False)


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        (buy_exactly(CURVE, 1_000), Quote(1_000, 112, 2 + 1, 0)),  # 1000000 // 9000 + 1
        (buy_exactly(SWAP, 1_000), Quote(1_000, 112, 1 + 1 + 1, 1)),  # 1000000 / 9000, rounded up
        (buy_exactly(PLAIN, 1_000), Quote(1_000, 112, 2, 2)),  # 2 = ceil(1.14), and 1 < ceil(1.13)
        (sell(CURVE, 1_000), Quote(1_000, 90, 1 + 1, 0)),  # 1000000 // 11000
        (sell(SWAP, 1_000), Quote(1_000, 90, 3, 1)),
    ],
)
def test_a_pool_quotes_an_exact_number_of_tokens(quote: Quote, expected: Quote) -> None:
    assert quote == expected


def test_the_fee_of_an_amm_sale_is_the_value_of_its_last_tokens() -> None:
    # 5000 tokens: 5000000 // 15000 = 333; 4950 of them: 4950000 // 14950 = 331.
    assert sell(PLAIN, 5_000) == Quote(5_000, 333, 2, 2)


def test_a_budget_is_spent_on_a_curve() -> None:
    # net = 130 * 10000 // 10125 = 128; its fee ceil(1.216) + ceil(0.384) = 3, 1 above the budget: net = 127.
    # t = (127 * 10000 - 1) // 1127 = 1126; s = 1126 * 1000 // 8874 + 1 = 127.
    assert spend(CURVE, 130) == Quote(1_126, 127, 3, 0)
    # With 10 tokens left: s = 10 * 1000 // 9990 + 1.
    assert spend(replace(CURVE, real_tokens=10), 130) == Quote(10, 2, 2, 0)
    assert spend(CURVE, 2) == NOTHING


def test_a_budget_is_spent_on_pumpswap() -> None:
    # net = 130 * 10000 // 10030 = 129; three fees of 1 are 2 above the budget: net = 127; t = 126 * 10000 // 1126.
    assert spend(SWAP, 130) == Quote(1_119, 127, 3, 1)
    assert spend(replace(SWAP, real_tokens=1_000), 130) == Quote(1_000, 112, 3, 1)


def test_a_budget_is_spent_on_an_amm() -> None:
    # fee = ceil(1.3) = 2; t = 128 * 10000 // 1128.
    assert spend(PLAIN, 130) == Quote(1_134, 128, 2, 2)


def test_a_sale_never_moves_more_than_the_real_sol() -> None:
    assert sell(replace(CURVE, real_sol=50), 1_000) == Quote(1_000, 50, 1 + 1, 0)
    assert sell(replace(CURVE, real_sol=1), 1_000) == Quote(1_000, 1, 1, 0)  # the fee is never more than that
    assert sell(replace(PLAIN, real_sol=50), 5_000) == Quote(5_000, 50, 2, 2)  # the fee is computed from the whole 333


def test_pumpswaps_fees_follow_the_market_cap() -> None:
    # 1e9 lamports against 1e9 tokens: the market cap is the supply.
    pool = replace(SWAP, sol=S, tokens=S, real_sol=S, supply=420 * S)
    # 1 % of it sold: 9900990 lamports; 20, 5 and 95 bps of them, each rounded up.
    assert sell(pool, S // 100) == Quote(S // 100, 9_900_990, 19_802 + 4_951 + 94_060, 19_802)
    below = replace(pool, supply=420 * S - 1)
    assert sell(below, S // 100).fee == 1_981 + 92_080 + 29_703
    assert sell(replace(pool, event_fees=Fees(20, 5, 0)), S // 100).fee == 19_802 + 4_951


def test_a_complete_curve_does_not_trade_but_its_tokens_have_value() -> None:
    complete = replace(CURVE, real_tokens=0, complete=True)
    assert spend(complete, 130) == buy_exactly(complete, 1) == sell(complete, 1_000) == NOTHING
    assert value_quote(complete, 1_000) == sell(CURVE, 1_000)


def test_a_shift_moves_real_reserves_but_never_completes_a_curve() -> None:
    assert shifted(CURVE, 100, 900) == replace(CURVE, sol=1_100, tokens=9_100, real_sol=600, real_tokens=7_100)
    assert shifted(CURVE, 100, 8_000).real_tokens == 1


def test_landing_is_drawn_from_splitmix64() -> None:
    # With seed ^ key = 0 these are the first numbers of SplitMix64 for the seed 0.
    assert mix(0x9E3779B97F4A7C15) == 0xE220A8397B1DCDAF
    for order_no, h in ((1, 0xE220A8397B1DCDAF), (2, 0x6E789E6AA1B965F4), (3, 0x06C45D188009454F)):
        assert chance(0x0123456789AB, "0123456789ab", order_no) == (h >> 11) / 2**53


# ---- a round trip


def test_a_round_trip_is_exact() -> None:
    trader = run(price(0), talk(1, BUY), price(3), talk(4, SELL), price(6))
    bought, sold = trader.outcomes
    assert trader.capital_lamports == 10 * S
    assert (bought.order_no, bought.side, bought.budget_lamports, bought.expected) == (1, 1, S, BOUGHT)
    assert (bought.decided_ts, bought.decided_seq, bought.ts, bought.seq) == (1 * S, 2, 2 * S, 2)
    assert (bought.token_raw, bought.sol_lamports, bought.fee_lamports) == (BOUGHT, 990_000_000, 10_000_000)
    assert (bought.network_fee_lamports, bought.failure) == (125_000, "")
    assert (sold.order_no, sold.side, sold.reason, sold.expected) == (2, -1, "signal", SOLD - SALE_FEE)
    assert (sold.decided_seq, sold.ts, sold.seq, sold.token_raw) == (4, 5 * S, 4, BOUGHT)
    assert (sold.sol_lamports, sold.fee_lamports) == (SOLD, SALE_FEE)
    loss = S - (SOLD - SALE_FEE) + 2 * 125_000
    assert trader.cash_lamports == trader.equity_lamports() == 10 * S - loss
    assert (trader.orders, trader.round_trips, trader.wins) == (2, 1, 0)
    assert (trader.gross_profit_lamports, trader.gross_loss_lamports) == (0, loss)
    assert trader.fees_lamports == 10_000_000 + SALE_FEE + 2 * 125_000


def test_equity_is_cash_plus_the_value_in_the_shifted_pool() -> None:
    trader = run(price(0), talk(1, BUY), price(3))
    assert trader.equity_lamports() == 9 * S - 125_000 + SOLD - SALE_FEE


def test_a_change_of_venue_discards_the_shift() -> None:
    trader = run(price(0), talk(1, BUY), price(3, venue=PUMPSWAP, lp_fee_bps=0))
    # 990099009 * 99e9 // (100e9 + 990099009), where the shifted pool would pay 990099009.
    assert trader.equity_lamports() == 9 * S - 125_000 + 970_588_234


# ---- failures


def test_an_order_that_does_not_land_pays_no_tip() -> None:
    trader = run(price(0), talk(1, BUY), price(3), model=Model(landing_max=0.0))
    assert endings(trader) == [("buy", "signal", 2, "did not land")]
    assert trader.cash_lamports == 10 * S - 105_000
    assert trader.round_trips == 0


def test_slippage_is_allowed_up_to_the_tolerance() -> None:
    # 10 % fewer tokens are BOUGHT * 9 / 10 = 891089108.1: a pool that gives 891089109 is just within the tolerance.
    fewer: dict[str, Any] = {"pool_sol_lamports": 110 * S}
    tokens = 990_000_000 * 100 * S // (110 * S + 990_000_000)  # 891972249
    assert tokens * 10_000 > BOUGHT * 9_000
    assert endings(run(price(0), talk(1, BUY), price(1.5, **fewer), price(3)))[0][3] == ""
    fewer["pool_sol_lamports"] = 110 * S + 110_000_000  # 891089108
    failed = run(price(0), talk(1, BUY), price(1.5, **fewer), price(3))
    assert endings(failed) == [("buy", "signal", 2, "slippage beyond tolerance")]


def test_a_buy_fails_if_the_curve_completes_before_it_arrives() -> None:
    curve = POOL | {"venue": PUMP_CURVE}
    trader = run(price(0, **curve), talk(1, BUY), price(1.5, **curve | {"real_token_raw": 0}), price(3))
    assert endings(trader) == [("buy", "signal", 2, "the pool gives nothing")]


def test_an_event_at_the_arrival_of_an_order_is_applied_first() -> None:
    dear = {"pool_sol_lamports": 200 * S}
    assert endings(run(price(0), talk(1, BUY), price(2, **dear), price(3)))[0][3] == "slippage beyond tolerance"
    assert endings(run(price(0), talk(1, BUY), price(2.1, **dear), price(3)))[0][3] == ""


# ---- decisions


def test_an_order_resets_the_votes_and_blocks_decisions_in_flight() -> None:
    trader = run(price(0), talk(1, BUY), talk(1.5, SELL), price(3), price(4))
    assert endings(trader) == [("buy", "signal", 2, "")]
    # The second gene votes at a depth event. A vote of the first that was not reset would suffice to buy then.
    two = replace(GENOME, signals=(SignalGene("mood", {}, 1.0), SignalGene("second_inflow", {}, 1.5)), threshold=0.4)
    depth = record(3, DEPTH, liquidity_usd=1.0)
    assert run(talk(1, BUY), price(2), depth, genome=two).orders == 1
    assert run(price(0), talk(1, BUY), depth, genome=two, model=Model(landing_max=0.0)).orders == 1


def test_filters_of_liquidity_and_age() -> None:
    picky = replace(GENOME, filters=FilterGenes(min_liquidity_usd=9_900.0, min_age_s=5.0))
    assert run(price(0), talk(4.9, BUY), genome=picky).orders == 0
    assert run(price(0), talk(5, BUY), genome=picky).orders == 1
    assert run(price(0), record(1, DEPTH, liquidity_usd=9_899.0), talk(5, BUY), genome=picky).orders == 0
    assert run(talk(1, BUY)).orders == 0  # the pool is unknown


def test_at_most_16_exposures() -> None:
    records = [one for token in range(20) for one in (price(0, token), talk(0, BUY, token))]
    assert run(*records, genome=replace(GENOME, size=0.01)).orders == 16


def test_the_budget_reserves_fees_of_orders_in_flight_and_of_exits() -> None:
    trader = run(price(0), price(0, 1), talk(0, BUY), talk(0, BUY, 1), price(2), genome=replace(GENOME, size=0.9))
    assert [o.budget_lamports for o in trader.outcomes] == [9 * S, S - 4 * 125_000]


@pytest.mark.parametrize(
    ("genes", "reasons"),
    [
        ({}, []),
        ({"stop_loss": 0.0199}, []),  # cost 1000125000, value 980295076
        ({"stop_loss": 0.0198}, ["stop_loss"]),
        ({"take_profit": -0.0198}, []),
        ({"take_profit": -0.0199}, ["take_profit"]),
        ({"trailing_stop": 0.0}, ["trailing_stop"]),
        # the first condition that is met
        ({"stop_loss": 0.0198, "take_profit": -0.0199, "trailing_stop": 0.0}, ["stop_loss"]),
    ],
)
def test_stops(genes: dict[str, float], reasons: list[str]) -> None:
    trader = run(price(0), talk(1, BUY), price(3), price(5), genome=exits(**genes))
    assert [o.reason for o in trader.outcomes[1:]] == reasons


def test_the_trailing_stop_counts_from_the_best_value_since_the_fill() -> None:
    def at(level: int) -> dict[str, int]:
        return {"pool_sol_lamports": level * S, "real_sol_lamports": level * S}

    records = (price(0), talk(1, BUY), price(3, **at(160)), price(5, **at(140)), price(7, **at(120)), price(9))
    trader = run(*records, genome=exits(trailing_stop=0.2))
    assert [(o.reason, o.decided_ts // S) for o in trader.outcomes[1:]] == [("trailing_stop", 7)]


# ---- work due between events


def test_a_failed_exit_of_the_longest_hold_is_retried_after_a_minute() -> None:
    # The fill is at 2; the sale at 12 fails because the pool crashed, the next one at 72 expects the new price.
    crashed = {"pool_sol_lamports": 20 * S}
    held = exits(max_hold_s=10.0, stop_loss=1.0)
    trader = run(price(0), talk(1, BUY), price(12.5, **crashed), price(100), genome=held)
    assert endings(trader)[1:] == [("sell", "max_hold", 13, "slippage beyond tolerance"), ("sell", "max_hold", 73, "")]
    assert [o.decided_ts // S for o in trader.outcomes[1:]] == [12, 72]


def test_the_longest_hold_waits_for_the_end_of_an_order() -> None:
    held = exits(max_hold_s=10.5)  # until 12.5, while the sale of 12 is in flight until 13
    never = {"pool_sol_lamports": 20 * S}
    trader = run(price(0), talk(1, BUY), talk(12, SELL), price(12.2, **never), price(60), genome=held)
    assert [(o.reason, o.decided_ts // S) for o in trader.outcomes[1:]] == [("signal", 12), ("max_hold", 13)]


def test_a_dead_token_is_closed_at_its_value() -> None:
    trader = run(price(0), talk(1, BUY), sol_price(1_801.5))
    assert endings(trader)[1:] == [("sell", "dead", 1_801, "")]
    dead = trader.outcomes[1]
    assert (dead.order_no, dead.decided_ts, dead.sol_lamports, dead.fee_lamports) == (2, dead.ts, SOLD, SALE_FEE)
    assert dead.network_fee_lamports == 0
    assert trader.cash_lamports == 9 * S - 125_000 + SOLD - SALE_FEE


def test_an_event_at_the_end_of_an_incarnation_belongs_to_it() -> None:
    assert run(price(0), talk(1, BUY), price(1_801), price(1_802)).orders == 1
    assert run(price(0), talk(1, BUY), sol_price(1_801), sol_price(1_801)).orders == 1
    assert run(price(0), talk(1, BUY), price(1_801.1)).orders == 2


def test_a_dead_token_is_closed_before_the_longest_hold_and_after_an_order() -> None:
    at_once = run(price(0), talk(1, BUY), sol_price(2_000), genome=exits(max_hold_s=1_799.0))
    assert endings(at_once)[1:] == [("sell", "dead", 1_801, "")]
    waited = run(price(0), talk(1, BUY), sol_price(2_000), genome=exits(max_hold_s=1_798.5))
    assert endings(waited)[1:] == [("sell", "max_hold", 1_801.5, "")]


def test_a_new_incarnation_has_a_new_age_and_no_pool() -> None:
    aged = replace(GENOME, filters=FilterGenes(0.0, 5.0))
    assert run(price(0), price(1_801), talk(1_802, BUY), genome=aged).orders == 0
    assert run(price(0), talk(1_801, BUY)).orders == 0


def test_an_event_without_a_token_is_delivered_to_every_token_alive() -> None:
    inflow = replace(GENOME, signals=(SignalGene("second_inflow", {}, 1.0),))
    bridge = [record(s, BRIDGE, ev.NO_TOKEN) for s in (10, 11)]
    depth = [record(12, DEPTH, token, liquidity_usd=1.0) for token in (0, 1)]
    # Such an event triggers no decision; token 1 receives only the second one.
    trader = run(price(0), bridge[0], price(10.5, 1), bridge[1], *depth, sol_price(20), genome=inflow)
    assert [(o.token, o.decided_seq) for o in trader.outcomes] == [(0, 5)]


# ---- shorts


def test_a_short_earns_funding_at_the_current_rate_and_pays_the_fee() -> None:
    records = (mark(0, 2.0, 0.01), talk(1, SHORT), mark(1_202, 2.0, -0.5), talk(1_203, BUY), mark(1_205, 2.0))
    trader = run(*records, genome=exits(stop_loss=0.5))
    notional = S * 10_000 // 10_005  # 999500249
    short, cover = trader.outcomes
    assert (short.side, short.expected, short.sol_lamports, short.fee_lamports) == (-2, 2_000_000, notional, 499_751)
    assert (short.token_raw, short.network_fee_lamports) == (0, 0)
    # A third of an hour at 1 %: 1200 s / 3600 s * 0.01 * notional = 3331667.49..., rounded down.
    assert (cover.side, cover.sol_lamports, cover.fee_lamports) == (2, notional + 3_331_667, 499_751)
    assert cover.expected == notional + 3_331_667 - 499_751
    assert trader.cash_lamports == 10 * S + 3_331_667 - 2 * 499_751
    assert trader.wins == 1


def test_a_short_gains_what_the_mark_loses() -> None:
    trader = run(mark(0, 2.0), talk(1, SHORT), mark(3, 1.5), talk(4, BUY), mark(6, 1.5))
    notional = 999_500_249
    # A quarter of the notional, 249875062.25, rounded down; the fee is on the notional at the mark, 749625186.
    assert trader.outcomes[1].sol_lamports == notional + 249_875_062
    assert trader.outcomes[1].fee_lamports == 374_813


def test_a_short_without_value_is_liquidated() -> None:
    trader = run(mark(0, 2.0), talk(1, SHORT), mark(3, 4.0))
    assert endings(trader)[1:] == [("cover", "liquidated", 3, "")]
    gone = trader.outcomes[1]
    assert (gone.order_no, gone.sol_lamports, gone.fee_lamports) == (2, 0, 0)
    assert trader.cash_lamports == 9 * S
    assert trader.gross_loss_lamports == S


def test_a_short_needs_a_mark_and_slips_when_it_falls() -> None:
    assert run(price(0), talk(1, SHORT)).orders == 0
    assert run(mark(0, 2.0), talk(1, SELL)).orders == 0
    slipped = run(mark(0, 2.0), talk(1, SHORT), mark(1.5, 1.79), mark(3, 2.0))
    assert endings(slipped) == [("short", "signal", 2, "slippage beyond tolerance")]
    assert slipped.cash_lamports == 10 * S


# ---- capital and samples


def test_capital_is_converted_at_the_first_price_of_sol() -> None:
    unknown = price(0) | {"sol_usd": 0.0}
    trader = run(unknown, talk(1, BUY) | {"sol_usd": 0.0}, talk(2, BUY), price(62), sol_price(123))
    assert trader.outcomes[0].decided_ts == 2 * S
    assert len(trader.samples) == 2  # of 62 and 122


def test_a_sample_precedes_the_work_due_at_the_same_time() -> None:
    # The sale decided at 59 is due at 60: the sample at 60 still has the position.
    trader = run(price(0), talk(1, BUY), talk(59, SELL), price(60), price(61), sol_price(300))
    held = 9 * S - 125_000 + SOLD - SALE_FEE
    assert trader.samples == [held] + [held - 125_000] * 4


def test_a_sample_includes_work_due_before_it_without_an_event() -> None:
    # The buy of 59.5 lands at 60.5, and nothing happens until 130.
    trader = run(price(0), talk(59.5, BUY), price(130), sol_price(180))
    assert trader.samples == [10 * S, 9 * S - 125_000 + SOLD - SALE_FEE, 9 * S - 125_000 + SOLD - SALE_FEE]


def test_a_strategy_added_later_is_funded_at_the_last_event() -> None:
    reference = Reference({"mood": Mood()}, Model(), 1_000.0)
    events = ev.empty(2)
    for i, fields in enumerate((sol_price(30), sol_price(91))):
        for name, value in fields.items():
            events[i][name] = value
    reference.advance(events[:1])
    reference.add(GENOME)
    reference.advance(events[1:])
    assert reference.strategies[GENOME.spec_id].samples == [10 * S]
