"""The commands of the search: breed strategies on a tape, work out what a big search takes, measure it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memesnipe.cli.inputs import check_tape
from memesnipe.cli.numbers import number, whole
from memesnipe.cli.numbers import seed as seed_option
from memesnipe.cli.options import Json
from memesnipe.cli.research import bench
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.runtime.families import load_families
from memesnipe.runtime.terminal import errors, print_json, print_table, results_alone, say, say_if_cold

if TYPE_CHECKING:  # Ray and numba are slow to load
    from memesnipe.runtime.search_run import Plan, Say

evolution = typer.Typer()

CALIBRATION_EVENTS = 50_000


@evolution.command("evolve")
def evolve_command(
    tape: Annotated[Path, typer.Option(help="The tape to search on; its last 30 % judge what is found.")],
    generations: Annotated[int, whole("--generations", 1, 1_000_000, "How many to breed.")] = 20,
    population: Annotated[int, whole("--population", 8, 1_000_000, "Genomes in each.")] = 200,
    seed: Annotated[int, seed_option("Of the search.")] = 24,
    polish: Annotated[int, whole("--polish", 0, 10_000, "Trials to polish each champion's numbers.")] = 32,
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster. Default: RAY_ADDRESS, or our own.")] = None,
    workers: Annotated[int | None, whole("--workers", 1, 512, "Backtests at once on our own cluster.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the same search where it stopped.")] = False,
    json: Json = False,
) -> None:
    """Breed strategies on a tape, polish the best, and judge them where the search has never looked."""
    check_tape("--tape", tape)

    from memesnipe.runtime.search_run import Plan  # noqa: PLC0415 - Ray and numba are slow to load

    plan = Plan(tape.resolve(), generations, population, seed, polish, resume)
    with results_alone(), _progress() as say:
        summary, stopped = _evolve(plan, address, workers, say)
    if json:
        print_json(summary)
    else:
        _print_search(summary)
    if stopped:
        done = len(summary["generations"])
        raise MemeSnipeError(f"stopped; {done} whole generations are kept: the same command with --resume goes on")


def _evolve(plan: "Plan", address: str | None, workers: int | None, say: "Say") -> tuple[dict[str, Any], bool]:
    """The summary of a search, and whether it was stopped before its end."""
    from actors.connection import connect_ray, disconnect_ray  # noqa: PLC0415 - as above
    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.engine.warm import compile_all  # noqa: PLC0415
    from memesnipe.runtime.database import open_database  # noqa: PLC0415
    from memesnipe.runtime.search_run import Evolve, Interrupted  # noqa: PLC0415
    from memesnipe.tapes.tape import TapeFile  # noqa: PLC0415

    settings = load_settings()
    file = TapeFile(plan.tape, now_ns=time.time_ns())  # a bad one is refused before anything starts
    families = load_families(settings)
    say_if_cold()
    compile_all(families)  # before the workers start, who load what they find
    home = settings.memesnipe_home.resolve()
    with open_database(settings, make=True) as (database, url):
        try:
            connect_ray(address or settings.ray_address, home, "memesnipe-evolve", cpus=workers, dashboard=False)
            return Evolve(plan, file, settings, families, database, url).run(say), False
        except Interrupted as stopped:
            return stopped.summary, True
        finally:
            disconnect_ray()


@contextmanager
def _progress() -> "Iterator[Say]":
    """What is being done, and how many evaluations a second, on a terminal; nothing elsewhere."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"), BarColumn(pulse_style="cyan"),
        TextColumn("{task.completed:,.0f} evaluations, {task.fields[rate]:,.0f}/s"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=errors(), transient=True, disable=not errors().is_terminal) as progress:
        task = progress.add_task("starting", total=None, rate=0.0)

        def say(title: str, evaluations: int) -> None:
            progress.update(task, description=title, advance=evaluations)
            shown = progress.tasks[0]
            progress.update(task, rate=shown.speed or 0.0)

        yield say


def _print_search(summary: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    champions = summary["champions"]
    facts = ("evaluations", "evaluations_ever", "pbo", "promotable", "digest", "seconds")
    print_table("evolve", {"generations": len(summary["generations"])} | {n: summary[n] for n in facts})
    for sentence in summary["assumptions"]:
        say(sentence)
    for name, lacking in summary["families"]["unused"].items():
        say(f"{name} is left out: it waits for {' and '.join(lacking)} events, and the tape has none.")
    if not champions:
        if summary["evaluations_ever"]:  # it was not stopped before
            say("No champion: none of the genomes traded in the time that the search sees.")
        return
    columns = ("champion", "train", "validation", "holdout", "return", "trades", "deflated")
    table = Table(*columns, title="annualised Sharpe ratios; the holdout is time that the search never saw",
                  title_justify="left", box=None, pad_edge=False)  # fmt: skip
    for found in champions:
        sharpes = [f"{found[f'{part}_sharpe']:,.0f}" for part in ("train", "validation", "holdout")]
        rest = (f"{found['holdout_return']:+.1%}", str(found["holdout_trades"]), f"{found['deflated_sharpe']:.3f}")
        table.add_row(found["spec"]["spec_id"], *sharpes, *rest)
    console = Console(highlight=False)
    console.print(table)
    for found in champions:
        families = " + ".join(gene["family"] for gene in found["spec"]["signals"])
        verdict = found["reason"] or "promotable"
        console.print(f"{found['spec']['spec_id']}  {families}: {verdict}", soft_wrap=True, markup=False)


@evolution.command("plan")
def plan_command(
    population: Annotated[int, whole("--population", 1, 10_000_000, "Genomes in a generation.")],
    generations: Annotated[int, whole("--generations", 1, 1_000_000, "How many.")],
    events: Annotated[int, whole("--events", 1, 10**12, "On the tape. A day of all of pump.fun: about 26 million.")],
    cores: Annotated[list[int] | None, whole("--cores", 1, 1_000_000, "Tell the hours on so many; repeatable.")] = None,
    usd_per_core_hour: Annotated[float, number("--usd-per-core-hour", 0, 1_000, "Of a spot VM; look yours up.")] = 0.01,
    efficiency: Annotated[float, number("--efficiency", 0.01, 1.0, "Share of their time at work.")] = 0.9,
    tape: Annotated[Path | None, typer.Option(help="Calibrate on this tape. Default: a synthetic market.")] = None,
    json: Json = False,
) -> None:
    """Work out the cores, hours and dollars of a search, from a short calibration on this machine."""
    if any(count < 1 for count in cores or []):
        raise InputError("--cores: must be at least 1")
    if tape is not None:
        check_tape("--tape", tape)

    from memesnipe.cli.plan import calibrate, plan, synthetic_events  # noqa: PLC0415 - numba is slow to load
    from memesnipe.tapes.tape import TapeFile  # noqa: PLC0415

    say_if_cold()
    with errors().status("calibrating"):
        if tape is None:
            sample = synthetic_events(CALIBRATION_EVENTS)
        else:
            file = TapeFile(tape, now_ns=time.time_ns())
            if not file.count:
                raise InputError(f"--tape {tape}: holds no events")
            sample = next(file.slices(CALIBRATION_EVENTS))
        measured = calibrate(sample)
    result = plan(
        measured, population=population, generations=generations, events=events,
        cores=cores or [os.cpu_count() or 1, 64, 512], efficiency=efficiency, usd_per_core_hour=usd_per_core_hour,
    )  # fmt: skip
    print_json(result) if json else print_table("plan", result)


@bench.command("evolve")
def bench_evolve_command(
    events: Annotated[int, whole("--events", 5_000, 5_000_000, "Of a synthetic market.")] = 50_000,
    genomes: Annotated[int, whole("--genomes", 16, 100_000, "In the generation.")] = 1_000,
    json: Json = False,
) -> None:
    """Measure a generation on Ray: evaluations a second with one worker and with two, and Ray's share of the time."""
    from memesnipe.bench.evolve import bench_evolve  # noqa: PLC0415 - Ray and numba are slow to load
    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.engine.warm import compile_all  # noqa: PLC0415
    from memesnipe.sdk.registry import discover  # noqa: PLC0415

    say_if_cold()
    compile_all(discover())
    home = load_settings().memesnipe_home.resolve()
    with results_alone(), errors().status("bench evolve") as status:
        result = bench_evolve(events, genomes, home, lambda doing: status.update(f"bench evolve: {doing}"))
    print_json(result) if json else print_table("bench evolve", result)


@bench.command("live")
def bench_live_command(
    quick: Annotated[
        bool, typer.Option("--quick", help="Small and short: to see that it works, not to compare.")
    ] = False,
    repeats: Annotated[int, typer.Option("--repeats", min=1, max=20, help="How often each latency is measured.")] = 3,
    json: Json = False,
) -> None:
    """Measure the live path: how many strategies, at which rate, and how long a decision takes."""
    from memesnipe.bench.live import bench_live  # noqa: PLC0415 - numba is slow to load

    say_if_cold()
    with results_alone(), errors().status("bench live") as status:
        result = bench_live(lambda doing: status.update(f"bench live: {doing}"), quick=quick, repeats=repeats)
    if json:
        print_json(result)
        return
    where = ("cpu", "cores", "load", "python", "numba", "repetitions")
    print_table("machine", {name: result[name] for name in where})
    for name in ("whole_market", "fast"):
        found = dict(result[name])
        spread = {
            key: "{:,.1f} (from {:,.1f} to {:,.1f})".format(*(at[i] for i in (1, 0, 2)))
            for key, at in found.pop("spread").items()
        }
        print_table(name, found | spread)
    most = {load: f"{found['events_per_s']:,} events/s" for load, found in result["sustained"].items()}
    print_table("sustained", most)
