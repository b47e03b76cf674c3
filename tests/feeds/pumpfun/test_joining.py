"""Each transaction is new once; what an endpoint missed is counted; what arrives together is in order."""

from hypothesis import given
from hypothesis import strategies as st

from memesnipe.feeds.pumpfun.frames import Notification
from memesnipe.feeds.pumpfun.joining import DIFFERENT, MAX_REMEMBERED, REMEMBER_S, Joiner


def sent(slot: int, signature: str, *logs: str) -> Notification:
    return Notification(slot, signature, False, list(logs))


def test_a_transaction_is_new_once() -> None:
    joiner = Joiner(["a", "b"])
    assert joiner.add("a", sent(1, "x"), 0.0)
    assert not joiner.add("a", sent(1, "x"), 0.1)
    assert not joiner.add("b", sent(1, "x"), REMEMBER_S)
    assert joiner.add("b", sent(1, "y"), REMEMBER_S)
    assert joiner.counts == {"duplicate transactions": 2}


def test_what_arrives_together_is_ordered_by_slot_then_arrival() -> None:
    joiner = Joiner(["a", "b"])
    ordered = joiner.in_order([sent(3, "c"), sent(2, "a"), sent(2, "b"), sent(4, "d")])
    assert [notification.signature for notification in ordered] == ["a", "b", "c", "d"]
    assert [notification.slot for notification in joiner.in_order([sent(5, "f"), sent(2, "late")])] == [2, 5]
    assert joiner.counts == {"transactions out of order": 1}


def test_copies_that_differ_in_what_programs_wrote_are_counted() -> None:
    joiner = Joiner(["a", "b", "c"])
    joiner.add("a", sent(1, "x", "Log truncated"), 0.0)
    joiner.add("b", sent(1, "x", "Program log: one", "Program data: 1"), 1.0)
    joiner.add("c", sent(1, "x", "Program log: two", "Program data: 1"), 2.0)
    assert DIFFERENT not in joiner.counts
    joiner.add("a", sent(1, "x", "Program data: 2"), 3.0)
    assert joiner.counts[DIFFERENT] == 1
    assert joiner.differed_at_s == 3.0


def test_what_an_endpoint_did_not_deliver_is_counted_once_copies_are_no_longer_expected() -> None:
    joiner = Joiner(["a", "b"])
    joiner.add("a", sent(1, "x"), 0.0)
    joiner.add("a", sent(1, "y"), 0.0)
    joiner.add("b", sent(1, "y"), 1.0)
    assert joiner.missed == {"a": 0, "b": 0}
    joiner.add("b", sent(2, "z"), REMEMBER_S + 0.1)
    assert joiner.missed == {"a": 0, "b": 1}


def test_memory_is_bounded() -> None:
    joiner = Joiner(["a"])
    for n in range(MAX_REMEMBERED + 10):
        joiner.add("a", sent(n, str(n)), 0.0)
    assert len(joiner._seen) == MAX_REMEMBERED


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5), st.integers(0, 9)), max_size=40))
def test_every_transaction_is_new_exactly_once_and_in_order(arrivals) -> None:
    joiner = Joiner(["a", "b"])
    frames = [(name, sent(slot, f"{slot}:{number}")) for name, slot, number in arrivals]
    ordered = joiner.in_order([frame for name, frame in frames if joiner.add(name, frame, 0.0)])
    assert [n.slot for n in ordered] == sorted(n.slot for n in ordered)
    assert sorted(n.signature for n in ordered) == sorted({frame.signature for _, frame in frames})
