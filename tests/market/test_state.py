from memesnipe.market.events import rows
from memesnipe.market.pools import pool_after
from memesnipe.market.state import MarketState
from tests.support import SOL_USD, START_TS, Market


def _state_of(market: Market) -> MarketState:
    market_state = MarketState()
    for event in rows(market.events()):
        market_state.apply(event)
    return market_state


def test_a_token_has_the_pool_of_its_last_trade() -> None:
    market = Market().trade(1).trade(3, sol=2.0).talk(5)
    market_state = _state_of(market)
    token = market_state.tokens[0]
    assert token.ts == START_TS + 5 * 10**9
    assert token.pool == market.pools["A"] == pool_after(list(rows(market.events()))[1])
    assert (market_state.last_ts, market_state.last_seq) == (START_TS + 5 * 10**9, 3)


def test_dead_tokens_are_dropped_except_those_in_use() -> None:
    market_state = _state_of(Market().trade(1, "A").trade(2, "B").trade(3, "C").trade(10, "D"))
    market_state.drop_dead(8 * 10**9, keep={0})
    assert sorted(market_state.tokens) == [0, 1, 2, 3]
    market_state.drop_dead(7 * 10**9 - 1, keep={0})
    assert sorted(market_state.tokens) == [0, 3]


def test_an_event_without_a_sol_price_keeps_the_last_one() -> None:
    market = Market().trade(1).talk(2)
    market.raw[1]["sol_usd"] = 0.0
    market_state = MarketState()
    for event in rows(market.events()):
        market_state.apply(event)
    assert market_state.sol_usd == SOL_USD
    assert market_state.tokens[0].sol_usd == SOL_USD


def test_a_token_without_a_sol_price_of_its_own_has_that_of_the_market() -> None:
    market = Market().trade(1, "A").talk(2, "B")
    market.raw[1]["sol_usd"] = 0.0
    assert _state_of(market).tokens[1].sol_usd == SOL_USD
