"""The progress figures of the newest run, from one statement whose cost does not grow with the run."""

from dataclasses import dataclass, fields

from sqlalchemy import BigInteger, Connection, Double, func, select

from memesnipe.storage.runs import ARENA_SHARDS
from memesnipe.storage.schema import FeedCursorRow, RunRow, StreamOffsetRow
from memesnipe.storage.schema_control import CommandRow


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The progress of the newest run, and its oldest command without an outcome."""

    run_id: int
    finished: bool
    ended: bool  # the feed has ended
    published: int  # events
    consumed: int  # events, by the executor
    rejected: int  # events
    command: str  # the oldest without an outcome; empty if there is none
    command_age_s: float
    arenas: int = 0  # that have processes of their own


def read_run_progress(connection: Connection) -> RunProgress | None:
    """Return the figures of the newest run, or None before the first."""
    age = func.extract("epoch", func.now() - CommandRow.requested_at)
    executor = (StreamOffsetRow.actor == "executor") & (StreamOffsetRow.stream == "events")
    query = (
        select(
            *(RunRow.run_id, RunRow.status == "finished"),
            *(func.coalesce(FeedCursorRow.ended, False), func.coalesce(FeedCursorRow.seq, 0)),
            *(func.coalesce(StreamOffsetRow.consumed, 0), func.coalesce(FeedCursorRow.rejected, 0)),
            *(func.coalesce(CommandRow.name, ""), func.coalesce(age.cast(Double), 0.0)),
            func.coalesce(RunRow.settings[ARENA_SHARDS].as_string().cast(BigInteger), 0),
        )
        .join(FeedCursorRow, FeedCursorRow.run_id == RunRow.run_id, isouter=True)
        .join(StreamOffsetRow, (StreamOffsetRow.run_id == RunRow.run_id) & executor, isouter=True)
        .join(CommandRow, (CommandRow.run_id == RunRow.run_id) & CommandRow.outcome.is_(None), isouter=True)
        .where(RunRow.run_id == select(func.max(RunRow.run_id)).scalar_subquery())
        .order_by(CommandRow.command_id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    names = [field.name for field in fields(RunProgress)]
    return RunProgress(**dict(zip(names, row, strict=True))) if row else None
