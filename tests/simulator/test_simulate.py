"""Simulated runs: every check passes, and a seed repeats its run."""

from functools import cache

import pytest

from memesnipe.testing.simulator.simulate import simulate

# In parts that the workers of the tests share: a sample of the two thousand that CI runs next (`.ci/run`).
PARTS, RUNS_OF_A_PART = 2, 20


simulated = cache(simulate)  # the first run of each seed, which two tests look at


@pytest.mark.parametrize("part", range(PARTS))
def test_simulated_runs_are_correct(part: int) -> None:
    runs = [simulated(seed) for seed in range(part * RUNS_OF_A_PART, (part + 1) * RUNS_OF_A_PART)]
    wrong = [run for run in runs if not run.is_correct]
    assert not wrong, f"seed {wrong[0].seed} ({', '.join(wrong[0].faults)}): {wrong[0].error}"
    assert sum(run.trades for run in runs) > RUNS_OF_A_PART, "runs without trades show little"
    assert sum(len(run.faults) for run in runs) > RUNS_OF_A_PART


def test_a_seed_repeats_its_run() -> None:
    assert [simulate(seed) for seed in range(5)] == [simulated(seed) for seed in range(5)]
