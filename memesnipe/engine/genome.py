"""The genome: the parameters that evolution varies and the engine runs, and the validation of genomes from outside."""

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
_SHOWN: Final = 60  # characters of a wrong value in a message

# Ranges of a genome's numbers from any source. Evolution uses narrower ones (`evolution/ranges.py`).
Share = Annotated[float, Strict(), Field(ge=0.0, le=1.0)]
Ratio = Annotated[float, Strict(), Field(ge=0.0, le=1e6)]
Seconds = Annotated[float, Strict(), Field(ge=0.0, le=1e9)]
Usd = Annotated[float, Strict(), Field(ge=0.0, le=1e15)]
Parameter = Annotated[float, Strict(), Field(ge=-1e18, le=1e18)]
FamilyName = Annotated[str, Strict(), Field(pattern=r"^\w{1,64}$")]


@dataclass(frozen=True, slots=True)
class SignalGene:
    """A family with its parameters and the weight of its vote."""

    __pydantic_config__: ClassVar[ConfigDict] = _CHECKED
    family: FamilyName
    params: Annotated[dict[str, Parameter], Field(max_length=64)]
    weight: Ratio


@dataclass(frozen=True, slots=True)
class ExitGenes:
    """Exits independent of the signals; ratios of the position's cost, for the trailing stop of its best value."""

    __pydantic_config__: ClassVar[ConfigDict] = _CHECKED
    stop_loss: Share
    take_profit: Ratio
    trailing_stop: Share
    max_hold_s: Seconds


@dataclass(frozen=True, slots=True)
class FilterGenes:
    """Limits of the tokens that may be traded."""

    __pydantic_config__: ClassVar[ConfigDict] = _CHECKED
    min_liquidity_usd: Usd
    min_age_s: Seconds


class _Named:
    """Room for the spec id, which is no field: to compute it takes longer than most of what is done with it."""

    __slots__ = ("_spec_id",)
    _spec_id: str


@dataclass(frozen=True, slots=True)
class Genome(_Named):
    """One to three voting signals, exits, position size and token filters."""

    __pydantic_config__: ClassVar[ConfigDict] = _CHECKED
    signals: Annotated[tuple[SignalGene, ...], Field(min_length=1, max_length=3)]
    threshold: Share  # of the weighted votes, as a share of the weights
    size: Share  # share of the strategy's capital in one position
    exits: ExitGenes
    filters: FilterGenes

    @property
    def spec_id(self) -> str:
        """The hash of the genome's content, 12 hexadecimal digits: equal genomes have equal ids."""
        try:
            return self._spec_id
        except AttributeError:
            content = orjson.dumps(self.to_dict(), option=orjson.OPT_SORT_KEYS)
            object.__setattr__(self, "_spec_id", blake2b(content, digest_size=6).hexdigest())
            return self._spec_id

    def __reduce__(self) -> tuple[Any, ...]:
        """Return plain data for pickle: thousands are sent to workers, and field by field it takes ten times longer."""
        exits, filters = self.exits, self.filters
        return _genome_of, (
            [(signal.family, signal.params, signal.weight) for signal in self.signals],
            self.threshold,
            self.size,
            (exits.stop_loss, exits.take_profit, exits.trailing_stop, exits.max_hold_s),
            (filters.min_liquidity_usd, filters.min_age_s),
            self.spec_id,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the genome as JSON-ready data; spelled out because ``asdict`` takes seconds for thousands of them."""
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


def _genome_of(
    signals: list[Any], threshold: float, size: float, exits: list[float], filters: list[float], spec_id: str
) -> Genome:
    """Return the genome of the data of `Genome.__reduce__`."""
    genome = Genome(tuple(SignalGene(*s) for s in signals), threshold, size, ExitGenes(*exits), FilterGenes(*filters))
    object.__setattr__(genome, "_spec_id", spec_id)
    return genome


def simple_genome(family: str, params: dict[str, float]) -> Genome:
    """Return a genome of one signal, with exits, size and filters from the middle of their ranges."""
    numbers = {name: float(value) for name, value in params.items()}  # an int would change the spec id
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
    """Return the genome of data in the form of `Genome.to_dict`: from a file, the database or a stream.

    Raises:
        InputError: a field is missing, unknown, of the wrong type, not finite or out of range; one line names it.
    """
    try:
        return _ADAPTER.validate_python(data)
    except ValidationError as error:
        # An unknown name first: a missing field is often a misspelled one.
        errors = sorted(error.errors(), key=lambda detail: detail["type"] != "unexpected_keyword_argument")
        raise InputError(_message(errors[0])) from None


def _message(error: ErrorDetails) -> str:
    path = [str(part) for part in error["loc"]]
    # The content of a list is not shown: the file may be that of a wallet.
    given, name = (
        "a list" if isinstance(error["input"], list) else repr(error["input"]),
        ".".join(path)[:_SHOWN] or "it",
    )
    shown = f"{name} is {given if len(given) <= _SHOWN else given[:_SHOWN] + '...'}: must be "
    is_signals = path == ["signals"]
    match error["type"]:
        case "missing":
            message = f"{name} is missing"
        case "unexpected_keyword_argument":
            where = ".".join(path[:-1]) or "it"
            message = f"{where} has no {path[-1][:_SHOWN]!r}{suggest(path[-1], _names_at(path[:-1]))}"
        case "dataclass_type" | "dict_type" | "tuple_type":
            message = shown + ("a list of signals" if is_signals else "an object")
        case "too_short" | "too_long" if is_signals:
            message = f"has {len(error['input'])} signals; must be from 1 to 3"
        case "string_pattern_mismatch" | "string_type":
            message = shown + "the name of a strategy"
        case _:
            allowed = _range_at(path)
            message = f"{shown}a number {allowed}" if allowed else f"{name}: {error['msg']}"
    return message


def _range_at(path: list[str]) -> str:
    known = _NUMBERS.get("params" if "params" in path else path[-1]) if path else None
    bounds = [m for found in getattr(known, "__metadata__", ()) for m in getattr(found, "metadata", ())]
    least = next((m.ge for m in bounds if isinstance(m, Ge)), None)
    most = next((m.le for m in bounds if isinstance(m, Le)), None)
    return "" if least is None or most is None else f"from {least:.15g} to {most:.15g}"


def _names_at(path: list[str]) -> list[str]:
    """Return the names of the fields at a path of a genome."""
    kinds = {"exits": ExitGenes, "filters": FilterGenes, "signals": SignalGene}
    return [field.name for field in fields(kinds.get(path[0], Genome) if path else Genome)]


def suggest(name: str, options: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the closest option, or all of them."""
    options = list(options)
    close = get_close_matches(name, options, 1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(options) or 'none'}"
