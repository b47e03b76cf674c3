"""Each transaction is released once, by slot within the window; what an endpoint missed is counted."""

from hypothesis import given
from hypothesis import strategies as st

from memesnipe.feeds.pumpfun.frames import Notification
from memesnipe.feeds.pumpfun.joining import MAX_HELD, MAX_REMEMBERED, REMEMBER_S, Joiner


def sent(slot: int, signature: str, *logs: str) -> Notification:
    return Notification(slot, signature, False, list(logs))


def signatures(released: list[Notification]) -> list[str]:
    return [notification.signature for notification in released]


def test_copies_of_a_transaction_are_released_once_also_later() -> None:
    joiner = Joiner(["a", "b"], 0.25)
    joiner.add("a", sent(1, "x"), 0.0)
    joiner.add("a", sent(1, "x"), 0.1)
    joiner.add("b", sent(1, "x"), 0.1)
    assert joiner.release(0.2) == []
    assert signatures(joiner.release(0.25)) == ["x"]
    joiner.add("b", sent(1, "x"), 1.0)
    assert joiner.release(9.0) == []
    assert joiner.counts == {"duplicate transactions": 3}


def test_transactions_within_the_window_are_ordered_by_slot_then_arrival() -> None:
    joiner = Joiner(["a", "b"], 0.25)
    for at, (slot, name) in enumerate([(3, "c"), (2, "a"), (2, "b"), (4, "d")]):
        joiner.add("ab"[at % 2], sent(slot, name), at * 0.01)
    assert signatures(joiner.release(0.255)) == ["a", "b", "c"]
    joiner.add("a", sent(2, "late"), 0.26)
    assert signatures(joiner.release(0.3)) == ["late", "d"]
    assert joiner.is_empty
    assert joiner.counts == {"transactions out of order": 1}


def test_a_copy_with_whole_logs_replaces_a_truncated_one() -> None:
    joiner = Joiner(["a", "b"], 0.25)
    joiner.add("a", sent(1, "x", "Log truncated"), 0.0)
    joiner.add("b", sent(1, "x", "whole"), 0.0)
    joiner.add("a", sent(1, "x", "Log truncated"), 0.0)
    assert joiner.release(1.0) == [sent(1, "x", "whole")]


def test_what_an_endpoint_did_not_deliver_is_counted_once_copies_are_no_longer_expected() -> None:
    joiner = Joiner(["a", "b"], 0.25)
    joiner.add("a", sent(1, "x"), 0.0)
    joiner.add("a", sent(1, "y"), 0.0)
    joiner.add("b", sent(1, "y"), 1.0)
    assert joiner.missed == {"a": 0, "b": 0}
    joiner.add("b", sent(2, "z"), REMEMBER_S + 0.1)
    assert joiner.missed == {"a": 0, "b": 1}


def test_memory_is_bounded() -> None:
    joiner = Joiner(["a"], 0.25)
    for n in range(MAX_REMEMBERED + 10):
        joiner.add("a", sent(n, str(n)), 0.0)
    assert len(joiner.release(0.0)) == MAX_REMEMBERED + 10 - MAX_HELD
    assert len(joiner._seen) == MAX_REMEMBERED
    assert len(joiner.release(1.0)) == MAX_HELD
    assert joiner.counts == {}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.integers(0, 9)), max_size=40))
def test_every_transaction_is_released_exactly_once_in_order(arrivals) -> None:
    joiner = Joiner(["a", "b"], 0.25)
    for name, slot, transaction in arrivals:
        joiner.add(name, sent(slot, f"{slot}:{transaction}"), 0.0)
    released = joiner.release(1.0)
    assert [n.slot for n in released] == sorted(n.slot for n in released)
    assert sorted(signatures(released)) == sorted({f"{slot}:{transaction}" for _, slot, transaction in arrivals})
