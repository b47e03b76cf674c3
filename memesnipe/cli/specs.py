"""What a user names for a backtest: a family with parameters, or a genome in a file; checked, in one line an error."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from memesnipe.cli.inputs import read_json
from memesnipe.engine.genome import Genome, genome_from, simple_genome
from memesnipe.engine.layout import MAX_GENES
from memesnipe.errors import InputError
from memesnipe.sdk.registry import Families


def genome_of(families: Families, family: str | None, params: Sequence[str], spec: Path | None) -> Genome:
    """The genome that the options of a command name.

    Raises:
        InputError: they name none, or one that does not exist.
    """
    if spec is not None:
        if params:
            raise InputError("--param and --spec do not go together: change the parameters in the file")
        genome = _read_spec(spec, families)
        if family is not None and family not in {gene.family for gene in genome.signals}:
            raise InputError(f"--strategy {family}: is not in {spec}; leave it out")
        return genome
    if family is None:
        raise InputError("name what to test: --strategy FAMILY or --spec FILE")
    known_family(families, family, "--strategy")
    given = dict(_name_and_value(text) for text in params)
    check_params(families, family, given, "--param")
    defaults = {name: declared.default for name, declared in families[family].params.items()}
    return simple_genome(family, defaults | given)


def known_family(families: Families, family: str, where: str) -> None:
    """Refuse a family that does not exist."""
    if family not in families:
        raise InputError(f"{where} {family}: there is no such strategy; there are {', '.join(families)}")


def _name_and_value(text: str) -> tuple[str, float]:
    name, separator, value = text.partition("=")
    try:
        if not separator:
            raise ValueError
        return name.strip(), float(value)
    except ValueError:
        raise InputError(f"--param {text}: must be NAME=NUMBER") from None


def check_params(families: Families, family: str, given: Mapping[str, float], where: str) -> None:
    """Refuse parameters that a family does not have, and values outside their range."""
    declared = families[family].params
    for name, value in given.items():
        if name not in declared:
            raise InputError(f"{where} {name}: {family} has no such parameter; it has {', '.join(declared) or 'none'}")
        known = declared[name]
        if not known.low <= value <= known.high:
            unit = f" {known.unit}" if known.unit else ""
            raise InputError(f"{where} {name}={value:g}: must be from {known.low:g} to {known.high:g}{unit}")


def _read_spec(path: Path, families: Families) -> Genome:
    data = read_json(path, "--spec")
    while isinstance(data, dict) and "signals" not in data and ("genome" in data or "spec" in data):
        data = data.get("genome", data.get("spec"))
    try:
        genome = genome_from(data)
    except ValidationError as error:
        flaw = error.errors()[0]
        place = ".".join(map(str, flaw["loc"])) or "it"
        raise InputError(f"--spec {path}: is not a genome: {place}: {flaw['msg']}") from None
    if not 1 <= len(genome.signals) <= MAX_GENES:
        raise InputError(f"--spec {path}: has {len(genome.signals)} signals; must be from 1 to {MAX_GENES}")
    for gene in genome.signals:
        known_family(families, gene.family, f"--spec {path}:")
        check_params(families, gene.family, gene.params, f"--spec {path}: {gene.family}:")
    _check_numbers(genome, path)
    return genome


def _check_numbers(genome: Genome, path: Path) -> None:
    exits, filters = genome.exits, genome.filters
    ranges = {
        "weight": (min(gene.weight for gene in genome.signals), 0.0, 1e6),
        "threshold": (genome.threshold, 0.0, 1.0),
        "size": (genome.size, 0.0, 1.0),
        "stop_loss": (exits.stop_loss, 0.0, 1.0),
        "take_profit": (exits.take_profit, 0.0, math.inf),
        "trailing_stop": (exits.trailing_stop, 0.0, 1.0),
        "max_hold_s": (exits.max_hold_s, 0.0, 1e9),
        "min_liquidity_usd": (filters.min_liquidity_usd, 0.0, math.inf),
        "min_age_s": (filters.min_age_s, 0.0, 1e9),
    }
    for name, (value, low, high) in ranges.items():
        if not low <= value <= high:
            raise InputError(f"--spec {path}: {name} is {value:g}: must be from {low:g} to {high:g}")
