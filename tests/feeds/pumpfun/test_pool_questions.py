"""When a pool is asked for, and when it is asked for again."""

from collections import Counter
from math import inf

from memesnipe.feeds.pumpfun.accounts import Account
from memesnipe.feeds.pumpfun.pool_questions import MAX_KEYS, MAX_WAITING, PUT_OFF, PoolQuestions
from memesnipe.feeds.pumpfun.programs import PUMP_AMM
from memesnipe.testing.pumpfun_frames import key_of
from tests.feeds.pumpfun.chain import MINT, POOL
from tests.feeds.pumpfun.node import account, pool_data


def test_an_account_that_does_not_exist_is_asked_for_ever_later_and_then_not_at_all() -> None:
    questions, now_s, waits = PoolQuestions(Counter()), 0.0, []
    assert questions.want(POOL)
    while questions.due_s() < inf:
        assert questions.due_s() >= now_s
        waits.append(questions.due_s() - now_s)
        assert questions.next_pools(questions.due_s() - 0.1) == []
        now_s = questions.due_s()
        assert questions.next_pools(now_s) == [POOL]
        assert questions.answer([POOL], [None], now_s) == []
    assert waits == [0.0, 1.0, 4.0, 16.0, 64.0]
    assert questions.want(POOL)


def test_the_waits_for_a_mint_begin_again() -> None:
    questions = PoolQuestions(Counter())
    questions.want(POOL)
    for now_s in (0.0, 1.0, 5.0):
        questions.answer([POOL], [None], now_s)
    found = account(PUMP_AMM, pool_data())
    questions.answer([POOL], [Account(found["owner"], tuple(found["data"]))], 21.0)
    assert questions.keys_of(questions.next_pools(21.0)) == [MINT]
    questions.answer([POOL], [None], 21.0)
    assert questions.due_s() == 22.0


def test_pools_are_asked_for_in_order_as_many_as_a_request_may_have() -> None:
    counts: Counter[str] = Counter()
    questions = PoolQuestions(counts)
    pools = [key_of(str(n)) for n in range(MAX_WAITING)]
    assert all(map(questions.want, pools))
    assert not questions.want(pools[0])
    assert counts[PUT_OFF] == 0
    assert not questions.want(POOL)
    assert counts[PUT_OFF] == 1
    assert questions.next_pools(0.0) == pools[:MAX_KEYS]
