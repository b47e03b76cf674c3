"""The genome: what evolution varies and the engine runs."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class SignalGene:
    """One family with its parameters, and the weight of its vote."""

    family: str
    params: dict[str, float]
    weight: float


@dataclass(frozen=True, slots=True)
class ExitGenes:
    """When to leave whatever the signals say; ratios of what the position cost, or of its best value."""

    stop_loss: float
    take_profit: float
    trailing_stop: float
    max_hold_s: float


@dataclass(frozen=True, slots=True)
class FilterGenes:
    """Which tokens to leave alone."""

    min_liquidity_usd: float
    min_age_s: float


@dataclass(frozen=True, slots=True)
class Genome:
    """One to three signals that vote, exits, size and filters."""

    signals: tuple[SignalGene, ...]
    threshold: float  # of the weighted votes, as a share of the weights
    size: float  # share of the strategy's capital in one position
    exits: ExitGenes
    filters: FilterGenes

    @property
    def spec_id(self) -> str:
        """A name that is the genome's content: equal genomes have equal names, wherever they were bred."""
        return blake2b(orjson.dumps(self.to_dict(), option=orjson.OPT_SORT_KEYS), digest_size=6).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """The genome as JSON-ready data; spelled out, because with thousands of them ``asdict`` takes seconds."""
        exits, filters = self.exits, self.filters
        return {
            "signals": [{"family": s.family, "params": dict(s.params), "weight": s.weight} for s in self.signals],
            "threshold": self.threshold,
            "size": self.size,
            "exits": {
                "stop_loss": exits.stop_loss,
                "take_profit": exits.take_profit,
                "trailing_stop": exits.trailing_stop,
                "max_hold_s": exits.max_hold_s,
            },
            "filters": {"min_liquidity_usd": filters.min_liquidity_usd, "min_age_s": filters.min_age_s},
        }


def simple_genome(family: str, params: dict[str, float]) -> Genome:
    """A genome of one signal, with exits, size and filters from the middle of their ranges."""
    numbers = {name: float(value) for name, value in params.items()}  # an int would give the genome another name
    return Genome(
        signals=(SignalGene(family, numbers, 1.0),),
        threshold=0.5,
        size=0.1,
        exits=ExitGenes(stop_loss=0.2, take_profit=0.5, trailing_stop=0.2, max_hold_s=300.0),
        filters=FilterGenes(min_liquidity_usd=200.0, min_age_s=10.0),
    )


_ADAPTER = TypeAdapter(Genome)


def genome_from(data: Any) -> Genome:
    """The genome of `Genome.to_dict`, checked."""
    return _ADAPTER.validate_python(data)
