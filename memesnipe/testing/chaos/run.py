"""`memesnipe chaos`: kill random parts of a running system, and compare its records with an undisturbed run's."""

import random
import shutil
import tempfile
import time
from collections.abc import Sequence
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from memesnipe.config.home import installation_of
from memesnipe.config.settings import load_settings
from memesnipe.errors import RefusedError
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.sequencer import Sequencer
from memesnipe.protocol.commands import CommandName
from memesnipe.servers.ray_folder import ray_folder
from memesnipe.storage.views import latest_run
from memesnipe.tapes.tape import Tape, TapeFile, write_tape
from memesnipe.testing.chaos.faults import FaultInjector
from memesnipe.testing.chaos.replay import AIM_POLL_S, Plan, Replay, home_of
from memesnipe.trading.replay import Control
from memesnipe.verification.audit import Recorded, compare, read_run
from memesnipe.verification.decisions import Decisions, compare_decisions, read_decisions

_REPLAYS: Final = ("baseline", "faults")
_MARKET_SEED: Final = 7  # a market in which strategies trade early with the settings of the replay
_MIN_EVENTS: Final = 4_000
_EVENTS_PER_KILL: Final = 400
_EVENTS_PER_HALT: Final = 4_000
_SHOWN: Final = 20  # differences in the reply


def chaos(kills: int, seed: int, tape: Path | None, *, keep: bool) -> dict[str, Any]:
    """Replay a tape undisturbed, then with faults, and compare.

    With ``ARENA_SHARDS`` above 1 the arenas of the second replay have processes of their own, which are killed too; the
    first one has one arena all the same.

    Raises:
        RefusedError: external servers are configured, which must not be killed.
        TapeError: the tape cannot be read.
    """
    settings = load_settings()
    for name in ("redis_url", "database_url", "ray_address"):
        if getattr(settings.servers, name):
            raise RefusedError(f"{name.upper()} is set: chaos kills only its own servers; unset it")
    if tape is not None:
        TapeFile(tape, now_ns=time.time_ns())
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-chaos-"))
    folder.chmod(0o755)  # as root the embedded PostgreSQL runs as another user
    console = Console(stderr=True, highlight=False)
    clean = False
    try:
        verdict = _run_both(folder, kills, seed, tape, console, settings.simulation.arena_shards)
        clean = verdict["clean"]
        return verdict
    except KeyboardInterrupt:
        clean = True  # interrupted by the user, not failed
        raise
    finally:
        if clean and not keep:
            for name in _REPLAYS:  # Ray's folders are elsewhere
                shutil.rmtree(ray_folder(installation_of(home_of(folder / name))).parent, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
        else:
            console.print(f"Both replays with their logs are kept in {folder}", soft_wrap=True)


def _run_both(folder: Path, kills: int, seed: int, tape: Path | None, console: Console, arenas: int) -> dict[str, Any]:
    tape = tape or _make_tape(folder / "chaos.tape", max(_MIN_EVENTS, kills * _EVENTS_PER_KILL))
    events = TapeFile(tape).count
    plan = _plan(seed, events)
    baseline, disturbed = (
        Replay(folder / name, tape, plan, count) for name, count in zip(_REPLAYS, (1, arenas), strict=True)
    )
    console.print(f"Replaying {events:,} events twice, undisturbed and with faults; this takes a few minutes.")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("undisturbed", total=events)
        baseline.run(lambda seq: progress.update(bar, completed=seq))
        progress.update(bar, completed=events)
        bar = progress.add_task("with faults", total=events)

        def on_hit(target: str, activity: str) -> None:
            number = sum(injector.hits.values())
            progress.update(bar, description=f"with faults, {number} of {kills} kills")
            progress.console.print(f"{number:3}  {target} while {activity}", soft_wrap=True)

        shown = 0

        def on_progress(seq: int) -> None:
            nonlocal shown
            injector.update(seq)
            if seq != shown:
                shown = seq
                progress.update(bar, completed=seq)

        injector = FaultInjector(disturbed.targets, kills, seed, events, on_hit, arenas if arenas > 1 else 0)
        disturbed.run(on_progress, AIM_POLL_S)
        progress.update(bar, completed=events)
    return _verdict(baseline, disturbed, injector, kills)


def _verdict(baseline: Replay, disturbed: Replay, injector: FaultInjector, kills: int) -> dict[str, Any]:
    (expected, expected_decided), (recorded, recorded_decided) = _read(baseline), _read(disturbed)
    differences = _differences(recorded, expected) + list(compare_decisions(recorded_decided, expected_decided))
    audit = disturbed.command("verify", "--json")
    report, killed = disturbed.report, sum(injector.hits.values())
    return {
        "kills": killed,
        "by_target": dict(injector.hits),
        "busy_hits": {target: injector.busy_hits[target] for target in injector.hits},
        "hit_while": dict(injector.hit_while),
        "together": injector.together,
        "commands": [{"name": command.name, "after_event": command.seq} for command in recorded.commands],
        "events": report["events"],
        "orders": report["orders"],
        "trades": report["trades"],
        "refusals": len(recorded.records.refusals),
        "equity_usd": report["equity_usd"],
        "seconds_in_peace": round(baseline.seconds, 1),
        "seconds_under_fire": round(disturbed.seconds, 1),
        "same_as_in_peace": not differences,
        "verified": audit["clean"],
        "differences": differences[:_SHOWN] + audit["differences"][:_SHOWN],
        "clean": not differences and audit["clean"] and killed == kills,
    }


def _read(replay: Replay) -> tuple[Recorded, Decisions]:
    """Read the trading records of a replay, and the decisions about strategies."""
    with replay.database() as engine, engine.connect() as connection:
        run_id = latest_run(connection) or 0
        return read_run(connection, run_id), read_decisions(connection, run_id)


def _differences(recorded: Recorded, expected: Recorded) -> list[str]:
    differences = list(compare(recorded.records, expected.records))
    applied, planned = _effects(recorded), _effects(expected)
    if applied != planned:
        differences.append(f"commands: {applied}, expected {planned}")
    return differences + _difference_of_controls(recorded.controls, expected.controls)


def _difference_of_controls(recorded: Sequence[Control], expected: Sequence[Control]) -> list[str]:
    """Return the first control that was not applied at its place, if any: all other differences may follow from it."""
    for number, (found, due) in enumerate(zip_longest(recorded, expected), 1):
        if found != due:
            return [f"control {number}: {_text_of(found)}, expected {_text_of(due)}"]
    return []


def _text_of(control: Control | None) -> str:
    return f"{control.stream}/{control.entry} after event {control.effective_seq}" if control is not None else "none"


def _effects(run: Recorded) -> list[tuple[int, CommandName, str, str]]:
    """Return the commands without their ids, of which PostgreSQL skips up to 32 after it was killed."""
    return [(command.seq, command.name, command.spec_id, command.reason) for command in run.commands]


def _make_tape(path: Path, events: int) -> Path:
    """Write a tape of the synthetic market."""
    sequencer = Sequencer(60, 600)
    stamped, _ = sequencer.stamp(list(islice(SyntheticFeed(_MARKET_SEED).messages(0), events)))
    write_tape(path, Tape(stamped, sequencer.mints))
    return path


def _plan(seed: int, events: int) -> Plan:
    """Return halts and later resets at events drawn from the seed; each takes effect at the next decision."""
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose
    plan: dict[int, CommandName] = {}
    stretches = max(1, events // _EVENTS_PER_HALT)
    length = events / stretches
    for i in range(stretches):
        halt = (i + rng.uniform(0.4, 0.6)) * length  # late enough for open positions, early enough for the reset
        plan[int(halt)] = CommandName.HALT
        plan[int(halt + rng.uniform(0.05, 0.2) * length)] = CommandName.RISK_RESET
    return plan
