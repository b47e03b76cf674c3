"""Random genomes, mutation and crossover, each in the parameters' own scale."""

from dataclasses import asdict

import numpy as np

from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.sdk import Param
from memesnipe.sdk.registry import Families

MAX_SIGNALS = 3

# The genes that every genome has, beside those of its families. Units are in the names of the genome's fields.
EXITS = {
    "stop_loss": Param(0.03, 0.6, 0.2, True, "ratio"),
    "take_profit": Param(0.03, 5.0, 0.5, True, "ratio"),
    "trailing_stop": Param(0.03, 0.6, 0.2, True, "ratio"),
    "max_hold_s": Param(10, 7200, 300, True, "s"),
}
FILTERS = {
    "min_liquidity_usd": Param(10, 20_000, 200, True, "USD"),
    "min_age_s": Param(0.5, 3600, 10, True, "s"),
}
WEIGHT = Param(0.1, 1.0, 0.5, False, "share")
THRESHOLD = Param(0.2, 1.0, 0.5, False, "share")
SIZE = Param(0.02, 0.25, 0.1, True, "share")


def random_genome(rng: np.random.Generator, families: Families) -> Genome:
    """One to three signals of different families, everything drawn evenly in its own scale."""
    count = int(rng.integers(1, min(MAX_SIGNALS, len(families)) + 1))
    names = sorted(rng.choice(sorted(families), size=count, replace=False).tolist())
    return Genome(
        signals=tuple(_random_signal(rng, families, name) for name in names),
        threshold=THRESHOLD.at(rng.random()),
        size=SIZE.at(rng.random()),
        exits=ExitGenes(**{name: p.at(rng.random()) for name, p in EXITS.items()}),
        filters=FilterGenes(**{name: p.at(rng.random()) for name, p in FILTERS.items()}),
    )


def _random_signal(rng: np.random.Generator, families: Families, name: str) -> SignalGene:
    params = {key: p.at(rng.random()) for key, p in families[name].params.items()}
    return SignalGene(name, params, WEIGHT.at(rng.random()))


def crossover(rng: np.random.Generator, mother: Genome, father: Genome) -> Genome:
    """A child with each gene from either parent; a family that both have is mixed parameter by parameter."""
    theirs = {g.family: g for g in father.signals}
    pool: dict[str, SignalGene] = {g.family: g for g in (*father.signals, *mother.signals)}
    for gene in mother.signals:
        other = theirs.get(gene.family)
        if other is not None:
            weight = gene.weight if rng.random() < 0.5 else other.weight
            pool[gene.family] = SignalGene(gene.family, _mix(rng, gene.params, other.params), weight)
    count = len(mother.signals) if rng.random() < 0.5 else len(father.signals)
    names = sorted(rng.choice(sorted(pool), size=min(count, len(pool)), replace=False).tolist())
    return Genome(
        signals=tuple(pool[name] for name in names),
        threshold=mother.threshold if rng.random() < 0.5 else father.threshold,
        size=mother.size if rng.random() < 0.5 else father.size,
        exits=ExitGenes(**_mix(rng, asdict(mother.exits), asdict(father.exits))),
        filters=FilterGenes(**_mix(rng, asdict(mother.filters), asdict(father.filters))),
    )


def _mix(rng: np.random.Generator, a: dict[str, float], b: dict[str, float]) -> dict[str, float]:
    return {name: a[name] if rng.random() < 0.5 else b[name] for name in a}


def mutate(rng: np.random.Generator, genome: Genome, families: Families, rate: float) -> Genome:
    """Each number moves with probability ``rate``; with the same probability a signal is replaced by another."""

    def moved(declared: Param, value: float) -> float:
        return _move(rng, declared, value, rate)

    signals = [
        SignalGene(
            gene.family,
            {name: moved(families[gene.family].params[name], value) for name, value in gene.params.items()},
            moved(WEIGHT, gene.weight),
        )
        for gene in genome.signals
    ]
    if rng.random() < rate:
        signals = _restructure(rng, signals, families)
    return Genome(
        signals=tuple(signals),
        threshold=moved(THRESHOLD, genome.threshold),
        size=moved(SIZE, genome.size),
        exits=ExitGenes(**{name: moved(EXITS[name], value) for name, value in asdict(genome.exits).items()}),
        filters=FilterGenes(**{name: moved(FILTERS[name], value) for name, value in asdict(genome.filters).items()}),
    )


def _move(rng: np.random.Generator, declared: Param, value: float, rate: float) -> float:
    """A step of about a sixth of the range, in the parameter's own scale."""
    if rng.random() >= rate:
        return value
    return declared.at(float(np.clip(declared.share(value) + rng.normal(0.0, 0.15), 0.0, 1.0)))


def _restructure(rng: np.random.Generator, signals: list[SignalGene], families: Families) -> list[SignalGene]:
    """Add a signal, or drop one, or put another in its place."""
    absent = sorted(set(families) - {gene.family for gene in signals})
    kept = list(signals)
    if (len(kept) > 1 and rng.random() < 0.5) or (not absent and len(kept) > 1):
        kept.pop(int(rng.integers(len(kept))))
    elif absent:
        if len(kept) == MAX_SIGNALS or rng.random() < 0.5:
            kept.pop(int(rng.integers(len(kept))))
        kept.append(_random_signal(rng, families, str(rng.choice(absent))))
    return sorted(kept, key=lambda gene: gene.family)
