"""Runs: begin, resume and finish a run; read its options, cursor, mints and offsets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from memesnipe.protocol.account import Account
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.protocol.streams import (
    ALLOCATIONS,
    APPLIED_COMMANDS,
    COMMANDS,
    CONSUMED_TO_THE_END,
    EVENTS,
    EXECUTION_REPORTS,
)
from memesnipe.storage.schema import FeedCursorRow, MessageRow, OrderRow, RunRow, StreamOffsetRow, TokenRow
from memesnipe.storage.schema_submissions import ReportRow, SubmissionRow

OPEN, FINISHED = "open", "finished"
# How an open run is shown: actors hold it, or it goes on with the next start of the same feed with the same settings.
RUNNING, STOPPED = "running", "stopped"
# The key in a run's settings with the starting capital of the live account; a run without it trades on paper alone.
LIVE_CAPITAL: Final = "live_capital_lamports"
# The keys of a live run: what its wallet held at the beginning, the wallet's address, and the chain.
LIVE_WALLET: Final = "live_wallet_lamports"
WALLET: Final = "wallet"
CHAIN: Final = "chain"
CODE: Final = "code"  # the hash of the code that decides
ARENA_SHARDS: Final = "arena_shards"  # how many arenas have processes of their own; absent where none has
_OPENING: Final = (LIVE_CAPITAL, LIVE_WALLET)  # recorded at the beginning of a run; they do not tell runs apart

_CURSOR: Final = select(FeedCursorRow).where(FeedCursorRow.run_id == bindparam("run"))
_OFFSETS: Final = select(
    StreamOffsetRow.stream, StreamOffsetRow.actor, StreamOffsetRow.number, StreamOffsetRow.seq
).where(StreamOffsetRow.run_id == bindparam("run"), StreamOffsetRow.stream.in_(bindparam("streams", expanding=True)))


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run, and whether it was resumed."""

    run_id: int
    resumed: bool


def begin_run(
    engine: Engine,
    feed: str,
    options: dict[str, Any],
    settings: dict[str, Any],
    opening: Callable[[], Mapping[str, int]] = dict,
) -> RunInfo:
    """Resume the unfinished run of the same feed with the same settings, or begin a new run.

    Args:
        engine: the database.
        feed: identity of the feed.
        options: of this start.
        settings: that a run keeps.
        opening: returns what a live run records at its beginning: `LIVE_CAPITAL` and `LIVE_WALLET`.
    """
    with engine.begin() as connection:
        query = select(RunRow.run_id, RunRow.settings).where(RunRow.feed == feed, RunRow.status == OPEN)
        for row in connection.execute(query.order_by(RunRow.run_id.desc())):
            if _kept(row.settings) == _kept(settings):
                connection.execute(update(RunRow).where(RunRow.run_id == row.run_id).values(options=options))
                return RunInfo(row.run_id, resumed=True)
        values = {"options": options, "settings": {**settings, **opening()}}
        run = insert(RunRow).values(feed=feed, status=OPEN, **values)
        run_id = connection.scalar(run.returning(RunRow.run_id))
        assert run_id is not None  # noqa: S101 - an INSERT that returns nothing has raised before
        connection.execute(insert(FeedCursorRow).values(run_id=run_id))
        return RunInfo(run_id, resumed=False)


def earlier_live_run(engine: Engine, feed: str, run_id: int) -> tuple[int, dict[str, Any]] | None:
    """Return number and settings of the newest unfinished live run of a feed before this run; None without any."""
    query = select(RunRow.run_id, RunRow.settings).where(
        RunRow.feed == feed, RunRow.status == OPEN, RunRow.run_id < run_id, RunRow.settings.has_key(CHAIN)
    )
    with engine.connect() as connection:
        found = connection.execute(query.order_by(RunRow.run_id.desc()).limit(1)).one_or_none()
    return None if found is None else (found.run_id, dict(found.settings))


def _kept(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that tell runs apart."""
    return {name: value for name, value in settings.items() if name not in _OPENING}


def finish_run(engine: Engine, run_id: int) -> None:
    """Mark a run as finished: the next start of the same feed begins a new run."""
    with engine.begin() as connection:
        done = update(RunRow).where(RunRow.run_id == run_id).values(status=FINISHED, finished_at=func.now())
        connection.execute(done)


def run_options(engine: Engine, run_id: int) -> dict[str, Any]:
    """Return the options of the last start of a run."""
    with engine.connect() as connection:
        options = connection.scalar(select(RunRow.options).where(RunRow.run_id == run_id))
    return dict(options or {})


def read_live_capital(engine: Engine, run_id: int) -> int | None:
    """Return the starting capital of a run's live account in lamports; None where the run has no live account."""
    with engine.connect() as connection:
        return read_run_settings(connection, run_id).get(LIVE_CAPITAL)


def read_run_settings(connection: Connection, run_id: int) -> dict[str, Any]:
    """Return what a run keeps: its deciding settings, and the keys of a live run."""
    query = select(RunRow.settings).where(RunRow.run_id == run_id)
    return dict(connection.execute(query).scalar_one())


def read_stream_key(engine: Engine, run_id: int) -> bytes:
    """Return the key of the MACs of all entries that the run's actors publish."""
    with engine.connect() as connection:
        key: str = connection.execute(select(RunRow.stream_key).where(RunRow.run_id == run_id)).scalar_one()
    return key.encode()


@dataclass(frozen=True, slots=True)
class Cursor:
    """The progress of market_data."""

    position: int
    seq: int
    ts: int
    rejected: int
    decision_seq: int
    ended: bool
    rejected_because: dict[str, int] = field(default_factory=dict)  # category -> count
    token: Any = None  # resume token of the feed; None at the beginning


def read_cursor(connection: Connection, run_id: int) -> Cursor:
    """Return the feed cursor of a run."""
    row = connection.execute(_CURSOR, {"run": run_id}).one()
    return Cursor(
        row.position, row.seq, row.ts, row.rejected, row.decision_seq, row.ended, dict(row.rejected_because), row.token
    )  # fmt: skip


def read_mints(connection: Connection, run_id: int) -> list[str]:
    """Return the mints of a run by token index."""
    return list(connection.scalars(select(TokenRow.mint).where(TokenRow.run_id == run_id).order_by(TokenRow.token)))


def read_offsets(connection: Connection, run_id: int, *streams: str) -> list[dict[str, tuple[int, int]]]:
    """Return for each stream the offsets of its readers: actor -> (number, seq)."""
    found: dict[str, dict[str, tuple[int, int]]] = {stream: {} for stream in streams}
    for stream, actor, number, seq in connection.execute(_OFFSETS, {"run": run_id, "streams": streams}):
        found[stream][actor] = (number, seq)
    return list(found.values())


def read_published(connection: Connection, run_id: int, last_seq: int) -> dict[str, tuple[int, int]]:
    """Return for each stream the number of its last message, and of the last one that the end of the run waits for.

    Commands after the last event have no effect: nothing waits for them. A venue may report at any time; what it
    reports after the last event belongs to no event of the run.

    Args:
        connection: to the database.
        run_id: the run.
        last_seq: the last event.
    """
    message = MessageRow
    may_follow = (COMMANDS, APPLIED_COMMANDS, EXECUTION_REPORTS)
    due = func.max(message.number).filter(message.stream.not_in(may_follow) | (message.seq < last_seq))
    query = select(message.stream, func.max(message.number).label("last"), due.label("due"))
    rows = connection.execute(query.where(message.run_id == run_id).group_by(message.stream))
    return {row.stream: (row.last, row.due or 0) for row in rows}


def is_complete(connection: Connection, run_id: int, readers: tuple[str, ...]) -> bool:
    """Return whether the feed has ended, and every event, decision and control was consumed."""
    cursor = read_cursor(connection, run_id)
    if not cursor.ended:
        return False
    streams = {stream for consumed in CONSUMED_TO_THE_END.values() for stream in consumed}
    offsets = dict(zip((EVENTS, *streams), read_offsets(connection, run_id, EVENTS, *streams), strict=True))
    _, decided = offsets[ALLOCATIONS].get("executor", (0, 0))
    if decided < cursor.decision_seq or any(offsets[EVENTS].get(r, (0, 0))[1] < cursor.seq for r in readers):
        return False
    published = read_published(connection, run_id, cursor.seq)
    if WALLET in read_run_settings(connection, run_id) and not has_settled(connection, run_id):
        return False
    return all(
        offsets[stream].get(actor, (0, 0))[0] >= published.get(stream, (0, 0))[1]
        for actor, consumed in CONSUMED_TO_THE_END.items()
        for stream in consumed
    )


def open_orders(connection: Connection, run_id: int) -> int:
    """Return the number of live orders without a final outcome.

    An order whose outcome on the chain contradicts its report has none, and is not counted: `verify` names the wallet's
    difference.
    """
    order, submission = OrderRow, SubmissionRow
    submitted = select(submission.order_id).where(submission.run_id == run_id)
    unsubmitted = select(func.count()).where(
        order.run_id == run_id, order.account == Account.LIVE, order.order_id.not_in(submitted)
    )
    ended = (OrderStatus.RECONCILED, OrderStatus.CANCELLED)
    in_execution = select(func.count()).where(
        submission.run_id == run_id, submission.status.not_in(ended), submission.contradiction == ""
    )
    return sum(connection.execute(query).scalar_one() for query in (unsubmitted, in_execution))


def has_settled(connection: Connection, run_id: int) -> bool:
    """Return whether every live order has its final outcome, and the executor has applied all reports."""
    unread = select(func.count()).where(ReportRow.run_id == run_id)
    last = select(func.coalesce(func.max(MessageRow.number), 0)).where(
        MessageRow.run_id == run_id, MessageRow.stream == EXECUTION_REPORTS
    )
    (reports,) = read_offsets(connection, run_id, EXECUTION_REPORTS)
    applied, _ = reports.get("executor", (0, 0))
    if open_orders(connection, run_id) or connection.execute(unread).scalar_one():
        return False
    return applied >= connection.execute(last).scalar_one()
