"""The commands of the search: `evolve`, `plan`, `bench evolve` and `bench live`."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memesnipe.cli.inputs import check_tape
from memesnipe.cli.numbers import integer_option, number_option, seed_option
from memesnipe.cli.options import Json
from memesnipe.cli.research import bench
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.number_text import signed
from memesnipe.runtime.terminal import (
    print_compile_notice,
    print_json,
    print_message,
    print_rows,
    print_table,
    reserve_stdout,
    stderr_console,
)

if TYPE_CHECKING:  # Ray and numba are slow to load
    from memesnipe.runtime.search_run import ReportProgress

evolution = typer.Typer()

CALIBRATION_EVENTS = 50_000

_CHAMPION_COLUMNS = ("spec_id", "train", "validation", "holdout", "return", "round trips", "deflated")


@evolution.command("evolve")
def evolve_command(
    tape: Annotated[Path, typer.Option(help="The tape to search on; its last 30 % are the holdout.")],
    generations: Annotated[int, integer_option("--generations", 1, 1_000_000, "Number of generations.")] = 20,
    population: Annotated[int, integer_option("--population", 8, 1_000_000, "Genomes per generation.")] = 200,
    seed: Annotated[int, seed_option("Seed of the search.")] = 24,
    polish: Annotated[int, integer_option("--polish", 0, 10_000, "Trials to tune each champion's parameters.")] = 32,
    address: Annotated[
        str | None, typer.Option(help="Address of a Ray cluster. Default: RAY_ADDRESS, or a local one.")
    ] = None,
    workers: Annotated[
        int | None, integer_option("--workers", 1, 512, "Parallel backtests on the local cluster.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the same search where it stopped.")] = False,
    json: Json = False,
) -> None:
    """Breed strategies on a tape, tune the best, and test them on the untouched holdout."""
    check_tape("--tape", tape)

    from memesnipe.runtime.search_run import Plan  # noqa: PLC0415 - Ray and numba are slow to load
    from memesnipe.runtime.search_session import run_search  # noqa: PLC0415

    plan = Plan(tape.resolve(), generations, population, seed, polish, resume)
    with reserve_stdout(), _progress(None if resume else generations * population) as report_progress:
        summary, stopped = run_search(plan, address, workers, report_progress)
    if json:
        print_json(summary)
    else:
        _print_search(summary)
    if stopped:
        done = len(summary["generations"])
        raise MemeSnipeError(
            f"stopped; {done} complete generations are kept; continue with the same command and --resume"
        )


@contextmanager
def _progress(total: int | None) -> "Iterator[ReportProgress]":
    """Show the current step, evaluations per second and the time left on a terminal; show nothing elsewhere.

    Args:
        total: evaluations of all generations; None if unknown. Tuning and testing come after them.
    """
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: PLC0415 - slow

    from memesnipe.cli.bars import progress_of  # noqa: PLC0415 - as above

    columns = (
        TextColumn("{task.description}"), BarColumn(pulse_style="cyan"),
        TextColumn("{task.completed:,.0f} evaluations, {task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with progress_of(*columns, transient=True) as progress:
        task = progress.add_task("starting", total=total, rate=0.0)

        def report_progress(title: str, evaluations: int) -> None:
            progress.update(task, description=title, advance=evaluations)
            shown = progress.tasks[0]
            progress.update(task, rate=shown.speed or 0.0)
            if total is not None and shown.completed >= total:
                shown.total = shown.finished_time = None  # how long the rest takes is not known

        yield report_progress


def _print_search(summary: dict[str, Any]) -> None:
    champions = summary["champions"]
    facts = ("evaluations", "evaluations_ever", "pbo", "promotable", "digest", "genes_kept", "seconds")
    print_table("evolve", {"generations": len(summary["generations"])} | {n: summary[n] for n in facts})
    for sentence in summary["assumptions"]:
        print_message(sentence)
    for name, missing in summary["families"]["unused"].items():
        print_message(f"{name} is left out: it needs {' and '.join(missing)} events, and the tape has none.")
    if not champions:
        if summary["evaluations_ever"]:  # 0 for a search that was stopped early
            print_message("No champion: no genome traded on the training and validation segments.")
        return
    rows = []
    for found in champions:
        sharpes = [f"{found[f'{part}_sharpe']:,.0f}" for part in ("train", "validation", "holdout")]
        rest = (signed(found["holdout_return"], ".1%"), str(found["holdout_trades"]), f"{found['deflated_sharpe']:.3f}")
        rows.append((found["spec"]["spec_id"], *sharpes, *rest))
    print_rows("annualised Sharpe ratios; the search does not use the holdout", _CHAMPION_COLUMNS, rows)
    for found in champions:
        families = " + ".join(gene["family"] for gene in found["spec"]["signals"])
        verdict = found["reason"] or "promotable"
        typer.echo(f"{found['spec']['spec_id']}  {families}: {verdict}")


@evolution.command("plan")
def plan_command(
    population: Annotated[int, integer_option("--population", 1, 10_000_000, "Genomes in a generation.")],
    generations: Annotated[int, integer_option("--generations", 1, 1_000_000, "Number of generations.")],
    events: Annotated[
        int, integer_option("--events", 1, 10**12, "Events on the tape. A day of all of pump.fun: about 26 million.")
    ],
    cores: Annotated[
        list[int] | None, integer_option("--cores", 1, 1_000_000, "Compute the hours on this many cores; repeatable.")
    ] = None,
    usd_per_core_hour: Annotated[
        float, number_option("--usd-per-core-hour", 0, 1_000, "Price of a core-hour; the default is a spot VM's.")
    ] = 0.01,
    efficiency: Annotated[
        float, number_option("--efficiency", 0.01, 1.0, "Share of the cores' time spent on backtests.")
    ] = 0.9,
    tape: Annotated[Path | None, typer.Option(help="Calibrate on this tape. Default: a synthetic market.")] = None,
    json: Json = False,
) -> None:
    """Estimate the cores, hours and dollars of a search from a short calibration on this machine."""
    if any(count < 1 for count in cores or []):
        raise InputError("--cores: must be at least 1")
    if tape is not None:
        check_tape("--tape", tape)

    from memesnipe.cli.plan import calibrate, plan, synthetic_events  # noqa: PLC0415 - numba is slow to load
    from memesnipe.tapes.tape import TapeFile  # noqa: PLC0415

    print_compile_notice()
    with stderr_console().status("calibrating"):
        if tape is None:
            sample = synthetic_events(CALIBRATION_EVENTS)
        else:
            file = TapeFile(tape, now_ns=time.time_ns())
            if not file.count:
                raise InputError(f"--tape {tape}: has no events")
            sample = next(file.slices(CALIBRATION_EVENTS))
        measured = calibrate(sample)
    result = plan(
        measured, population=population, generations=generations, events=events,
        cores=cores or [os.cpu_count() or 1, 64, 512], efficiency=efficiency, usd_per_core_hour=usd_per_core_hour,
    )  # fmt: skip
    print_json(result) if json else print_table("plan", result)


@bench.command("evolve")
def bench_evolve_command(
    events: Annotated[int, integer_option("--events", 5_000, 5_000_000, "Events of the synthetic market.")] = 50_000,
    genomes: Annotated[int, integer_option("--genomes", 16, 100_000, "Genomes in the generation.")] = 1_000,
    json: Json = False,
) -> None:
    """Measure a generation on Ray: evaluations per second with one and two workers, and Ray's share of the time."""
    from memesnipe.bench.evolve import bench_evolve  # noqa: PLC0415 - Ray and numba are slow to load
    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.engine.warm import compile_all  # noqa: PLC0415
    from memesnipe.sdk.registry import discover  # noqa: PLC0415

    print_compile_notice()
    compile_all(discover())
    home = load_settings().installation.memesnipe_home.resolve()
    with reserve_stdout(), stderr_console().status("bench evolve") as status:
        result = bench_evolve(events, genomes, home, lambda step: status.update(f"bench evolve: {step}"))
    print_json(result) if json else print_table("bench evolve", result)


@bench.command("live")
def bench_live_command(
    quick: Annotated[bool, typer.Option("--quick", help="Small and short: a smoke test, not for comparison.")] = False,
    repeats: Annotated[
        int, typer.Option("--repeats", min=1, max=20, help="Repetitions of each latency measurement.")
    ] = 3,
    genes: Annotated[
        int,
        typer.Option("--genes", min=0, max=100_000, help="Different genes that strategies share; 0: each has its own."),
    ] = 0,
    json: Json = False,
) -> None:
    """Measure the live path: number of strategies, sustained event rate, and decision latency."""
    from memesnipe.bench.live import bench_live  # noqa: PLC0415 - numba is slow to load

    print_compile_notice()
    with reserve_stdout(), stderr_console().status("bench live") as status:
        result = bench_live(
            lambda step: status.update(f"bench live: {step}"), quick=quick, repeats=repeats, genes=genes
        )
    if json:
        print_json(result)
        return
    machine = ("cpu", "cores", "load", "python", "numba", "repetitions")
    print_table("machine", {name: result[name] for name in machine})
    for name in (name for name in ("whole_market", "peak", "fast") if name in result):
        found = dict(result[name])
        spread = {
            key: "{:,.1f} (from {:,.1f} to {:,.1f})".format(*(at[i] for i in (1, 0, 2)))
            for key, at in found.pop("spread").items()
        }
        print_table(name, found | spread)
    rates = {load: f"{found['events_per_s']:,} events/s" for load, found in result["sustained"].items()}
    print_table("sustained", rates)
