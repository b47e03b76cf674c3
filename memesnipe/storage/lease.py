"""Fencing lease: of the processes that run as one actor, only the current holder can commit.

The newest process takes the lease with a higher epoch. Every commit checks its epoch inside its transaction, so a
replaced process cannot commit, however late it detects its replacement. This fence depends on no clock. The time of
expiry, by the database's clock, only determines when a replaced process may try again.
"""

import os
import socket
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Engine, Executable, bindparam, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.errors import MemeSnipeError
from memesnipe.storage import schema_control

_VALID: Final = text("interval '10 seconds'")
# The epochs of the leases that a process took. If a lease has another epoch, or a commit failed for that reason, the
# process was replaced: it can take the lease again only after the lease of its replacement has expired.
Epochs = dict[tuple[str, int, str], int]
EPOCHS_OF_THIS_PROCESS: Final[Epochs] = {}
_REPLACED: Final = 0  # no lease has that epoch
_RENEW_S: Final = 3.0
_ROW: Final = schema_control.LeaseRow
_EXTEND: Final = (
    update(_ROW.__table__)  # type: ignore[arg-type]
    .where(_ROW.run_id == bindparam("b_run"), _ROW.actor == bindparam("b_actor"), _ROW.epoch == bindparam("b_epoch"))
    .values(expires_at=func.now() + _VALID)
)
# The condition of a statement that is executed only while the lease is held: it locks the lease until its commit.
IS_HELD: Final = (
    select(_ROW.epoch)
    .where(_ROW.run_id == bindparam("b_run"), _ROW.actor == bindparam("b_actor"), _ROW.epoch == bindparam("b_epoch"))
    .with_for_update(read=True)
    .exists()
)


def expire_leases(engine: Engine, run_id: int) -> None:
    """Let the leases of a run expire whose actors have stopped, so that nothing shows it as running."""
    with engine.begin() as connection:
        connection.execute(
            update(_ROW).where(_ROW.run_id == run_id, _ROW.expires_at > func.now()).values(expires_at=func.now())
        )


class LeaseLostError(MemeSnipeError):
    """Another process holds the lease of this actor."""


class Lease:
    """One actor's right to commit in one run."""

    def __init__(
        self,
        engine: Engine,
        run_id: int,
        actor: str,
        clock: Clock = SYSTEM_CLOCK,
        epochs: Epochs = EPOCHS_OF_THIS_PROCESS,
    ) -> None:
        self._engine, self._clock, self._epochs = engine, clock, epochs
        self._key = (engine.url.render_as_string(), run_id, actor)
        self._run_id, self._actor = run_id, actor
        self._epoch = 0
        self._renewed = 0.0

    def take(self) -> None:
        """Take the lease, with a higher epoch than before.

        Raises:
            LeaseLostError: this process was replaced before, and the lease of its replacement has not expired.
        """
        row = schema_control.LeaseRow
        held = {"holder": f"{socket.gethostname()}:{os.getpid()}", "expires_at": func.now() + _VALID}
        statement = insert(row).values(run_id=self._run_id, actor=self._actor, epoch=1, **held)
        before = self._epochs.get(self._key)
        statement = statement.on_conflict_do_update(
            index_elements=[row.run_id, row.actor],
            set_={**held, "epoch": row.epoch + 1},
            where=None if before is None else or_(row.epoch == before, row.expires_at < func.now()),
        )
        with self._engine.begin() as connection:
            epoch = connection.scalar(statement.returning(row.epoch))
        if epoch is None:
            raise LeaseLostError(f"another {self._actor} holds the lease of run {self._run_id}; this one waits")
        self._epoch, self._renewed = epoch, self._clock.monotonic_s()
        self._epochs[self._key] = epoch

    def assert_held(self, connection: Connection) -> None:
        """Check and extend the lease; until the end of the transaction no other process can take it.

        Raises:
            LeaseLostError: another process holds it.
        """
        self.execute_if_held(connection, _EXTEND, {})
        self._renewed = self._clock.monotonic_s()

    def execute_if_held(self, connection: Connection, statement: Executable, values: Mapping[str, Any]) -> None:
        """Execute a statement that changes one row provided that the lease is held (`IS_HELD`); it extends no lease.

        Raises:
            LeaseLostError: another process holds it, and nothing was changed.
        """
        held = {"b_run": self._run_id, "b_actor": self._actor, "b_epoch": self._epoch}
        if connection.execute(statement, {**held, **values}).rowcount != 1:
            self._epochs[self._key] = _REPLACED
            raise LeaseLostError(f"another {self._actor} has taken the lease of run {self._run_id}")

    def renew(self) -> None:
        """Extend the lease while there is nothing to commit; frequent calls cause one query every 3 s.

        Raises:
            LeaseLostError: another process holds it.
        """
        if self._clock.monotonic_s() - self._renewed > _RENEW_S:
            with self._engine.begin() as connection:
                self.assert_held(connection)
