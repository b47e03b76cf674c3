"""`memesnipe flatten` names each state of a sale once, in words."""

import pytest

from memesnipe.cli.sale_states import SaleStates, state_of
from memesnipe.storage.flattening import Held, PositionKey, Sale

ONE, TWO = ("live", "aa11", 1), ("live", "bb22", 2)
POSITIONS: dict[PositionKey, Held] = {ONE: Held("MintOne", 5), TWO: Held("MintTwo", 7)}


def sale(status: str, failure: str = "", lamports: int = 0) -> Sale:
    return Sale("live-aa11-1", status, lamports, failure)


@pytest.mark.parametrize(
    ("is_held", "order", "words"),
    [
        (False, sale("landed", lamports=1_500_000), "sold for 0.001500 SOL"),
        (True, sale("landed", lamports=1_500_000), "sold for 0.001500 SOL"),
        (True, sale("reconciled", "slipped"),
         "not sold: the order ended as reconciled (slipped); tried again at the token's next event"),
        (False, None, "closed by an earlier order"),
        (True, None, "held; the desk has sent no order for it yet"),
        (True, sale("submitted"), "being sold: the order is submitted"),
        (True, sale("expired"), "not sold: the order ended as expired; tried again at the token's next event"),
        (True, sale("failed", "slipped"),
         "not sold: the order ended as failed (slipped); tried again at the token's next event"),
    ],
)  # fmt: skip
def test_a_state_is_in_words(is_held: bool, order: Sale | None, words: str) -> None:
    assert state_of(is_held, order) == words


def test_a_state_is_named_once_although_the_sale_is_tried_again_and_again() -> None:
    states = SaleStates()
    seen = [
        line
        for _ in range(3)
        for words in ("being sold", "not sold")
        for line in states.new_lines(POSITIONS, {ONE: words})
    ]
    assert seen == ["live aa11 MintOne: being sold", "live aa11 MintOne: not sold"]
    assert states.new_lines(POSITIONS, {ONE: "sold"}) == ["live aa11 MintOne: sold"]


def test_positions_in_the_same_state_share_a_line() -> None:
    states = SaleStates()
    assert states.new_lines(POSITIONS, {ONE: "being sold", TWO: "being sold"}) == ["2 positions: being sold"]
    assert states.new_lines(POSITIONS, {ONE: "sold for 1 SOL", TWO: "being sold"}) == [
        "live aa11 MintOne: sold for 1 SOL"
    ]
