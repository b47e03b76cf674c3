import numpy as np
import pytest

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.market.events import EVENT, empty, join
from tests.support import FAMILIES, Market, genome


def test_join_preserves_all_bytes() -> None:
    events = Market().trade(1).talk(2).trade(3).events()
    joined = join(events[:1], events[1:], empty(0))
    assert joined.dtype == EVENT
    assert joined.tobytes() == events.tobytes()


def test_the_engine_rejects_arrays_of_another_dtype() -> None:
    """numpy places overlapping fields side by side: a larger record, and another compilation."""
    events = Market().trade(1).trade(3).events()
    engine = Engine(FAMILIES, FillModel(), 1000.0)
    engine.add(genome("flip"))
    with pytest.raises(TypeError, match=r"events\.join"):
        engine.advance(np.concatenate([events[:1], events[1:]]))
