"""A genome in plain words: what it looks at, when it buys, when it sells, and how much."""

from collections.abc import Callable, Mapping

from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.engine.layout import MAX_EXPOSURES

_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3_600.0, 86_400.0


def describe(genome: Genome, hypotheses: Mapping[str, str], units: Callable[[str, str], str]) -> dict[str, str]:
    """Return sentences about a genome, each under what it is about.

    Args:
        genome: to describe.
        hypotheses: what each family does, in one sentence, by its name.
        units: (family, parameter) -> unit of the parameter, "" for none.
    """
    weights = sum(gene.weight for gene in genome.signals)
    described = {gene.family: _signal(gene, weights, hypotheses, units) for gene in genome.signals}
    return {
        **described,
        "buys": _entry(genome),
        "sells": _exits(genome.exits),
        "size": f"{_percent(genome.size)} of its capital in each position, and at most {MAX_EXPOSURES} positions.",
        "tokens": _filters(genome.filters),
    }


def _signal(gene: SignalGene, weights: float, hypotheses: Mapping[str, str], units: Callable[[str, str], str]) -> str:
    share = f"{_percent(gene.weight / weights)} of the votes" if weights else "no vote"
    numbers = ", ".join(
        f"{name.removesuffix('_s').replace('_', ' ')} {_quantity(value, units(gene.family, name))}"
        for name, value in gene.params.items()
    )
    hypothesis = hypotheses.get(gene.family, "").rstrip(".")
    about = f"{hypothesis}. " if hypothesis else ""
    return f"{about}It has {share}" + (f"; its numbers: {numbers}." if numbers else ".")


def _entry(genome: Genome) -> str:
    if len(genome.signals) == 1:
        return "When its signal says so; a signal to short is followed where the token has a perp market."
    return (
        f"When votes to buy, less those to sell, reach {_percent(genome.threshold)} of all votes; a token with a perp "
        "market is sold short when votes to sell do, and one of them is to short."
    )


def _exits(exits: ExitGenes) -> str:
    return (
        f"When the votes turn as far the other way; at a loss of {_percent(exits.stop_loss)}, at a profit of "
        f"{_percent(exits.take_profit)}, {_percent(exits.trailing_stop)} below the highest value of the position, or "
        f"after {_duration(exits.max_hold_s)}, whichever is first."
    )


def _filters(filters: FilterGenes) -> str:
    return (
        f"Only those with at least {filters.min_liquidity_usd:,.0f} USD of liquidity, "
        f"{_duration(filters.min_age_s)} or more after their first event."
    )


def _quantity(value: float, unit: str) -> str:
    match unit:
        case "s":
            return _duration(value)
        case "ratio":
            return _percent(value)
        case "":
            return f"{value:.4g}"
        case _:
            return f"{value:,.4g} {unit}"


def _percent(ratio: float) -> str:
    return f"{100.0 * ratio:.3g} %"


def _duration(seconds: float) -> str:
    for unit_s, name in ((_DAY_S, "days"), (_HOUR_S, "hours"), (_MINUTE_S, "minutes")):
        if seconds >= 2.0 * unit_s:
            return f"{seconds / unit_s:.3g} {name}"
    return f"{seconds:.3g} seconds"
