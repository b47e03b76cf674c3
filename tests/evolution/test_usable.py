"""The families usable on a tape: those whose kinds of event all occur."""

import pytest

from memesnipe.errors import InputError
from memesnipe.evolution.usable import usable_families
from memesnipe.market.events import KIND_NAMES, PRICE, SOCIAL
from memesnipe.sdk.registry import discover


def test_three_families_are_usable_on_trades_alone() -> None:
    usable = usable_families(discover(), {PRICE})
    assert sorted(usable.families) == ["korean_time_burst", "mean_revert_1h", "momentum_5m"]
    assert usable.unused["social_buzz"] == ["social"]
    assert len(usable.unused) == 7
    assert usable.to_dict() == {"used": sorted(usable.families), "unused": usable.unused}


def test_families_are_usable_if_all_their_kinds_occur() -> None:
    assert "social_buzz" in usable_families(discover(), {PRICE, SOCIAL}).families
    assert usable_families(discover(), set(KIND_NAMES)).unused == {}


def test_no_usable_family_is_an_error_that_lists_the_kinds() -> None:
    with pytest.raises(InputError, match=r"it has social$"):
        usable_families(discover(), {SOCIAL})
    with pytest.raises(InputError, match=r"it has none$"):
        usable_families(discover(), set())
