"""Admission: the genomes of a generation that are proposed for the arena, or the reason why there are none.

`docs/statistics.md` justifies the rules.
"""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from memesnipe.engine.genome import Genome
from memesnipe.engine.skill import deflated_sharpe_of
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.evolution.archive import behaviour_of, mix_of
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.luck_bar import LuckBar, luck_bar

MIN_TRADES: Final = 10  # round trips in each segment
MAX_PER_MIX: Final = 2  # proposals of a generation with the same families
REMEMBERED: Final = 10_000  # spec ids of the latest proposals


@dataclass(frozen=True, slots=True)
class Proposal:
    """A genome that may join the arena, with its evaluation."""

    genome: Genome
    evaluation: Evaluation
    deflated_sharpe: float  # probability of skill, from the validation segment


@dataclass(frozen=True, slots=True)
class Admitted:
    """The proposals of a generation, the fittest first; where there are none, the reason."""

    proposals: list[Proposal]
    reason: str  # "" where there are proposals
    luck: LuckBar


def deflated_of(result: StrategyResult | None, trials: int) -> float:
    """Return the probability of skill of a result chosen from ``trials``; 0 for None."""
    return 0.0 if result is None else deflated_sharpe_of(result, trials)


class Admission:
    """Chooses the proposals of each generation.

    Attributes:
        proposed: spec ids of the latest `REMEMBERED` proposals, oldest first.
    """

    def __init__(self, min_deflated_sharpe: float, *, proposals: int) -> None:
        """Create rules without a memory.

        Args:
            min_deflated_sharpe: the luck bar; 0 proposes the fittest of each generation, whatever they are.
            proposals: at most so many a generation.
        """
        self.proposed: list[str] = []
        self._min_deflated_sharpe, self._proposals = min_deflated_sharpe, proposals

    def admit(
        self, genomes: Sequence[Genome], evaluations: Sequence[Evaluation], trials: int, elites: Collection[str]
    ) -> Admitted:
        """Choose from the genomes of a generation; remember what is proposed.

        Args:
            genomes: of the generation.
            evaluations: of each genome.
            trials: number of all evaluations of the run, including these.
            elites: spec ids of the archive's elites after these evaluations.
        """
        ranked = sorted(range(len(genomes)), key=lambda i: (-evaluations[i].fitness, i))
        found = [Proposal(genomes[i], evaluations[i], deflated_of(evaluations[i].validation, trials)) for i in ranked]
        luck = luck_bar(
            [proposal.evaluation for proposal in found],
            [proposal.deflated_sharpe for proposal in found],
            trials,
            self._min_deflated_sharpe,
        )
        if self._min_deflated_sharpe == 0.0:
            admitted = Admitted(found[: self._proposals], "", luck)
        else:
            admitted = Admitted(*self._chosen(found, trials, elites), luck)
        self.proposed = [*self.proposed, *(proposal.genome.spec_id for proposal in admitted.proposals)][-REMEMBERED:]
        return admitted

    def _chosen(self, ranked: list[Proposal], trials: int, elites: Collection[str]) -> tuple[list[Proposal], str]:
        traded = [p for p in ranked if _trades(p.evaluation) >= MIN_TRADES]
        if not traded:
            return [], f"no genome made {MIN_TRADES} round trips in each segment"
        profitable = [p for p in traded if _is_profitable(p.evaluation)]
        if not profitable:
            return [], f"none of {len(traded)} genomes that traded made a profit in both segments"
        skilled = [p for p in profitable if p.deflated_sharpe >= self._min_deflated_sharpe]
        if not skilled:
            best = math.floor(100.0 * max(p.deflated_sharpe for p in profitable)) / 100.0  # never shown as the bar
            needed = f"{self._min_deflated_sharpe:g} needed"
            return [], f"best deflated Sharpe ratio {best:.2f} after {trials:,} evaluations, {needed}"
        chosen = self._different(skilled, elites)
        if not chosen:
            same = "proposed before, or trade like a better one"
            return [], f"the {len(skilled)} genomes above the bar were {same}"
        return chosen, ""

    def _different(self, skilled: list[Proposal], elites: Collection[str]) -> list[Proposal]:
        """Return the elites among the fittest genomes that were not proposed yet and have fills of their own."""
        known = set(self.proposed)
        fills = {behaviour_of(p.evaluation) for p in skilled if p.genome.spec_id in known}
        mixes: Counter[str] = Counter()
        chosen: list[Proposal] = []
        for proposal in skilled:
            behaviour, mix = behaviour_of(proposal.evaluation), mix_of(proposal.genome)
            is_elite = proposal.genome.spec_id in elites
            if not is_elite or behaviour in fills or mixes[mix] == MAX_PER_MIX or len(chosen) == self._proposals:
                continue
            fills.add(behaviour)
            mixes[mix] += 1
            chosen.append(proposal)
        return chosen


def _trades(evaluation: Evaluation) -> int:
    train, validation = evaluation.train, evaluation.validation
    return min(train.trades, validation.trades) if train is not None and validation is not None else 0


def _is_profitable(evaluation: Evaluation) -> bool:
    train, validation = evaluation.train, evaluation.validation
    return train is not None and validation is not None and min(train.total_return, validation.total_return) > 0.0
