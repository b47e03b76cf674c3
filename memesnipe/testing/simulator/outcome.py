"""The checks of a finished simulated run: its audit, and the comparison with the undisturbed run of its market."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from memesnipe.config.home import Home
from memesnipe.protocol.streams import OUTPUTS, PLACED
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.runs import read_cursor, read_mints
from memesnipe.tapes.recorder import Recorder
from memesnipe.tapes.spans import TapePolicy, name_of, tape_starts
from memesnipe.tapes.tape import Tape, read_tape
from memesnipe.testing.simulator.database import Database
from memesnipe.testing.simulator.history import History
from memesnipe.testing.simulator.invariants import InvariantError
from memesnipe.testing.simulator.machine import TAPE_SPAN_S, InlineWriter, families
from memesnipe.testing.simulator.market import MARKETS
from memesnipe.testing.simulator.settings import simulated_settings
from memesnipe.verification.audit import contradictions, read_run
from memesnipe.verification.conditions import audit_of

# Tables that are equal in all runs of a market in lockstep, whatever happened to the processes, and whatever number of
# arenas has processes of their own. Offsets, leases and
# progress messages depend on the order of the steps.
_COMPARED: Final = {
    "tokens": "*", "rejected_events": "*", "orders": "*", "trades": "*", "refusals": "*", "equity": "*",
    "positions": "*", "breaker": "*", "strategies": "*", "lifecycle": "*", "allocations": "*", "evaluations": "*",
    "generations": "run_id, \"index\", seq, window_events, evaluations, best_fitness, median_fitness",
    "messages": "*", "controls": "*",
}  # fmt: skip
_TIMED: Final = ("executor_progress", "backtest_results")
_OF_ARENAS: Final = (PLACED, *OUTPUTS)  # only where arenas have processes of their own


def check_outcome(history: History) -> None:
    """Check a finished run.

    Raises:
        InvariantError: its records contradict each other, do not follow from its events, or differ from those of the
            undisturbed run of the same market, where they must be equal; or its tapes have other events.
    """
    _check_tapes(history)
    if history.machine.live or history.commands:
        _audit(history)
        return
    expected = undisturbed(history.machine.market)  # its records are audited once
    for table, rows in tables(history.database).items():
        if rows != expected[table]:
            raise InvariantError(f"{table}: {_difference(rows, expected[table])}")


def _check_tapes(history: History) -> None:
    """Compare the tapes with the event log, after recording what the last process has left to its successor."""
    run_id, home = history.machine.run_id, Home(history.home)
    with history.database.engine.connect() as connection:
        mints = read_mints(connection, run_id)
        last_seq = read_cursor(connection, run_id).seq
    folder, errors = home.tapes(run_id), list[str]()
    log = EventLog(home.run(run_id).event_log)
    recorder = Recorder(folder, log, mints, TapePolicy(86_400, TAPE_SPAN_S), {}, InlineWriter(), errors.append)
    recorder.finish(last_seq)
    expected = Tape(log.read(1, last_seq), mints).messages()
    log.close()
    tapes = [read_tape(folder / name_of(start)) for start in tape_starts(folder)]
    if errors or [m for tape in tapes for m in tape.messages()] != list(expected):
        raise InvariantError(f"{len(tapes)} tapes do not have the {last_seq} events of the run: {errors}")


def _audit(history: History) -> None:
    """Compare the records with each other, and with records derived from the events."""
    run_id = history.machine.run_id
    event_log = Home(history.home).run(run_id).event_log
    with history.database.engine.connect() as connection:
        recorded = read_run(connection, run_id)
        found = contradictions(connection, run_id, recorded, event_log)
    audit = audit_of(recorded, event_log, simulated_settings(), families())
    for _ in audit.derive():
        pass
    found += audit.differences()
    if found:
        raise InvariantError("the audit finds: " + "; ".join(found[:5]))


def tables(database: Database) -> dict[str, list[Any]]:
    """Return the rows of the tables that are compared, in order."""
    rows = {}
    for table, columns in _COMPARED.items():
        found = database.raw.execute(f"SELECT {columns} FROM {table}")  # noqa: S608 - names of our tables
        rows[table] = sorted(found.fetchall(), key=repr)
    rows["messages"] = [row for row in rows["messages"] if row[1] not in (*_TIMED, *_OF_ARENAS)]
    return rows


@cache
def undisturbed(market: int) -> dict[str, list[Any]]:
    """Return the tables of the undisturbed run of a market."""
    database = Database()
    with TemporaryDirectory() as folder:
        history = History(MARKETS.index(market), database, Path(folder), disturbed=False)
        history.run()
        _audit(history)
        return tables(database)


def _difference(rows: list[Any], expected: list[Any]) -> str:
    for row, other in zip(rows, expected, strict=False):
        if row != other:
            return f"{row} instead of {other}"[:600]
    return f"{len(rows)} rows instead of {len(expected)}"
