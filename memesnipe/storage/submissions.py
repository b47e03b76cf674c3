"""The store of a venue's submissions: each change of one is committed together with its reports."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from memesnipe.engine.orders import Fill, Order
from memesnipe.execution.landing_record import LandingRecord
from memesnipe.execution.submission import Submission
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.protocol.payload import encode
from memesnipe.storage.schema_submissions import ReportRow, SubmissionRow

RECORD_COLUMNS: Final = tuple(field.name for field in fields(LandingRecord))
_ENDED = (OrderStatus.RECONCILED, OrderStatus.CANCELLED)


class StoredSubmission(msgspec.Struct, frozen=True):
    """A submission and what it is made from."""

    order_id: str
    order: Order
    mint: str
    submission: Submission
    record: LandingRecord


class Submissions:
    """The submissions of a run. One process at a time uses it: the one with the executor's lease.

    Args:
        database: where they are stored.
        run_id: of the run.
    """

    def __init__(self, database: sa.Engine, run_id: int) -> None:
        self._database, self._run_id = database, run_id
        self._saving = threading.Lock()  # of the numbers
        with database.connect() as connection:
            newest = sa.select(sa.func.coalesce(sa.func.max(ReportRow.number), 0)).where(ReportRow.run_id == run_id)
            self._number: int = connection.execute(newest).scalar_one()

    def add(self, order_id: str, order: Order, mint: str) -> bool:
        """Store an order that is accepted; return False, without effect, if it is stored already."""
        row = {"run_id": self._run_id, "order_id": order_id, "mint": mint, "intent": msgspec.to_builtins(order)}
        statement = insert(SubmissionRow).values(row).on_conflict_do_nothing().returning(SubmissionRow.order_id)
        with self._database.begin() as connection:
            return connection.execute(statement).first() is not None

    def save(
        self, order_id: str, submission: Submission, reports: Sequence[ExecutionReport], record: LandingRecord
    ) -> list[tuple[int, ExecutionReport]]:
        """Commit a submission's state, its new reports and what was measured; return the reports with their numbers."""
        key = (SubmissionRow.run_id == self._run_id, SubmissionRow.order_id == order_id)
        columns = _columns(submission) | msgspec.to_builtins(record)
        with self._saving:
            numbered = list(enumerate(reports, start=self._number + 1))
            rows = [{"run_id": self._run_id, "number": n, "payload": encode(each).decode()} for n, each in numbered]
            with self._database.begin() as connection:
                connection.execute(sa.update(SubmissionRow).where(*key).values(columns))
                if rows:
                    connection.execute(sa.insert(ReportRow), rows)
            self._number += len(rows)
        return numbered

    def forget(self, numbers: Sequence[int]) -> None:
        """Delete reports that the executor has committed."""
        key = (ReportRow.run_id == self._run_id, ReportRow.number.in_(numbers))
        with self._database.begin() as connection:
            connection.execute(sa.delete(ReportRow).where(*key))

    def reports(self) -> list[tuple[int, ExecutionReport]]:
        """Return the reports that are not forgotten, with their numbers, in order."""
        query = sa.select(ReportRow.number, ReportRow.payload).where(ReportRow.run_id == self._run_id)
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(ReportRow.number)).all()
        return [(number, msgspec.json.decode(payload, type=ExecutionReport)) for number, payload in rows]

    def open(self) -> list[StoredSubmission]:
        """Return the submissions that have not ended."""
        table = SubmissionRow.__table__
        query = sa.select(table).where(SubmissionRow.run_id == self._run_id, SubmissionRow.status.not_in(_ENDED))
        with self._database.connect() as connection:
            rows = connection.execute(query.order_by(SubmissionRow.order_id)).mappings().all()
        return [_stored(dict(row)) for row in rows]


def _columns(submission: Submission) -> dict[str, Any]:
    return {
        "status": submission.status,
        "message": submission.message,
        "last_valid_height": submission.last_valid_height,
        "transaction": submission.transaction,
        "signature": submission.signature,
        "expired_slot": submission.expired_slot,
        "fill": None if submission.fill is None else msgspec.to_builtins(submission.fill),
        "contradiction": submission.contradiction,
    }


def _stored(row: dict[str, Any]) -> StoredSubmission:
    submission = Submission(
        OrderStatus(row["status"]),
        bytes(row["message"]),
        row["last_valid_height"],
        bytes(row["transaction"]),
        row["signature"],
        row["expired_slot"],
        None if row["fill"] is None else msgspec.convert(row["fill"], Fill),
        row["contradiction"],
    )
    order, record = msgspec.convert(row["intent"], Order), record_of(row)
    return StoredSubmission(row["order_id"], order, row["mint"], submission, record)


def record_of(row: Mapping[str, Any]) -> LandingRecord:
    """Return what was measured of an order, from its row."""
    return msgspec.convert({name: row[name] for name in RECORD_COLUMNS}, LandingRecord)
