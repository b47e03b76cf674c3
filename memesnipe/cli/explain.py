"""`memesnipe explain` and `memesnipe export`: a strategy in plain words, and as a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memesnipe.cli import completion
from memesnipe.cli.options import Json
from memesnipe.cli.outputs import check_output
from memesnipe.errors import InputError, NoRunYetError
from memesnipe.runtime.families import load_families
from memesnipe.runtime.terminal import print_json, print_paragraphs, print_table

if TYPE_CHECKING:  # numba is slow to load
    from memesnipe.engine.genome import Genome
    from memesnipe.sdk.registry import Families

explain = typer.Typer()

_SHOWN_IDS: Final = 3

_Spec = Annotated[
    str,
    typer.Argument(
        metavar="SPEC",
        help="A file with a genome, or the id of a strategy of a run in this folder, or how it begins.",
        autocompletion=completion.strategies,
    ),
]


@explain.command("explain")
def explain_command(spec: _Spec, json: Json = False) -> None:
    """Describe a strategy in plain words: what it looks at, when it buys and sells, and how much."""
    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.runtime.genome_words import in_words  # noqa: PLC0415

    families = load_families(load_settings())
    genome = _genome(spec, families)
    words = in_words(genome, families)
    if json:
        print_json({"spec_id": genome.spec_id, "words": words, "genome": genome.to_dict()})
    else:
        print_paragraphs(genome.spec_id, words)


@explain.command("export")
def export_command(
    spec: _Spec,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write; `backtest --spec` reads it.")],
    json: Json = False,
) -> None:
    """Write a strategy to a file that others can read with `backtest --spec`, `explain` and their own tools."""
    import orjson  # noqa: PLC0415

    from memesnipe.config.settings import load_settings  # noqa: PLC0415

    check_output("-o", out)
    genome = _genome(spec, load_families(load_settings()))
    content = {"spec_id": genome.spec_id, **genome.to_dict()}
    out.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    if json:
        print_json({"spec_id": genome.spec_id, "file": str(out)})
    else:
        print_table(str(out), {"strategy": genome.spec_id})


def genome_in(path: Path) -> "Genome":
    """Return the genome in a file, as `memesnipe export` writes it.

    Raises:
        InputError: it has none.
    """
    from memesnipe.cli.specs import read_spec  # noqa: PLC0415 - numba is slow to load
    from memesnipe.config.settings import load_settings  # noqa: PLC0415

    return read_spec(path, load_families(load_settings()), str(path))


def _genome(spec: str, families: "Families") -> "Genome":
    """Return the genome in a file, or that of a strategy of the newest run.

    Raises:
        InputError: there is neither, or the genome is invalid.
    """
    from memesnipe.cli.specs import read_spec  # noqa: PLC0415 - numba is slow to load
    from memesnipe.engine.genome import genome_from  # noqa: PLC0415

    path = Path(spec)
    if path.exists():
        return read_spec(path, families, spec)
    return genome_from(_stored_genome(spec))


def _stored_genome(spec_id: str) -> Any:
    from memesnipe.cli.sql import readable_database  # noqa: PLC0415

    if not spec_id.isalnum():
        shown = ascii(spec_id)[1:-1][:60]
        raise InputError(f"{shown}: there is no such file; name one, or an id that `memesnipe strategies` lists")
    try:
        with readable_database() as url:
            rows, near = _genomes(url, spec_id), ""
            if not rows:
                full, near = _look_up(url, spec_id)
                rows = _genomes(url, full) if full else []
    except NoRunYetError:
        raise InputError(
            f"{spec_id[:60]}: there is no such file; the id of a strategy needs a run (`memesnipe up`)"
        ) from None
    if not rows:
        raise InputError(
            f"{spec_id[:60]}: there is no such file, and no strategy with this id in any run{near}; "
            "`memesnipe strategies` lists the ids"
        )
    return rows[0]["genome"]


def _genomes(url: str, spec_id: str) -> list[dict[str, Any]]:
    """Return the genome of the strategy with an id, which is alphanumeric; an empty list without such a strategy."""
    from memesnipe.storage.query import run_query  # noqa: PLC0415 - SQLAlchemy is slow to load

    query = f"SELECT genome FROM strategies WHERE spec_id = '{spec_id}' ORDER BY run_id DESC LIMIT 1"  # noqa: S608
    return run_query(url, query, max_rows=1, timeout_s=10.0).rows


def _look_up(url: str, text: str) -> tuple[str, str]:
    """Return the id that begins with a text, preferably of the newest run; else "", and ids like it in words."""
    from memesnipe.storage.database import connect  # noqa: PLC0415 - SQLAlchemy is slow to load
    from memesnipe.storage.strategy_ids import full_id, ids_like  # noqa: PLC0415
    from memesnipe.storage.views import latest_run  # noqa: PLC0415

    engine = connect(url)
    try:
        with engine.connect() as connection:
            run_id = latest_run(connection)
            for where in (run_id, None):
                if (full := full_id(connection, text, where)) != text:
                    return full, ""
            found = [] if run_id is None else ids_like(connection, run_id, text, _SHOWN_IDS)
    finally:
        engine.dispose()
    return "", f"; ids that begin like it: {', '.join(found)}" if found else ""
