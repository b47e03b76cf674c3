import numpy as np
import pytest

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.market.events import EVENT, empty, join
from tests.support import FAMILIES, Market, genome


def test_joined_records_are_records_byte_by_byte() -> None:
    events = Market().trade(1).talk(2).trade(3).events()
    joined = join(events[:1], events[1:], empty(0))
    assert joined.dtype == EVENT
    assert joined.tobytes() == events.tobytes()


def test_the_engine_refuses_what_numpy_makes_of_records() -> None:
    """numpy lays overlapping fields out side by side: half as long again, and another compilation."""
    events = Market().trade(1).trade(3).events()
    engine = Engine(FAMILIES, FillModel(), 1000.0)
    engine.add(genome("flip"))
    with pytest.raises(TypeError, match=r"events\.join"):
        engine.advance(np.concatenate([events[:1], events[1:]]))
