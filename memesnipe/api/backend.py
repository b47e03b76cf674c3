"""The reads behind the API: views over one snapshot of the database, and the health of the parts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

import redis
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.api.health import HealthCheck, one_line
from memesnipe.protocol.account import Account
from memesnipe.storage import views
from memesnipe.storage.equity_view import initial_capital_usd, live_capital_lamports, today_usd
from memesnipe.storage.learned import in_words, learned
from memesnipe.storage.rows import Page
from memesnipe.storage.trade_list import TradeFilter, trades

Json = dict[str, Any]
T = TypeVar("T")
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

    def read(self, view: Callable[[Connection, int], T]) -> T:
        """Return a view of the newest run, from one snapshot of the database."""
        with self._newest() as (conn, run_id):
            return view(conn, run_id)

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
                "learned": learned_so_far(conn, run_id),
                "accounts": [account_state(conn, run_id, account) for account in accounts_of(conn, run_id)],
                "positions": views.positions(conn, run_id, 50),
                "trades": trades(conn, run_id, TradeFilter(), Page(20)).rows,
                "lifecycle": views.lifecycle(conn, run_id, 8),
                "commands": views.commands(conn, run_id, 8),
            }

    @contextmanager
    def _newest(self) -> Iterator[tuple[Connection, int]]:
        with self._database.connect() as conn:
            yield conn, views.latest_run(conn) or _NO_RUN


def learned_so_far(conn: Connection, run_id: int) -> Json:
    """Return what a run has learned, in words and as figures."""
    facts = learned(conn, run_id)
    return {"in_words": in_words(facts), **asdict(facts)}


def accounts_of(conn: Connection, run_id: int) -> list[Account]:
    """Return the accounts of a run: paper, and live where it has capital."""
    has_live = live_capital_lamports(conn, run_id) is not None
    return [Account.PAPER, Account.LIVE] if has_live else [Account.PAPER]


def account_state(conn: Connection, run_id: int, account: Account) -> Json:
    """Return the money and the risk of one account."""
    return {
        "portfolio": views.portfolio(conn, run_id, account),
        "risk": views.risk(conn, run_id, account),
        "today_usd": today_usd(conn, run_id, account),
        "initial_usd": initial_capital_usd(conn, run_id, account),
    }
