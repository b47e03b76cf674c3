"""The states of an order and their transitions."""

import pytest

from memesnipe.protocol.order_status import OPEN, TRANSITIONS, OrderStatus, TransitionError, assert_transition

ENDED = set(OrderStatus) - OPEN


def test_every_state_has_its_transitions_and_every_state_but_the_first_can_be_reached() -> None:
    assert set(TRANSITIONS) == set(OrderStatus)
    reached = {OrderStatus.INTENDED}
    while more := {after for before in reached for after in TRANSITIONS[before]} - reached:
        reached |= more
    assert reached == set(OrderStatus)


def test_a_closed_order_never_reopens() -> None:
    for before in ENDED:
        assert not TRANSITIONS[before] & OPEN
    assert all(TRANSITIONS[before] for before in OPEN)


def test_only_an_order_without_a_transaction_can_be_cancelled() -> None:
    assert [before for before in OrderStatus if OrderStatus.CANCELLED in TRANSITIONS[before]] == [OrderStatus.INTENDED]


def test_an_unknown_order_has_no_outcome() -> None:
    assert TRANSITIONS[OrderStatus.UNKNOWN] >= {OrderStatus.LANDED, OrderStatus.FAILED, OrderStatus.EXPIRED}


@pytest.mark.parametrize("before", list(OrderStatus))
def test_every_other_transition_is_rejected(before: OrderStatus) -> None:
    for after in OrderStatus:
        if after in TRANSITIONS[before]:
            assert_transition(before, after)
        else:
            with pytest.raises(TransitionError, match=f"that is {before} cannot become {after}"):
                assert_transition(before, after)
