"""Spending: limits of the transaction, the hour and the day hold over restarts and between threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.signer.policy import Spend
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.spending import Spending, SpendingBook

LIMITS = Spend(per_transaction=10, per_hour=25, per_day=40, exit_costs_per_day=5)
HOUR_MS = 3_600_000
NOW_MS = 1_790_000_000_000


def buy(number: int, lamports: int = 10) -> Spending:
    return Spending(f"hash-{number}", f"order-{number}", lamports, is_exit=False)


def exit_of(number: int, lamports: int = 1) -> Spending:
    return Spending(f"hash-{number}", f"order-{number}", lamports, is_exit=True)


def refused(book: SpendingBook, spending: Spending, now_ms: int) -> Reason:
    with pytest.raises(RefusedError) as caught:
        book.spend(spending, LIMITS, now_ms)
    return caught.value.reason


def test_limits_hold_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "signer" / "spending.sqlite"
    for number in range(2):
        book = SpendingBook(path)
        book.spend(buy(number), LIMITS, NOW_MS)
        book.close()
    assert path.stat().st_mode & 0o777 == 0o600
    book = SpendingBook(path)
    assert refused(book, buy(2), NOW_MS) is Reason.SPEND_HOUR
    assert refused(book, buy(2, 11), NOW_MS) is Reason.SPEND_TRANSACTION
    book.spend(buy(2, 5), LIMITS, NOW_MS)
    book.spend(buy(3), LIMITS, NOW_MS + HOUR_MS)
    assert refused(book, buy(4), NOW_MS + HOUR_MS) is Reason.SPEND_DAY
    assert refused(book, buy(4), NOW_MS + 24 * HOUR_MS - 1) is Reason.SPEND_DAY
    book.spend(buy(4), LIMITS, NOW_MS + 24 * HOUR_MS)
    assert book.spent(is_exit=False, since_ms=0) == 45


def test_sales_are_possible_when_the_limits_are_used_up(tmp_path: Path) -> None:
    book = SpendingBook(tmp_path / "spending.sqlite")
    for number in range(4):
        book.spend(buy(number), LIMITS, NOW_MS + number * HOUR_MS)
    now_ms = NOW_MS + 3 * HOUR_MS
    assert refused(book, buy(5, 1), now_ms) is Reason.SPEND_DAY
    for number in range(10, 15):
        book.spend(exit_of(number), LIMITS, now_ms)
    assert refused(book, exit_of(15), now_ms) is Reason.EXIT_COSTS
    assert book.spent(is_exit=False, since_ms=0) == 40, "costs of sales have a limit of their own"


def test_a_clock_that_was_set_back_frees_nothing(tmp_path: Path) -> None:
    book = SpendingBook(tmp_path / "spending.sqlite")
    for number in range(2):
        book.spend(buy(number), LIMITS, NOW_MS)
    assert refused(book, buy(2), NOW_MS - 48 * HOUR_MS) is Reason.SPEND_HOUR


def test_an_order_has_one_transaction_and_it_counts_once(tmp_path: Path) -> None:
    book = SpendingBook(tmp_path / "spending.sqlite")
    assert not book.find("hash-1", "order-1")
    book.spend(buy(1), LIMITS, NOW_MS)
    assert book.find("hash-1", "order-1")
    assert refused(book, Spending("hash-2", "order-1", 1, is_exit=False), NOW_MS) is Reason.ORDER_SIGNED
    for other in (("hash-2", "order-1"), ("hash-1", "order-2")):
        with pytest.raises(RefusedError) as caught:
            book.find(*other)
        assert caught.value.reason is Reason.ORDER_SIGNED
    assert book.spent(is_exit=False, since_ms=0) == 10


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 30)), max_size=25))
@settings(max_examples=50, deadline=None)
def test_no_window_ever_exceeds_its_limit(
    tmp_path_factory: pytest.TempPathFactory, tries: list[tuple[int, int]]
) -> None:
    book = SpendingBook(tmp_path_factory.mktemp("book") / "spending.sqlite")
    accepted: list[tuple[int, int]] = []
    now_ms = NOW_MS
    for number, (lamports, minutes) in enumerate(tries):
        now_ms += minutes * 60_000
        try:
            book.spend(buy(number, lamports), LIMITS, now_ms)
        except RefusedError:
            hour = sum(x for x, at in accepted if at > now_ms - HOUR_MS)
            day = sum(x for x, at in accepted if at > now_ms - 24 * HOUR_MS)
            assert lamports > 10 or hour + lamports > 25 or day + lamports > 40, "refused without a reason"
            continue
        accepted.append((lamports, now_ms))
    for _, end in accepted:
        assert sum(x for x, at in accepted if end - HOUR_MS < at <= end) <= 25
        assert sum(x for x, at in accepted if end - 24 * HOUR_MS < at <= end) <= 40
    book.close()


def test_threads_cannot_exceed_a_limit_together(tmp_path: Path) -> None:
    books = [SpendingBook(tmp_path / "spending.sqlite") for _ in range(2)]

    def attempt(number: int) -> bool:
        try:
            books[number % 2].spend(buy(number), LIMITS, NOW_MS)
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(32))) == 2


def test_nonces_are_remembered_over_restarts_until_they_are_too_old(tmp_path: Path) -> None:
    path = tmp_path / "spending.sqlite"
    book = SpendingBook(path)
    assert book.remember("a", 100, 0)
    book.close()
    book = SpendingBook(path)
    assert not book.remember("a", 100, 100)
    assert book.remember("a", 200, 101), "a request of that time is refused for its age"
