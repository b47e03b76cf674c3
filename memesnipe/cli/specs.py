"""The genome of a backtest, from the command's options: a family with parameters, or a genome in a file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from memesnipe.cli.inputs import read_json
from memesnipe.engine.genome import Genome, genome_from, simple_genome, suggest
from memesnipe.errors import InputError
from memesnipe.sdk.registry import Families


def genome_of(families: Families, family: str | None, params: Sequence[str], spec: Path | None) -> Genome:
    """Return the genome that the options of a command name.

    Raises:
        InputError: they name none, or an unknown or invalid one.
    """
    if spec is not None:
        if params:
            raise InputError("--param and --spec do not go together: change the parameters in the file")
        genome = read_spec(spec, families, f"--spec {spec}")
        if family is not None and family not in {gene.family for gene in genome.signals}:
            raise InputError(f"--strategy {family}: is not in {spec}; leave it out")
        return genome
    if family is None:
        raise InputError("name what to test: --strategy FAMILY or --spec FILE")
    check_family(families, family, "--strategy")
    given: dict[str, float] = {}
    for name, value in map(_name_and_value, params):
        if name in given:
            raise InputError(f"--param {name}: is given twice")
        given[name] = value
    check_params(families, family, given, "--param")
    defaults = {name: declared.default for name, declared in families[family].params.items()}
    return simple_genome(family, defaults | given)


def check_family(families: Families, family: str, where: str) -> None:
    """Check that a family exists.

    Raises:
        InputError: it does not.
    """
    if family not in families:
        raise InputError(f"{where} {ascii(family)[1:-1][:60]}: there is no such strategy{suggest(family, families)}")


def _name_and_value(text: str) -> tuple[str, float]:
    name, separator, value = text.partition("=")
    try:
        if not separator:
            raise ValueError
        return name.strip(), float(value)
    except ValueError:
        raise InputError(f"--param {ascii(text)[1:-1][:60]}: must be NAME=NUMBER") from None


def check_params(families: Families, family: str, given: Mapping[str, float], where: str) -> None:
    """Check a family's parameters and that each value is within its range.

    Raises:
        InputError: a parameter is unknown, or its value is out of range.
    """
    declared = families[family].params
    for name, value in given.items():
        if name not in declared:
            raise InputError(f"{where} {name[:60]}: {family} has no such parameter{suggest(name, declared)}")
        known = declared[name]
        if not known.low <= value <= known.high:
            unit = f" {known.unit}" if known.unit else ""
            raise InputError(f"{where} {name}={value:g}: must be from {known.low:g} to {known.high:g}{unit}")


def read_spec(path: Path, families: Families, where: str) -> Genome:
    """Return the genome in a file: a bare genome, or a champion of `memesnipe evolve` with its results.

    Args:
        path: the file.
        families: those that a genome may use.
        where: how the user has named the file, for messages.

    Raises:
        InputError: the file cannot be read, or its genome is invalid.
    """
    return genome_in(read_json(path, where.removesuffix(str(path)).rstrip()), families, where)


def genome_in(data: Any, families: Families, where: str) -> Genome:
    """Return the genome in JSON-ready data, as `read_spec` does.

    Raises:
        InputError: it is invalid.
    """
    try:
        data = _unwrapped(data)
        data = dict(data) if isinstance(data, Mapping) else data
        spec_id = data.pop("spec_id", None) if isinstance(data, dict) else None
        genome = genome_from(data)
    except InputError as error:
        raise InputError(f"{where}: is not a genome: {error}") from None
    names = [gene.family for gene in genome.signals]
    for gene in genome.signals:
        of_gene = f"{where}: {gene.family}"
        check_family(families, gene.family, f"{where}:")
        if names.count(gene.family) > 1:
            raise InputError(f"{of_gene} occurs {names.count(gene.family)} times; each signal needs a different family")
        check_params(families, gene.family, gene.params, f"{of_gene}:")
        missing = {n: p.default for n, p in families[gene.family].params.items() if n not in gene.params}
        if missing:
            defaults = ", ".join(f"{name} (its default is {default:g})" for name, default in missing.items())
            raise InputError(f"{of_gene}: lacks {defaults}; a genome needs all of its parameters")
    if spec_id is not None and spec_id != genome.spec_id:
        raise InputError(
            f"{where}: spec_id is {str(spec_id)[:60]!r}, but this genome's is {genome.spec_id}: it was changed; "
            "correct spec_id, or leave it out"
        )
    return genome


def _unwrapped(data: Any) -> Any:
    """Return the genome's object, extracted from the results around it."""
    while isinstance(data, Mapping) and "signals" not in data and ("genome" in data or "spec" in data):
        data = data.get("genome", data.get("spec"))
    if isinstance(data, Mapping) and "champions" in data:
        raise InputError("it is the result of a search; save one of its champions to a separate file")
    return data
