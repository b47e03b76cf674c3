"""What the API answers with: the views over one snapshot of the database, and the health of the parts."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Any

import redis
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from memesnipe.api.health import HealthCheck, one_line
from memesnipe.api.probe import Probe
from memesnipe.api.token import is_allowed
from memesnipe.storage import views
from memesnipe.storage.commands import CommandName, request

Json = dict[str, Any]
STATE_INTERVAL_S = 1.0
_LONGEST_PAUSE_S = 5.0
_PATIENCE_S = 5.0
_NO_RUN = 0  # runs are numbered from 1, and a run that does not exist is an empty one


class Backend:
    """Reads for everyone who looks; who has the token may ask for something."""

    def __init__(
        self,
        database: Engine,
        redis_client: redis.Redis,
        signer_is_healthy: Callable[[], bool],
        started_at: datetime,
        token: str = "",
    ) -> None:
        # One snapshot for each answer: its figures belong together even while the actors write.
        self._database = database.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._writable = database
        self._token = token
        self._check = HealthCheck(database, redis_client, signer_is_healthy)
        self._figures_probe = Probe(self._figures)
        self._started_at = started_at
        self._lock = Lock()
        self._state: Json = {}
        self._state_until = 0.0

    def health(self) -> Json:
        """The health of the whole and of each part."""
        return {**self._check().to_dict(), "started_at": self._started_at.isoformat()}

    def report(self) -> Json:
        """The newest run in figures."""
        with self._newest() as (conn, run_id):
            return views.report(conn, run_id)

    def portfolio(self) -> Json:
        """What the portfolio is worth."""
        with self._newest() as (conn, run_id):
            return views.portfolio(conn, run_id)

    def risk(self) -> Json:
        """The circuit breaker."""
        with self._newest() as (conn, run_id):
            return views.risk(conn, run_id)

    def trades(self, limit: int) -> list[Json]:
        """The latest trades."""
        with self._newest() as (conn, run_id):
            return views.trades(conn, run_id, limit)

    def positions(self, limit: int) -> list[Json]:
        """The positions, the open ones first."""
        with self._newest() as (conn, run_id):
            return views.positions(conn, run_id, limit)

    def strategies(self, limit: int) -> list[Json]:
        """The strategies, the best first."""
        with self._newest() as (conn, run_id):
            return views.strategies(conn, run_id, limit)

    def generations(self) -> list[Json]:
        """The generations of the search."""
        with self._newest() as (conn, run_id):
            return views.generations(conn, run_id)

    def refusals(self, limit: int) -> list[Json]:
        """What the risk gate refused."""
        with self._newest() as (conn, run_id):
            return views.refusals(conn, run_id, limit)

    def lifecycle(self, limit: int) -> list[Json]:
        """The latest steps in the lives of strategies."""
        with self._newest() as (conn, run_id):
            return views.lifecycle(conn, run_id, limit)

    def commands(self, limit: int) -> list[Json]:
        """What was asked for by hand."""
        with self._newest() as (conn, run_id):
            return views.commands(conn, run_id, limit)

    def allows(self, authorization: str | None) -> bool:
        """Whether the sender of this header may change something."""
        return is_allowed(authorization, self._token)

    def ask(self, name: CommandName, spec_id: str = "") -> int | None:
        """Ask the newest run for something; gives the command's number, or None where it has no such strategy."""
        with self._writable.begin() as conn:
            run_id = views.latest_run(conn)
            if run_id is None or (spec_id and not views.has_strategy(conn, run_id, spec_id)):
                return None
            return request(conn, run_id, name, spec_id=spec_id, reason="over HTTP")

    def state(self) -> Json:
        """Everything that the page shows; read once a second, however many pages are open."""
        with self._lock:
            began = time.monotonic()
            if began >= self._state_until:
                self._state = self._read_state()
                spent = time.monotonic() - began
                # A long run takes longer to read; then it is read less often, so that the actors go first.
                self._state_until = began + spent + max(STATE_INTERVAL_S / 2, min(4 * spent, _LONGEST_PAUSE_S))
            return self._state

    def explain(self, error: BaseException) -> str:
        """One line about an error, fit to be shown."""
        return f"the database does not answer: {one_line(error, self._database.url.password)}"

    def _read_state(self) -> Json:
        figures, health = self._figures_probe.ask(), self.health()
        try:
            return {**figures.result(_PATIENCE_S), "health": health}
        except TimeoutError:
            return {"error": f"the database says nothing for {_PATIENCE_S:.0f} s", "health": health}
        except SQLAlchemyError as error:
            return {"error": self.explain(error), "health": health}

    def _figures(self) -> Json:
        with self._newest() as (conn, run_id):
            return {
                "report": views.report(conn, run_id),
                "portfolio": views.portfolio(conn, run_id),
                "risk": views.risk(conn, run_id),
                "equity_curve": views.equity_curve(conn, run_id, 240),
                "positions": views.positions(conn, run_id, 50),
                "trades": views.trades(conn, run_id, 20),
                "strategies": views.strategies(conn, run_id, 8),
                "lifecycle": views.lifecycle(conn, run_id, 8),
            }

    @contextmanager
    def _newest(self) -> Iterator[tuple[Connection, int]]:
        with self._database.connect() as conn:
            yield conn, views.latest_run(conn) or _NO_RUN
