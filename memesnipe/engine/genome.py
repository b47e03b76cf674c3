"""The genome: what evolution varies and the engine runs; and the one check of a genome that comes from elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from hashlib import blake2b
from typing import Annotated, Any, ClassVar, Final

import orjson
from annotated_types import Ge, Le
from pydantic import ConfigDict, Field, Strict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from memesnipe.errors import InputError

_CHECKED: Final = ConfigDict(extra="forbid", allow_inf_nan=False)
_SHOWN: Final = 60  # letters of a wrong value

# What a number of a genome may be, wherever it comes from. Evolution stays far inside (`evolution/ranges.py`).
Share = Annotated[float, Strict(), Field(ge=0.0, le=1.0)]
Ratio = Annotated[float, Strict(), Field(ge=0.0, le=1e6)]
Seconds = Annotated[float, Strict(), Field(ge=0.0, le=1e9)]
Usd = Annotated[float, Strict(), Field(ge=0.0, le=1e15)]
Parameter = Annotated[float, Strict(), Field(ge=-1e18, le=1e18)]
FamilyName = Annotated[str, Strict(), Field(pattern=r"^\w{1,64}$")]


@dataclass(frozen=True, slots=True)
class SignalGene:
    """One family with its parameters, and the weight of its vote."""

    __pydantic_config__: ClassVar[ConfigDict] = _CHECKED
    family: FamilyName
    params: Annotated[dict[str, Parameter], Field(max_length=64)]
    weight: Ratio


@dataclass(frozen=True, slots=True)
class ExitGenes:
    """When to leave whatever the signals say; ratios of what the position cost, or of its best value."""

    __pydantic_config__: ClassVar[ConfigDict] = _CHECKED
    stop_loss: Share
    take_profit: Ratio
    trailing_stop: Share
    max_hold_s: Seconds


@dataclass(frozen=True, slots=True)
class FilterGenes:
    """Which tokens to leave alone."""

    __pydantic_config__: ClassVar[ConfigDict] = _CHECKED
    min_liquidity_usd: Usd
    min_age_s: Seconds


@dataclass(frozen=True, slots=True)
class Genome:
    """One to three signals that vote, exits, size and filters."""

    __pydantic_config__: ClassVar[ConfigDict] = _CHECKED
    signals: Annotated[tuple[SignalGene, ...], Field(min_length=1, max_length=3)]
    threshold: Share  # of the weighted votes, as a share of the weights
    size: Share  # share of the strategy's capital in one position
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
_NUMBERS: Final = {
    **{field.name: field.type for kind in (ExitGenes, FilterGenes, Genome) for field in fields(kind)},
    "weight": Ratio,
    "params": Parameter,
}


def genome_from(data: Any) -> Genome:
    """The genome of `Genome.to_dict`, from a file, the database or a stream.

    Raises:
        InputError: something is missing, unknown, of another type, not finite or out of range; one line says where.
    """
    try:
        return _ADAPTER.validate_python(data)
    except ValidationError as error:
        # What is missing may be there under a name that is nearly its own: that is said first.
        flaws = sorted(error.errors(), key=lambda flaw: flaw["type"] != "unexpected_keyword_argument")
        raise InputError(_line(flaws[0])) from None


def _line(flaw: ErrorDetails) -> str:
    place = [str(part) for part in flaw["loc"]]
    given, name = repr(flaw["input"]), ".".join(place)[:_SHOWN] or "it"
    shown = f"{name} is {given if len(given) <= _SHOWN else given[:_SHOWN] + '...'}: must be "
    is_signals = place == ["signals"]
    match flaw["type"]:
        case "missing":
            said = f"{name} is missing"
        case "unexpected_keyword_argument":
            where = ".".join(place[:-1]) or "it"
            said = f"{where} has no {place[-1][:_SHOWN]!r}{nearest(place[-1], _names_at(place[:-1]))}"
        case "dataclass_type" | "dict_type" | "tuple_type":
            said = shown + ("a list of signals" if is_signals else "an object")
        case "too_short" | "too_long" if is_signals:
            said = f"has {len(flaw['input'])} signals; must be from 1 to 3"
        case "string_pattern_mismatch" | "string_type":
            said = shown + "the name of a strategy"
        case _:
            allowed = _range_at(place)
            said = f"{shown}a number {allowed}" if allowed else f"{name}: {flaw['msg']}"
    return said


def _range_at(place: list[str]) -> str:
    known = _NUMBERS.get("params" if "params" in place else place[-1]) if place else None
    bounds = [m for found in getattr(known, "__metadata__", ()) for m in getattr(found, "metadata", ())]
    least = next((m.ge for m in bounds if isinstance(m, Ge)), None)
    most = next((m.le for m in bounds if isinstance(m, Le)), None)
    return "" if least is None or most is None else f"from {least:.15g} to {most:.15g}"


def _names_at(place: list[str]) -> list[str]:
    """The fields that there are at a place of a genome."""
    kinds = {"exits": ExitGenes, "filters": FilterGenes, "signals": SignalGene}
    return [field.name for field in fields(kinds.get(place[0], Genome) if place else Genome)]


def nearest(name: str, options: Iterable[str]) -> str:
    """What was meant, perhaps; or which there are."""
    options = list(options)
    close = get_close_matches(name, options, 1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(options) or 'none'}"
