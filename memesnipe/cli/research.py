"""The commands of research: `quote`, `backtest`, `lookahead-check` and `bench engine`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memesnipe.bounds import MAX_USD
from memesnipe.cli import completion
from memesnipe.cli.inputs import check_tape, read_json
from memesnipe.cli.numbers import integer_option, number_option, seed_option
from memesnipe.cli.options import Json
from memesnipe.cli.outputs import check_output
from memesnipe.cli.vocabulary import in_text
from memesnipe.errors import InputError
from memesnipe.runtime.families import load_families
from memesnipe.runtime.terminal import (
    print_compile_notice,
    print_json,
    print_message,
    print_rows,
    print_table,
    stderr_console,
)

if TYPE_CHECKING:  # numba is slow to load
    from memesnipe.engine.lookahead import Finding
    from memesnipe.market.events import Events

research = typer.Typer()
bench = typer.Typer(no_args_is_help=True, help="Measure the speed on this machine.")
research.add_typer(bench, name="bench")

SLICES = 100  # of a tape, for the progress bar
LOOKAHEAD_EVENTS = 20_000


@research.command("quote")
def quote_command(
    pool: Annotated[Path, typer.Option(help="JSON: a pool, or a list of pools with their trades.")],
    op: Annotated[
        str | None, typer.Option(help="buy_exact_quote_in, buy_exact_base_out or sell_exact_base_in.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option(help="Size of the trade: lamports of quote, or raw tokens of base.")
    ] = None,
    json: Json = False,
) -> None:
    """Price trades exactly as the chain does, for PumpSwap pools, pump.fun curves and constant-product pools."""
    value = read_json(pool, "--pool")

    from memesnipe.market.quotes import quote_all, quote_one  # noqa: PLC0415 - numba is slow to load

    try:
        if isinstance(value, list):
            if op is not None or amount is not None:
                raise InputError("is a list; its rows have their op and amount: leave --op and --amount out")
            result = quote_all(value)
        else:
            result = quote_one(value, op, amount)
    except InputError as error:
        raise InputError(f"--pool {pool}: {error}") from None
    if json:
        print_json(result)
    elif "quotes" in result:
        print_table(pool.name, {name: result[name] for name in ("count", "compared", "mismatches", "mismatched_rows")})
    else:
        exact = ("price_before", "price_after", "price_impact")
        print_table(pool.name, {**result, **{name: f"{result[name]:.9g}" for name in exact}})
    if result.get("mismatches"):
        raise typer.Exit(1)


@research.command("backtest")
def backtest_command(
    tape: Annotated[Path, typer.Option(help="The tape to test on.")],
    strategy: Annotated[
        str | None,
        typer.Option(
            help="A family; parameters not set with --param have their defaults.", autocompletion=completion.families
        ),
    ] = None,
    param: Annotated[list[str] | None, typer.Option(help="NAME=NUMBER; repeatable.")] = None,
    spec: Annotated[Path | None, typer.Option(help="A genome as JSON, with all of its parameters.")] = None,
    trades: Annotated[Path | None, typer.Option(help="Write every fill to this CSV file.")] = None,
    capital: Annotated[
        float | None, number_option("--capital", 0.01, MAX_USD, "USD. Default: SHADOW_CAPITAL_USD.")
    ] = None,
    json: Json = False,
) -> None:
    """Test one strategy on a tape, with the fills, fees and failures of the live simulation."""
    check_tape("--tape", tape)
    if strategy is None and spec is None:
        raise InputError("name what to test: --strategy FAMILY or --spec FILE")
    if spec is not None:
        read_json(spec, "--spec")  # reports an invalid file before slow modules are loaded
    if trades is not None:
        check_output("--trades", trades, (tape, spec))

    from memesnipe.cli.specs import genome_of  # noqa: PLC0415 - numba is slow to load
    from memesnipe.config.policies import fill_model_of  # noqa: PLC0415
    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.runtime.backtest_run import read_numbered_tape, run, unknown_metrics, write_trades  # noqa: PLC0415

    settings = load_settings()
    families = load_families(settings)
    genome = genome_of(families, strategy, param or [], spec)
    capital = settings.simulation.shadow_capital_usd if capital is None else capital
    recorded = read_numbered_tape(tape)
    print_compile_notice()
    with _bar("backtest", len(recorded.events)) as advanced:
        slices = SLICES if stderr_console().is_terminal else 1
        tested = run(recorded, genome, families, fill_model_of(settings), capital, slices, advanced)
    if trades is not None:
        write_trades(trades, tested.fills)
    summary = tested.summary()
    if json:
        print_json(summary)
    else:
        names = " + ".join(gene.family for gene in genome.signals)
        print_table(f"{names} on {tape.name}", in_text(summary.pop("metrics") | unknown_metrics(tested.result)))
        del summary["concentration"], summary["assumptions"]
        print_table("backtest", summary)
    for sentence in tested.warnings():
        print_message(sentence)


@research.command("lookahead-check")
def lookahead_command(
    strategy: Annotated[
        str | None, typer.Option(help="A family. Default: all of them.", autocompletion=completion.families)
    ] = None,
    tape: Annotated[Path | None, typer.Option(help="The tape to check on. Default: a synthetic market.")] = None,
    cuts: Annotated[int, integer_option("--cuts", 1, 10_000, "Number of points at which the future is changed.")] = 20,
    seed: Annotated[int, seed_option("Seed of the parameters and the changed futures.")] = 1,
    json: Json = False,
) -> None:
    """Check that no decision depends on the future: cut it off, replace it, and compare the orders."""
    if tape is not None:
        check_tape("--tape", tape)

    from memesnipe.cli.specs import check_family  # noqa: PLC0415 - numba is slow to load
    from memesnipe.config.policies import fill_model_of  # noqa: PLC0415
    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.engine.lookahead import Lookahead  # noqa: PLC0415
    from memesnipe.runtime.backtest_run import read_numbered_tape  # noqa: PLC0415

    settings = load_settings()
    families = load_families(settings)
    if strategy is not None:
        check_family(families, strategy, "--strategy")
    events = read_numbered_tape(tape).events if tape else _synthetic(seed)
    check = Lookahead(events, families, fill_model_of(settings), cuts, seed=seed)
    names = [strategy] if strategy is not None else list(families)
    findings = []
    print_compile_notice()
    with _bar("lookahead-check", len(names)) as advanced:
        for name in names:
            findings.append(check.check(name))
            advanced(1)
    looks_ahead = [finding.family for finding in findings if finding.difference is not None]
    if json:
        families_found = [finding.to_dict() for finding in findings]
        print_json({"families": families_found, "looks_ahead": looks_ahead, "events": len(events), "seed": seed})
    else:
        _print_findings(findings)
    if looks_ahead:
        raise typer.Exit(1)


def _print_findings(findings: "list[Finding]") -> None:
    rows = []
    for found in findings:
        counts = (found.genomes, found.orders, found.cuts, found.compared)
        rows.append((found.family, *(f"{count:,}" for count in counts), found.verdict))
    print_rows("", ("family", "genomes", "orders", "cuts", "compared", "verdict"), rows)
    for found in findings:
        if found.difference is not None:
            print_message(f"{found.family}: {found.difference}")


@bench.command("engine")
def bench_engine_command(
    events: Annotated[int, integer_option("--events", 1_000, 20_000_000, "Trades on the tape.")] = 200_000,
    genomes: Annotated[int, integer_option("--genomes", 1, 10_000, "Number of strategies.")] = 64,
    cold: Annotated[
        bool, typer.Option("--cold", help="Also time a first start, with an empty cache of compiled code.")
    ] = False,
    json: Json = False,
) -> None:
    """Measure the engine: genome-events per second with and without fills, and the start of a new process."""
    from memesnipe.bench.engine import bench_engine  # noqa: PLC0415 - numba is slow to load

    print_compile_notice()
    with stderr_console().status("bench engine") as status:
        result = bench_engine(events, genomes, cold, lambda step: status.update(f"bench engine: {step}"))
    if json:
        print_json(result)
        return
    rates = {name: f"{result[name] / 1e6:,.1f} million genome-events/s" for name in ("full", "busy", "bare")}
    print_table("bench engine", {**result, **rates})


def _synthetic(seed: int) -> "Events":
    from itertools import islice  # noqa: PLC0415

    from memesnipe.feeds.synthetic.feed import SyntheticFeed  # noqa: PLC0415
    from memesnipe.market.sequencer import Sequencer  # noqa: PLC0415

    events, _ = Sequencer(60, 600).stamp(list(islice(SyntheticFeed(seed).messages(0), LOOKAHEAD_EVENTS)))
    return events


@contextmanager
def _bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal, nothing elsewhere; yield the function that advances it."""
    from memesnipe.cli.bars import event_columns, progress_of  # noqa: PLC0415 - slow to load

    with progress_of(*event_columns(), transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)
