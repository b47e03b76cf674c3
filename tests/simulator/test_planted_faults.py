"""The simulator finds every planted defect, within a bounded number of runs."""

import pytest

from memesnipe.testing.simulator.market import MARKETS
from memesnipe.testing.simulator.outcome import undisturbed
from memesnipe.testing.simulator.simulate import simulate
from tests.simulator.planted_faults import FAULTS, PlantedFault
from tests.simulator.planted_in_arenas import ARENA_FAULTS

MAX_RUNS = 500


@pytest.fixture(autouse=True, scope="module")
def correct_runs() -> None:
    """Simulate the undisturbed runs, which this process keeps for every comparison, while nothing is planted."""
    for market in MARKETS:
        undisturbed(market)


@pytest.mark.parametrize("fault", [*FAULTS, *ARENA_FAULTS], ids=lambda fault: fault.name)
def test_a_planted_defect_is_found(fault: PlantedFault) -> None:
    with fault.planted():
        seeds = range(fault.first_seed, fault.first_seed + MAX_RUNS * fault.every, fault.every)
        runs = map(simulate, seeds)
        found = next((run for run in runs if not run.is_correct), None)
    assert found is not None, f"{fault.name}: {MAX_RUNS} runs were correct"
