"""The command `synth`: writes a tape of a synthetic market that is calibrated to measured ones."""

import time
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memesnipe.cli.numbers import integer_option, number_option, seed_option
from memesnipe.cli.options import Json
from memesnipe.cli.outputs import check_output
from memesnipe.errors import InputError
from memesnipe.market.times import utc_text
from memesnipe.runtime.terminal import print_compile_notice, print_json, print_message, print_table

if TYPE_CHECKING:  # numba is slow to load
    from memesnipe.feeds.synth_market.market import SynthMarket

synth = typer.Typer()

_LINE_EVERY_S: Final = 5.0
_WINDOW_S: Final = 900.0  # of event time that is written at once
MAX_TOKENS: Final = 10_000_000
MAX_HOURS: Final = 2_400.0
MAX_LAUNCHES_PER_HOUR: Final = 100_000  # a hundred times as many as on pump.fun


class EdgeName(StrEnum):
    """The planted edge."""

    NONE = "none"
    MOMENTUM = "momentum"
    MEAN_REVERSION = "mean_reversion"
    SOCIAL = "social"


@synth.command("synth")
def synth_command(
    output: Annotated[Path, typer.Option("-o", "--output", help="The tape to write.")],
    tokens: Annotated[int, integer_option("--tokens", 1, MAX_TOKENS, "Number of launches.")],
    hours: Annotated[float, number_option("--hours", 0.01, MAX_HOURS, "Length in event time.")],
    seed: Annotated[int, seed_option("Seed of the market.")] = 24,
    edge: Annotated[EdgeName, typer.Option(help="The planted edge.")] = EdgeName.NONE,
    json: Json = False,
) -> None:
    """Write a tape of a synthetic market that is calibrated to measured ones (docs/synthetic-market.md)."""
    if tokens > MAX_LAUNCHES_PER_HOUR * hours:
        raise InputError(f"--tokens {tokens}: at most {MAX_LAUNCHES_PER_HOUR:,} launches an hour; make --hours longer")
    check_output("-o", output)
    started = time.monotonic()
    print_compile_notice("the market's generator", "kernel.generate_lives")

    from memesnipe.feeds.synth_market.edge import Edge  # noqa: PLC0415
    from memesnipe.feeds.synth_market.market import SynthMarket  # noqa: PLC0415

    market = SynthMarket(seed, tokens, hours, Edge(edge.value))
    summary = _write(market, output)
    result = {**summary, "seed": seed, "edge": edge.value, "tape": str(output)}
    result["seconds"] = round(time.monotonic() - started, 3)
    if json:
        print_json(result)
    else:
        print_table(str(output), {**result, **{key: utc_text(result[key]) for key in ("from_ts", "to_ts")}})


def _write(market: "SynthMarket", output: Path) -> dict[str, Any]:
    """Write the tape window by window; return its summary."""
    from memesnipe.tapes.writer import TapeWriter  # noqa: PLC0415

    counts: Counter[str] = Counter()
    events_written, first_ts, last_ts, printed = 0, 0, 0, time.monotonic()
    began = printed
    with TapeWriter(output, market.assumptions) as writer, _progress(market.hours) as progress:
        for number, events in enumerate(market.windows(_WINDOW_S), 1):
            if len(events):
                writer.write(*market.with_mints(events))
                first_ts, last_ts = first_ts or int(events["ts"][0]), int(events["ts"][-1])
                events_written += len(events)
                counts.update(_kinds(events))
            done_hours = min(number * _WINDOW_S / 3600, market.hours)
            progress.update(
                progress.task_ids[0], completed=done_hours, events=events_written, rate=_rate(events_written, began)
            )
            if progress.disable and time.monotonic() - printed >= _LINE_EVERY_S:
                printed = time.monotonic()
                _print_line(done_hours, market.hours, events_written)
        writer.commit()
        if progress.disable:
            _print_line(market.hours, market.hours, events_written)
    return {
        "events": events_written,
        "tokens": market.mints,
        "launches": market.tokens,
        "majors": market.mints - market.tokens,
        "kinds": dict(counts),
        "rejected": 0,  # the writer refuses a tape with an invalid event
        "from_ts": first_ts,
        "to_ts": last_ts,
    }


def _rate(events: int, began: float) -> float:
    """Return the events in a second since a monotonic time."""
    return events / max(time.monotonic() - began, 1e-3)


def _print_line(done_hours: float, hours: float, events: int) -> None:
    print_message(f"synth  {done_hours:.1f} of {hours:.1f} hours  {events:,} events")


def _kinds(events: Any) -> dict[str, int]:
    import numpy as np  # noqa: PLC0415

    from memesnipe.market.events import KIND_NAMES  # noqa: PLC0415

    kinds, counts = np.unique(events["kind"], return_counts=True)
    return {KIND_NAMES[int(k)]: int(c) for k, c in zip(kinds, counts, strict=True)}


def _progress(hours: float) -> Any:
    """Return a progress bar on a terminal; elsewhere it is disabled, and lines are printed instead."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - slow to load

    from memesnipe.cli.bars import progress_of  # noqa: PLC0415 - as above

    columns = (
        TextColumn("synth"), BarColumn(), TextColumn("{task.completed:.1f} of {task.total:.1f} hours"),
        TextColumn("{task.fields[events]:,} events, {task.fields[rate]:,.0f}/s"), TimeRemainingColumn(),
    )  # fmt: skip
    progress = progress_of(*columns)
    progress.add_task("", total=hours, events=0, rate=0.0)
    return progress
