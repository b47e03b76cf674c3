"""The command `record`: records a feed to tapes, without a running system."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memesnipe.cli import completion
from memesnipe.cli.feed_choice import feed_choice
from memesnipe.cli.inputs import check_folder
from memesnipe.cli.numbers import number_option
from memesnipe.cli.options import FEED_HELP, Json
from memesnipe.market.times import NS_PER_HOUR, utc_text
from memesnipe.runtime.terminal import print_json, print_message, print_table

if TYPE_CHECKING:  # as above
    from memesnipe.feeds.base import Feed
    from memesnipe.runtime.recording import Recording

recording = typer.Typer()

_WAIT_S: Final = 0.2  # for an event; Ctrl-C is noticed no later


@recording.command("record")
def record_command(
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the tapes, one for each hour.")],
    feed: Annotated[str, typer.Option(help=FEED_HELP, autocompletion=completion.feeds)] = "synthetic",
    tape: Annotated[Path | None, typer.Option(help="The tape of the replay feed.")] = None,
    hours: Annotated[
        float | None, number_option("--hours", 0.001, 8_760, "Stop after this event time. Default: no limit.")
    ] = None,
    until_end: Annotated[
        bool, typer.Option("--until-end", help="Refuse a feed that has no end; any other is recorded to its end.")
    ] = False,
    json: Json = False,
) -> None:
    """Record a feed to tapes, as fast as it delivers, until its end or Ctrl-C."""
    choice = feed_choice(feed, tape, None, until_end=until_end)
    check_folder("-o", output)

    from memesnipe.cli.stop import StopSignals  # noqa: PLC0415

    signals = StopSignals()

    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.feeds.choice import make_feed  # noqa: PLC0415
    from memesnipe.roles.feed_endpoints import endpoints_of  # noqa: PLC0415
    from memesnipe.runtime.recording import Recording  # noqa: PLC0415

    settings = load_settings()
    source = make_feed(replace(choice, seed=settings.simulation.seed), endpoints=endpoints_of(settings))
    signals.has_started()
    started = time.monotonic()
    with Recording(output, source, choice.name) as recorded:
        if recorded.recovered:
            print_message(f"An interrupted recording was completed: {recorded.recovered}.")
        with _Progress(source.total) as progress:
            errors: dict[str, str] = {}
            while not signals.stop.is_set() and recorded.step(_WAIT_S, *_until(recorded, hours)):
                progress.show(recorded)
                errors = _print_errors(source, errors)
            progress.show(recorded)
    if not recorded.events:
        print_message(f"Nothing was received from {choice.name}.")
    if choice.generated:
        print_message(f"The feed {choice.generated} is a generated market: no trade of it was ever made.")
    summary = {"feed": choice.name, **_summary(recorded, output, time.monotonic() - started)}
    if json:
        print_json(summary)
    else:
        times = {key: utc_text(summary[key]) if recorded.events else "-" for key in ("from_ts", "to_ts")}
        print_table(str(output), {**summary, **times})


def _print_errors(source: "Feed", printed: Mapping[str, str]) -> dict[str, str]:
    """Print why live sources deliver nothing, each error once; return the errors by source."""
    errors = {status.name: status.error for status in source.statuses() if status.error}
    for name, error in errors.items():
        if printed.get(name) != error:
            print_message(f"Feed {name} fails, and is tried again: {error}")
    return errors


def _until(recorded: "Recording", hours: float | None) -> tuple[int, ...]:
    """Return the time at which the recording ends, if it is limited and has begun."""
    return (recorded.first_ts + int(hours * NS_PER_HOUR),) if hours is not None and recorded.events else ()


def _summary(recorded: "Recording", output: Path, seconds: float) -> dict[str, Any]:
    return {
        "events": recorded.events,
        "rejected": recorded.rejected.total(),
        "rejected_because": dict(recorded.rejected),
        "from_ts": recorded.first_ts,
        "to_ts": recorded.last_ts,
        "tapes": [str(output / name) for name in recorded.tapes],
        "recovered": str(output / recorded.recovered) if recorded.recovered else None,
        "seconds": round(seconds, 3),
    }


class _Progress:
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, total: int | None) -> None:
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn  # noqa: PLC0415 - slow

        from memesnipe.cli.bars import RateColumn, progress_of  # noqa: PLC0415 - as above

        self._bar = progress_of(
            TextColumn("recording"), BarColumn(pulse_style="cyan"), TextColumn("{task.description}"),
            RateColumn("events"), TimeElapsedColumn(), TimeRemainingColumn(),
        )  # fmt: skip
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def show(self, recorded: "Recording") -> None:
        """Show how much was recorded."""
        text = f"{recorded.events:,} events, {len(recorded.tapes)} tapes, at {utc_text(recorded.last_ts)}"
        done = recorded.events + recorded.rejected.total()
        self._bar.update(self._task, completed=done, description=text)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
