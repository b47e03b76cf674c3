"""The simulator finds every planted defect, within a bounded number of runs."""

from typing import Any

import pytest

from memesnipe.testing.simulator.simulate import simulate
from tests.simulator.planted_faults import FAULTS, PlantedFault
from tests.simulator.planted_in_arenas import ARENA_FAULTS

MAX_RUNS = 500
# Found in so few histories that it takes minutes: `make test-long` looks for it.
RARE = {"messages applied before those they follow from"}


def _faults() -> list[Any]:
    marks = {name: [pytest.mark.long, pytest.mark.timeout(3_600)] for name in RARE}
    return [pytest.param(fault, id=fault.name, marks=marks.get(fault.name, [])) for fault in (*FAULTS, *ARENA_FAULTS)]


@pytest.mark.parametrize("fault", _faults())
def test_a_planted_defect_is_found(fault: PlantedFault) -> None:
    with fault.planted():
        runs_at_most = 10 * MAX_RUNS if fault.name in RARE else MAX_RUNS
        seeds = range(fault.first_seed, fault.first_seed + runs_at_most * fault.every, fault.every)
        runs = map(simulate, seeds)
        found = next((run for run in runs if not run.is_correct), None)
    assert found is not None, f"{fault.name}: {len(seeds)} runs were correct"
