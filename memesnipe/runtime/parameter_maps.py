"""Parameter maps of a backtest: the result of a strategy with two of its numbers changed, over their ranges."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from memesnipe.engine.backtest import backtest
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome, SignalGene
from memesnipe.evolution.ranges import EXITS
from memesnipe.evolution.space import rounded
from memesnipe.market.events import Events
from memesnipe.sdk import Param
from memesnipe.sdk.registry import Families
from memesnipe.tearsheet.sheet import Grid

CELLS: Final = 6  # of a map, in each direction
_NOTE: Final = (
    "Each cell is a backtest on the same events; the outlined one is the strategy itself. A result that its neighbours "
    "do not share is more likely luck than skill."
)


@dataclass(frozen=True, slots=True)
class Axis:
    """Values of one number of a genome, ascending; one of them is the genome's own."""

    name: str
    of: str  # the family, where it is one's parameter
    unit: str
    values: tuple[float, ...]
    own: int
    with_value: Callable[[Genome, float], Genome]

    @property
    def full_name(self) -> str:
        """The name with its family."""
        return f"{self.name} of {self.of}" if self.of else self.name

    @property
    def labels(self) -> list[str]:
        """The values as text."""
        if self.unit in ("ratio", "share"):
            return [f"{value:.2g}" if value >= 10.0 else f"{value:.1%}" for value in self.values]
        return [f"{_short(value)} {self.unit}".strip() for value in self.values]


def parameter_maps(
    events: Events, genome: Genome, families: Families, model: FillModel, capital_usd: float
) -> list[Grid]:  # fmt: skip
    """Backtest a genome over two pairs of its numbers: its exits, and the parameters of its strongest signal.

    Args:
        events: with `seq` assigned.
        genome: in the middle of the maps.
        families: definitions of the families of the genome.
        model: how orders are filled.
        capital_usd: starting capital.
    """
    pairs = [_exits(genome), _signal(genome, families)]
    plans = [(down, across, _genomes(genome, down, across)) for down, across in pairs]
    tested = [changed for _, _, genomes in plans for changed in genomes]
    results = backtest(events, tested, families, model, capital_usd)
    shape = (CELLS, CELLS)
    found = []
    for number, (down, across, _) in enumerate(plans):
        part = results[number * CELLS * CELLS : (number + 1) * CELLS * CELLS]
        found.append(
            Grid(
                title=f"Total return by {down.full_name} and {across.full_name}",
                rows=down.labels,
                columns=across.labels,
                values=np.array([result.total_return for result in part]).reshape(shape),
                axes=(down.name, across.name),
                trades=np.array([result.trades for result in part], np.int64).reshape(shape),
                own=(down.own, across.own),
                note=_NOTE,
            )
        )
    return found


def axis(
    name: str, declared: Param, own: float, with_value: Callable[[Genome, float], Genome], of: str = ""
) -> Axis:  # fmt: skip
    """Return values over the range of a number, the nearest to the genome's own one replaced by that."""
    index = round(declared.share(own) * (CELLS - 1))
    values = [rounded(declared.at(i / (CELLS - 1))) for i in range(CELLS)]
    values[index] = own
    return Axis(name, of, declared.unit, tuple(values), index, with_value)


def _short(value: float) -> str:
    """Return a number with three digits, thousands and millions as K and M."""
    for least, unit, letter in ((1e6, 1e6, "M"), (1e4, 1e3, "K")):
        if abs(value) >= least:
            return f"{value / unit:,.3g}{letter}"
    return f"{float(f'{value:.3g}'):,g}"


def _exits(genome: Genome) -> tuple[Axis, Axis]:
    return _exit(genome, "stop_loss", "stop loss"), _exit(genome, "take_profit", "take profit")


def _exit(genome: Genome, field: str, name: str) -> Axis:
    def with_value(of: Genome, value: float) -> Genome:
        return replace(of, exits=replace(of.exits, **{field: value}))

    return axis(name, EXITS[field], getattr(genome.exits, field), with_value)


def _signal(genome: Genome, families: Families) -> tuple[Axis, Axis]:
    """Return the first two parameters of the signal with the greatest weight; the holding time for a missing one."""
    strongest = max(range(len(genome.signals)), key=lambda i: genome.signals[i].weight)
    gene = genome.signals[strongest]
    found = [_parameter(gene, strongest, name, known) for name, known in families[gene.family].params.items()]
    found += [_exit(genome, "max_hold_s", "longest holding time"), _exit(genome, "trailing_stop", "trailing stop")]
    return found[0], found[1]


def _parameter(gene: SignalGene, index: int, name: str, declared: Param) -> Axis:
    def with_value(of: Genome, value: float) -> Genome:
        signals = list(of.signals)
        signals[index] = replace(signals[index], params={**signals[index].params, name: value})
        return replace(of, signals=tuple(signals))

    return axis(name, declared, gene.params[name], with_value, gene.family)


def _genomes(genome: Genome, down: Axis, across: Axis) -> Sequence[Genome]:
    """Return the genome of each cell, row by row."""
    return [across.with_value(down.with_value(genome, row), column) for row in down.values for column in across.values]
