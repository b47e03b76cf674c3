from memesnipe.market.board import Board
from memesnipe.market.events import rows
from memesnipe.market.pools import pool_after
from tests.support import SOL_USD, START_TS, Market


def test_a_token_is_as_its_last_trade_left_it_and_as_old_as_its_first() -> None:
    market = Market().trade(1).trade(3, sol=2.0).talk(5)
    events, board = market.events(), Board()
    for event in rows(events):
        board.see(event)
    token = board.tokens[0]
    assert (token.first_ts, token.last_ts) == (START_TS + 10**9, START_TS + 3 * 10**9)
    assert token.pool == market.pools["A"] == pool_after(list(rows(events))[1])
    assert (token.price_usd, token.liquidity_usd) == (events["price_usd"][1], events["liquidity_usd"][1])
    assert (board.last_ts, board.last_seq) == (START_TS + 5 * 10**9, 3)


def test_an_event_that_does_not_know_the_price_of_sol_leaves_it() -> None:
    market = Market().trade(1).talk(2)
    market.raw[1]["sol_usd"] = 0.0
    board = Board()
    for event in rows(market.events()):
        board.see(event)
    assert board.sol_usd == SOL_USD
