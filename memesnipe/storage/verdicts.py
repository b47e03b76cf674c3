"""The verdicts on tokens of a run."""

from typing import Any, Final

from sqlalchemy import Connection, Engine, Select, select
from sqlalchemy.dialects.postgresql import insert

from memesnipe.execution.token_verdict import SafetyReason, SafetyVerdict
from memesnipe.protocol.chain_errors import in_words
from memesnipe.storage.schema_verdicts import TokenVerdictRow

MAX_SHOWN: Final = 20


class Verdicts:
    """Implements `memesnipe.solana.submission.safe_builder.VerdictStore`.

    Args:
        database: where they are stored.
        run_id: of the run.
    """

    def __init__(self, database: Engine, run_id: int) -> None:
        self._database, self._run_id = database, run_id

    def latest(self, mint: str) -> tuple[SafetyVerdict, int] | None:
        """Return the last verdict on a token and its time in ns, None if there is none."""
        with self._database.connect() as connection:
            row = connection.execute(_of_token(self._run_id, mint, 1)).first()
        if row is None:
            return None
        reasons = tuple(SafetyReason(each["check"], each["detail"]) for each in row.reasons)
        if row.safe != (not reasons):
            raise ValueError(f"the verdict on {mint} at {row.ts} contradicts its reasons")
        return SafetyVerdict(mint, reasons, row.sources), row.ts

    def add(self, verdict: SafetyVerdict, ts: int) -> None:
        """Store a verdict that was made at a time in ns; the first one of a time stays."""
        row = {
            "run_id": self._run_id,
            "mint": verdict.mint,
            "ts": ts,
            "safe": verdict.is_safe,
            "reasons": [{"check": each.check, "detail": each.detail} for each in verdict.reasons],
            "sources": dict(verdict.sources),
        }
        with self._database.begin() as connection:
            connection.execute(insert(TokenVerdictRow).values(row).on_conflict_do_nothing())


def read_verdicts(connection: Connection, run_id: int, mint: str) -> list[dict[str, Any]]:
    """Return the last verdicts on a token, the newest first; errors of the chain in plain words."""
    rows = connection.execute(_of_token(run_id, mint, MAX_SHOWN))
    return [
        {
            "mint": row.mint,
            "ts": row.ts,
            "safe": row.safe,
            "reasons": [{**reason, "detail": in_words(reason["detail"])} for reason in row.reasons],
            "sources": row.sources,
        }
        for row in rows
    ]


def _of_token(run_id: int, mint: str, limit: int) -> Select[Any]:
    table = TokenVerdictRow.__table__
    query = select(table).where(TokenVerdictRow.run_id == run_id, TokenVerdictRow.mint == mint)
    return query.order_by(TokenVerdictRow.ts.desc()).limit(limit)
