"""The reads behind the API: views over one snapshot of the database, and the health of the parts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

import redis
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.api.health import HealthCheck, one_line
from memesnipe.storage import views
from memesnipe.storage.learned import in_words, learned
from memesnipe.storage.verdicts import read_verdicts

Json = dict[str, Any]
_TIMEOUT_S = 5.0
_NO_RUN = 0  # runs are numbered from 1; views of a run that does not exist are empty


class Backend:
    """The reads for all clients. The methods block; `memesnipe.api.app` calls them in threads."""

    def __init__(
        self,
        database: Engine,
        redis_client: redis.Redis,
        signer_is_healthy: Callable[[], bool],
        started_at: datetime,
        starting_s: float = 0.0,
    ) -> None:
        # One snapshot per response: its figures are consistent while the actors write.
        self._database = database.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._check = HealthCheck(database, redis_client, signer_is_healthy, starting_s)
        self._figures_check = BackgroundCheck(self._figures)
        self._started_at = started_at

    def health(self) -> Json:
        """Return the health of the system and of each part."""
        return {**self._check().to_dict(), "started_at": self._started_at.isoformat()}

    def report(self) -> Json:
        """Return the figures of the newest run."""
        with self._newest() as (conn, run_id):
            return views.report(conn, run_id)

    def portfolio(self) -> Json:
        """Return the portfolio's equity, cash and drawdown."""
        with self._newest() as (conn, run_id):
            return views.portfolio(conn, run_id)

    def risk(self) -> Json:
        """Return the state of the circuit breaker."""
        with self._newest() as (conn, run_id):
            return views.risk(conn, run_id)

    def trades(self, limit: int) -> list[Json]:
        """Return the latest trades."""
        with self._newest() as (conn, run_id):
            return views.trades(conn, run_id, limit)

    def positions(self, limit: int) -> list[Json]:
        """Return the positions, the open ones first."""
        with self._newest() as (conn, run_id):
            return views.positions(conn, run_id, limit)

    def strategies(self, limit: int) -> list[Json]:
        """Return the strategies, the best first."""
        with self._newest() as (conn, run_id):
            return views.strategies(conn, run_id, limit)

    def generations(self) -> list[Json]:
        """Return the generations of the search."""
        with self._newest() as (conn, run_id):
            return views.generations(conn, run_id)

    def learned(self) -> Json:
        """Return what the newest run has learned so far."""
        with self._newest() as (conn, run_id):
            return _learned(conn, run_id)

    def refusals(self, limit: int) -> list[Json]:
        """Return the decisions that the risk gate refused."""
        with self._newest() as (conn, run_id):
            return views.refusals(conn, run_id, limit)

    def lifecycle(self, limit: int) -> list[Json]:
        """Return the latest changes of strategies' modes."""
        with self._newest() as (conn, run_id):
            return views.lifecycle(conn, run_id, limit)

    def verdicts(self, mint: str) -> list[Json]:
        """Return the last verdicts on a token."""
        with self._newest() as (conn, run_id):
            return read_verdicts(conn, run_id, mint)

    def commands(self, limit: int) -> list[Json]:
        """Return the manual commands."""
        with self._newest() as (conn, run_id):
            return views.commands(conn, run_id, limit)

    def explain(self, error: BaseException) -> str:
        """Return one line about an error, without secrets."""
        return f"the database does not respond: {one_line(error, self._database.url.password)}"

    def state(self) -> Json:
        """Return the data of the page."""
        figures, health = self._figures_check.submit(), self.health()
        try:
            return {**figures.result(_TIMEOUT_S), "health": health}
        except TimeoutError:
            return {"error": f"the database has not responded for {_TIMEOUT_S:.0f} s", "health": health}
        except SQLAlchemyError as error:
            return {"error": self.explain(error), "health": health}

    def _figures(self) -> Json:
        with self._newest() as (conn, run_id):
            return {
                "report": views.report(conn, run_id),
                "learned": _learned(conn, run_id),
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


def _learned(conn: Connection, run_id: int) -> Json:
    facts = learned(conn, run_id)
    return {"in_words": in_words(facts), **asdict(facts)}
