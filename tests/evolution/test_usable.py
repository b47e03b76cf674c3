"""Which families a search uses: those whose kinds of event are all there."""

import pytest

from memesnipe.errors import InputError
from memesnipe.evolution.usable import usable_families
from memesnipe.market.events import KIND_NAMES, PRICE, SOCIAL
from memesnipe.sdk.registry import discover


def test_on_trades_alone_three_families_are_left() -> None:
    usable = usable_families(discover(), {PRICE})
    assert sorted(usable.families) == ["korean_time_burst", "mean_revert_1h", "momentum_5m"]
    assert usable.unused["social_buzz"] == ["social"]
    assert len(usable.unused) == 7
    assert usable.to_dict() == {"used": sorted(usable.families), "unused": usable.unused}


def test_a_kind_that_is_there_brings_its_family_back() -> None:
    assert "social_buzz" in usable_families(discover(), {PRICE, SOCIAL}).families
    assert usable_families(discover(), set(KIND_NAMES)).unused == {}


def test_nothing_to_breed_is_said_with_what_is_there() -> None:
    with pytest.raises(InputError, match=r"it has social$"):
        usable_families(discover(), {SOCIAL})
    with pytest.raises(InputError, match=r"it has none$"):
        usable_families(discover(), set())
