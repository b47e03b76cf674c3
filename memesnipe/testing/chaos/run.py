"""`memesnipe chaos`: kill parts of a running system at random, and see that its books are those of a calm run."""

import random
import shutil
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

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
from memesnipe.testing.chaos.replay import Plan, Replay, home_of
from memesnipe.verification.audit import Recorded, compare, read_run
from memesnipe.verification.decisions import Decisions, compare_decisions, read_decisions

_REPLAYS: Final = ("calm", "shaken")
_MARKET_SEED: Final = 7  # a market in which the replay's settings make strategies trade from early on
_EVENTS_AT_LEAST: Final = 4_000
_EVENTS_A_KILL: Final = 400
_EVENTS_A_HALT: Final = 4_000
_SHOWN: Final = 20  # differences


def chaos(kills: int, seed: int, tape: Path | None, *, keep: bool) -> dict[str, Any]:
    """Replay a tape twice, once in peace and once under fire, and compare.

    Raises:
        RefusedError: servers that are not ours to kill are configured.
        TapeError: the tape cannot be read.
    """
    settings = load_settings()
    for name in ("redis_url", "database_url", "ray_address"):
        if getattr(settings, name):
            raise RefusedError(f"{name.upper()} is set: chaos only kills servers of its own; unset it")
    if tape is not None:
        TapeFile(tape, now_ns=time.time_ns())
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-chaos-"))
    folder.chmod(0o755)  # the embedded PostgreSQL runs as another user where we are root
    told = Console(stderr=True, highlight=False)
    clean = False
    try:
        verdict = _judged(folder, kills, seed, tape, told)
        clean = verdict["clean"]
        return verdict
    except KeyboardInterrupt:
        clean = True  # nothing has gone wrong
        raise
    finally:
        if clean and not keep:
            for name in _REPLAYS:  # Ray's folders are elsewhere
                shutil.rmtree(ray_folder(installation_of(home_of(folder / name))).parent, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
        else:
            told.print(f"Kept for you to look at, with everybody's logs: {folder}", soft_wrap=True)


def _judged(folder: Path, kills: int, seed: int, tape: Path | None, told: Console) -> dict[str, Any]:
    tape = tape or _made_tape(folder / "chaos.tape", max(_EVENTS_AT_LEAST, kills * _EVENTS_A_KILL))
    events = TapeFile(tape).count
    plan = _plan(seed, events)
    calm, shaken = (Replay(folder / name, tape, plan) for name in _REPLAYS)
    told.print(f"Replaying {events:,} events twice, in peace and under fire: a few minutes.")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=told) as progress:
        bar = progress.add_task("in peace", total=events)
        calm.run(lambda seq: progress.update(bar, completed=seq))
        progress.update(bar, completed=events)
        bar = progress.add_task("under fire", total=events)

        def on_hit(target: str, doing: str) -> None:
            number = sum(fire.hits.values())
            progress.update(bar, description=f"under fire, {number} of {kills} kills")
            progress.console.print(f"{number:3}  {target} while {doing}", soft_wrap=True)

        def look(seq: int) -> None:
            fire.look(seq)
            progress.update(bar, completed=seq)

        fire = FaultInjector(shaken.targets, kills, seed, events, on_hit)
        shaken.run(look)
        progress.update(bar, completed=events)
    return _verdict(calm, shaken, fire, kills)


def _verdict(calm: Replay, shaken: Replay, fire: FaultInjector, kills: int) -> dict[str, Any]:
    (expected, expected_decided), (recorded, recorded_decided) = _read(calm), _read(shaken)
    differences = _differences(recorded, expected) + list(compare_decisions(recorded_decided, expected_decided))
    audit = shaken.command("verify", "--json")
    report, killed = shaken.report, sum(fire.hits.values())
    return {
        "kills": killed,
        "by_target": dict(fire.hits),
        "busy_hits": {target: fire.busy_hits[target] for target in fire.hits},
        "hit_while": dict(fire.hit_while),
        "together": fire.together,
        "commands": [{"name": command.name, "after_event": command.seq} for command in recorded.commands.values()],
        "events": report["events"],
        "orders": report["orders"],
        "trades": report["trades"],
        "refusals": len(recorded.records.refusals),
        "equity_usd": report["equity_usd"],
        "seconds_in_peace": round(calm.seconds, 1),
        "seconds_under_fire": round(shaken.seconds, 1),
        "same_as_in_peace": not differences,
        "verified": audit["clean"],
        "differences": differences[:_SHOWN] + audit["differences"][:_SHOWN],
        "clean": not differences and audit["clean"] and killed == kills,
    }


def _read(replay: Replay) -> tuple[Recorded, Decisions]:
    """What it traded, and what was bred and decided."""
    with replay.database() as engine, engine.connect() as connection:
        run_id = latest_run(connection) or 0
        return read_run(connection, run_id), read_decisions(connection, run_id)


def _differences(recorded: Recorded, expected: Recorded) -> list[str]:
    differences = list(compare(recorded.records, expected.records))
    commands, wanted = (
        [(command.seq, str(command.name)) for command in side.commands.values()] for side in (recorded, expected)
    )
    if commands != wanted:
        differences.append(f"commands: {commands} were recorded, expected {wanted}")
    return differences


def _made_tape(path: Path, events: int) -> Path:
    """A tape of the synthetic market."""
    sequencer = Sequencer(60, 600)
    stamped, _ = sequencer.stamp(list(islice(SyntheticFeed(_MARKET_SEED).messages(0), events)))
    write_tape(path, Tape(stamped, sequencer.mints))
    return path


def _plan(seed: int, events: int) -> Plan:
    """Halts, and some events later the resets, at moments drawn from the seed; each falls at the next decision."""
    rng = random.Random(seed)  # noqa: S311 - reproducible on purpose
    plan: dict[int, CommandName] = {}
    stretches = max(1, events // _EVENTS_A_HALT)
    length = events / stretches
    for i in range(stretches):
        halt = (i + rng.uniform(0.4, 0.6)) * length  # by then something is held, and a part of the stretch is left
        plan[int(halt)] = CommandName.HALT
        plan[int(halt + rng.uniform(0.05, 0.2) * length)] = CommandName.RISK_RESET
    return plan
