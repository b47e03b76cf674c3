"""What the live results of the arena change in the search: its parents, what it leaves out, and what it draws less.

A backtest of the search says how a genome would have traded in hours that the search has seen. The arena says how it
trades in hours that nobody had seen when it was chosen.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from memesnipe.engine.genome import Genome
from memesnipe.protocol.messages import ArenaStandings

MIN_ROUND_TRIPS: Final = 10  # of a strategy whose live results count
REMEMBERED: Final = 10_000  # spec ids of the latest strategies that lost
MIN_WEIGHT: Final = 0.1  # of a family, so that none is ever lost


@dataclass(frozen=True, slots=True)
class Guidance:
    """What the search takes from live results.

    Attributes:
        parents: strategies whose expected return, less its standard deviation, is positive; the best first.
        losers: spec ids of strategies whose expected return, plus its standard deviation, is negative.
        family_weights: relative probability of each family in new signals; a family without one has 1.
    """

    parents: tuple[Genome, ...] = ()
    losers: frozenset[str] = frozenset()
    family_weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class LiveResults:
    """The genomes in the arena and their latest standings; plain data, so that it is a part of saved states."""

    genomes: dict[str, Genome] = field(default_factory=dict)  # in the arena, or proposed since the last standings
    profitable: list[str] = field(default_factory=list)  # the highest lower bound first
    losing: list[str] = field(default_factory=list)  # in the arena
    lost: list[str] = field(default_factory=list)  # the latest that have left the arena as losing ones, oldest first

    def propose(self, genomes: Iterable[Genome]) -> None:
        """Add genomes that are proposed for the arena."""
        self.genomes |= {genome.spec_id: genome for genome in genomes}

    def update(self, standings: ArenaStandings) -> None:
        """Replace the results by the standings of all strategies in the arena."""
        present = set(standings.spec_ids)
        left = [spec_id for spec_id in self.losing if spec_id not in present]
        self.lost = [*(spec_id for spec_id in self.lost if spec_id not in present), *left][-REMEMBERED:]
        self.genomes = {spec_id: genome for spec_id, genome in self.genomes.items() if spec_id in present}
        bounds = [
            (expected - deviation, expected + deviation, spec_id)
            for spec_id, round_trips, expected, deviation in standings.rows()
            if round_trips >= MIN_ROUND_TRIPS and spec_id in self.genomes
        ]
        self.profitable = [spec_id for lower, _, spec_id in sorted(bounds, key=_best_first) if lower > 0.0]
        self.losing = [spec_id for _, upper, spec_id in bounds if upper < 0.0]

    def guidance(self) -> Guidance:
        """Return what the search takes from the results."""
        profitable, losing = Counter[str](), Counter[str]()
        for counter, spec_ids in ((profitable, self.profitable), (losing, self.losing)):
            for spec_id in spec_ids:
                counter.update(gene.family for gene in self.genomes[spec_id].signals)
        weights = {
            family: max((1 + profitable[family]) / (1 + profitable[family] + losing[family]), MIN_WEIGHT)
            for family in sorted(losing)
        }
        parents = tuple(self.genomes[spec_id] for spec_id in self.profitable)
        return Guidance(parents, frozenset([*self.losing, *self.lost]), weights)


def _best_first(bound: tuple[float, float, str]) -> tuple[float, str]:
    return -bound[0], bound[2]
