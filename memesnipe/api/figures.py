"""The routes of single figures: health, report, portfolio, risk, equity, and what was learned."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection, select

from memesnipe.api import schemas, schemas_details
from memesnipe.api.answers import Answer
from memesnipe.api.backend import learned_so_far
from memesnipe.api.files import FILE, Ending, file_of
from memesnipe.api.reads import Reads
from memesnipe.protocol.account import Account
from memesnipe.storage import views
from memesnipe.storage.equity_view import equity
from memesnipe.storage.period_view import periods
from memesnipe.storage.rows import Json
from memesnipe.storage.schema import RunRow

AccountName = Annotated[Account, Query(description="paper or live: separate money, never added up.")]
Points = Annotated[int, Query(ge=10, le=5000, description="About how many points.")]


def figure_routes(reads: Reads) -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.get(
        "/api/health",
        response_model=schemas.Health,
        responses={503: {"model": schemas.Health, "description": "Unhealthy"}},
    )
    async def show_health() -> Answer:
        """The health of PostgreSQL, Redis, the signer and each actor. 503 when unhealthy."""
        health = await reads.health()
        return Answer(health, status_code=503 if health["status"] == "unhealthy" else 200)

    @router.get("/api/report", response_model=schemas.Report)
    async def show_report(request: Request) -> Response:
        """The figures of the newest run."""
        return await reads.answer(request, views.report)

    @router.get("/api/learned", response_model=schemas_details.Learned)
    async def show_learned(request: Request) -> Response:
        """What the newest run has learned so far, as figures and in words."""
        return await reads.answer(request, learned_so_far)

    @router.get("/api/portfolio", response_model=schemas.Portfolio)
    async def show_portfolio(request: Request, account: AccountName = Account.PAPER) -> Response:
        """Equity, cash and drawdown of an account at the last mark."""
        return await reads.answer(request, lambda conn, run_id: views.portfolio(conn, run_id, account))

    @router.get("/api/risk", response_model=schemas.Risk)
    async def show_risk(request: Request, account: AccountName = Account.PAPER) -> Response:
        """The circuit breaker of an account: level, drawdown, and its effect on new positions."""
        return await reads.answer(request, lambda conn, run_id: views.risk(conn, run_id, account))

    _add_equity(router, reads)

    @router.get("/api/settings", response_model=schemas_details.RunSettings)
    async def show_settings(request: Request) -> Response:
        """The settings of the newest run that decide its results, without secrets."""
        return await reads.answer(request, _settings)

    return router


def _add_equity(router: APIRouter, reads: Reads) -> None:
    @router.get("/api/equity", response_model=schemas_details.Equity)
    async def show_equity(request: Request, account: AccountName = Account.PAPER, points: Points = 600) -> Response:
        """The equity of an account over time, with the worth of its capital in cash and in SOL.

        Of equal intervals of marks, the least and the greatest equity are kept, besides the first and the last mark.
        """
        return await reads.answer(request, lambda conn, run_id: equity(conn, run_id, account, points))

    @router.get("/api/periods", response_model=schemas_details.Periods)
    async def show_periods(request: Request, account: AccountName = Account.PAPER) -> Response:
        """Profit by day, week and month of an account."""
        return await reads.answer(request, lambda conn, run_id: periods(conn, run_id, account))

    @router.get("/api/equity.{ending}", response_class=Response, responses=FILE)
    async def export_equity(ending: Ending, account: AccountName = Account.PAPER, points: Points = 5000) -> Response:
        """The same as a file: CSV or Parquet."""

        def view(conn: Connection, run_id: int) -> Response:
            found = equity(conn, run_id, account, points)["points"]
            return file_of(ending, found, schemas_details.EquityPoint, f"equity-{account}")

        return await reads.read(view)


def _settings(conn: Connection, run_id: int) -> Json:
    row = conn.execute(select(RunRow).where(RunRow.run_id == run_id)).mappings().first()
    started = row["started_at"].isoformat() if row else None
    known = {"feed": row["feed"], "settings": row["settings"]} if row else {"feed": "", "settings": {}}
    return {"run_id": run_id, "started_at": started, **known}
