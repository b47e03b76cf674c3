"""A genome in plain sentences: what it looks at, when it buys, when it sells, and how much."""

from collections.abc import Mapping
from typing import Final

from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.engine.layout import MAX_EXPOSURES
from memesnipe.number_text import significant
from memesnipe.sdk.rule import filled
from memesnipe.sdk.strategy import Param, Strategy

_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3_600.0, 86_400.0
_CLOCK: Final = "hour in "


def describe(genome: Genome, families: Mapping[str, Strategy]) -> dict[str, str]:
    """Return sentences about a genome, each under what it is about.

    Args:
        genome: to describe.
        families: those of its signals, by name.
    """
    weights = sum(gene.weight for gene in genome.signals)
    described = {gene.family: _signal(gene, weights, families[gene.family]) for gene in genome.signals}
    return {
        **described,
        "buys": _entry(genome),
        "sells": _exits(genome.exits),
        "size": f"A position takes {_percent(genome.size)} of its capital; it has at most {MAX_EXPOSURES} at a time.",
        "tokens": _filters(genome.filters),
    }


def _signal(gene: SignalGene, weights: float, family: Strategy) -> str:
    share = f"{_percent(gene.weight / weights)} of the votes" if weights else "no vote"
    sentences = [f"{family.about.rstrip('.')}."] if family.about else []
    sentences.append(f"It has {share}.")
    if family.rule and family.params.keys() <= gene.params.keys():  # a stored genome may be of an older version
        rule = filled(family.rule, lambda name: quantity(gene.params[name], family.params[name].unit))
        sentences.append(f"It {rule}")
    elif gene.params:
        listed = ", ".join(_parameter(name, value, family.params[name]) for name, value in gene.params.items())
        sentences.append(f"Its parameters are {listed}.")
    return " ".join(sentences)


def _parameter(name: str, value: float, declared: Param) -> str:
    """Return a parameter of a family that has no rule in words: its name as it is typed, its value and its range."""
    low, high = (quantity(limit, declared.unit) for limit in (declared.low, declared.high))
    return f"{name} = {quantity(value, declared.unit)} (from {low} to {high})"


def _entry(genome: Genome) -> str:
    if len(genome.signals) == 1:
        return "It buys when its signal votes to buy. A vote to short opens a short where the token has a perp market."
    return (
        f"It buys when the votes to buy, less those to sell, reach {_percent(genome.threshold)} of all votes. Where "
        "the token has a perp market, it opens a short when the votes to sell reach as many and one is to short."
    )


def _exits(exits: ExitGenes) -> str:
    return (
        f"It sells when the votes turn as far the other way, at a loss of {_percent(exits.stop_loss)}, at a profit of "
        f"{_percent(exits.take_profit)}, when the position is worth {_percent(exits.trailing_stop)} less than at its "
        f"best, or after {duration(exits.max_hold_s)}, whichever is first."
    )


def _filters(filters: FilterGenes) -> str:
    return (
        f"It buys only tokens with at least {filters.min_liquidity_usd:,.0f} USD of liquidity, and not in the first "
        f"{duration(filters.min_age_s)} of a token's life."
    )


def quantity(value: float, unit: str) -> str:
    """Return the value of a parameter with its unit in words."""
    known = {
        "s": duration(value), "h": duration(value * _HOUR_S), "x": f"{significant(value, 3)} times",
        "USD": f"{value:,.0f} USD", "-1 to 1": significant(value, 3), "": significant(value, 4),
    }  # fmt: skip
    if unit in known:
        return known[unit]
    if unit.startswith("ratio"):
        return _percent(value) + unit.removeprefix("ratio")
    if unit.startswith(_CLOCK):
        minutes = round(value * 60.0)
        return f"{minutes // 60 % 24:02}:{minutes % 60:02} in {unit.removeprefix(_CLOCK)}"
    return f"{value:,.3g} {unit}"


def _percent(ratio: float) -> str:
    return f"{significant(100.0 * ratio, 3)} %"


def duration(seconds: float) -> str:
    """Return a duration in the largest unit of which it has two."""
    for unit_s, name in ((_DAY_S, "days"), (_HOUR_S, "hours"), (_MINUTE_S, "minutes")):
        if seconds >= 2.0 * unit_s:
            return f"{significant(seconds / unit_s, 3)} {name}"
    return f"{significant(seconds, 3)} seconds"
