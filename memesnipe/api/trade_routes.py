"""The routes of trades, positions, refusals, commands and the audit log."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from memesnipe.api import schemas, schemas_details
from memesnipe.api.files import FILE, Ending, file_of
from memesnipe.api.lists import LIST_HEADERS, ExportLimit, Limit, Offset
from memesnipe.api.reads import Reads
from memesnipe.protocol.account import Account
from memesnipe.storage import views
from memesnipe.storage.actions import actions
from memesnipe.storage.rows import Page
from memesnipe.storage.trade_list import TradeFilter, refusals, trades

_Text = Query(pattern=r"^[^\x00-\x1f\x7f]{1,100}$")
_Ts = Annotated[int | None, Query(ge=0, le=2**63 - 1, description="Event time, in nanoseconds since 1970.")]
Status = Annotated[Literal["PAPER", "LIVE", "FAILED"] | None, Query(description="Fills on paper, live, or failures.")]


def _filter(
    account: Annotated[Account | None, Query(description="paper or live.")] = None,
    spec_id: Annotated[str | None, _Text] = None,
    mint: Annotated[str | None, _Text] = None,
    side: Annotated[Literal["buy", "sell", "short", "cover"] | None, Query(description="Of the order.")] = None,
    reason: Annotated[str | None, _Text] = None,
    since_ts: _Ts = None,
    until_ts: _Ts = None,
) -> TradeFilter:
    return TradeFilter(account, spec_id, mint, side, None, reason, since_ts, until_ts)


def _trade_filter(chosen: Annotated[TradeFilter, Depends(_filter)], status: Status = None) -> TradeFilter:
    return replace(chosen, status=status)


Chosen = Annotated[TradeFilter, Depends(_filter)]
ChosenTrades = Annotated[TradeFilter, Depends(_trade_filter)]


def trade_routes(reads: Reads) -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    _add_trades(router, reads)
    _add_refusals(router, reads)

    @router.get("/api/positions", response_model=list[schemas.Position])
    async def list_positions(request: Request, limit: Limit = 100) -> Response:
        """Positions with realised and unrealised profit; open ones first."""
        return await reads.answer(request, lambda conn, run_id: views.positions(conn, run_id, limit))

    @router.get("/api/commands", response_model=list[schemas.Command])
    async def list_commands(request: Request, limit: Limit = 100) -> Response:
        """Manual commands and their outcomes; the newest first."""
        return await reads.answer(request, lambda conn, run_id: views.commands(conn, run_id, limit))

    @router.get("/api/actions", response_model=list[schemas_details.Action], responses=LIST_HEADERS)
    async def list_actions(request: Request, limit: Limit = 100, offset: Offset = 0) -> Response:
        """The audit log: who asked for which command, when, and what became of it; the newest first."""
        page = Page(limit, offset)
        return await reads.page(request, page, lambda conn, run_id: actions(conn, run_id, page))

    return router


def _add_trades(router: APIRouter, reads: Reads) -> None:
    @router.get("/api/trades", response_model=list[schemas.Trade], responses=LIST_HEADERS)
    async def list_trades(request: Request, chosen: ChosenTrades, limit: Limit = 100, offset: Offset = 0) -> Response:
        """Fills and failed orders, the newest first."""
        page = Page(limit, offset)
        return await reads.page(request, page, lambda conn, run_id: trades(conn, run_id, chosen, page))

    @router.get("/api/trades.{ending}", response_class=Response, responses=FILE)
    async def export_trades(
        ending: Ending, chosen: ChosenTrades, limit: ExportLimit = 100_000, offset: Offset = 0
    ) -> Response:
        """The same as a file: CSV or Parquet."""

        def view(conn: Connection, run_id: int) -> Response:
            return file_of(ending, trades(conn, run_id, chosen, Page(limit, offset)).rows, schemas.Trade, "trades")

        return await reads.read(view)


def _add_refusals(router: APIRouter, reads: Reads) -> None:
    @router.get("/api/refusals", response_model=list[schemas.Refusal], responses=LIST_HEADERS)
    async def list_refusals(request: Request, chosen: Chosen, limit: Limit = 100, offset: Offset = 0) -> Response:
        """Decisions that the risk gate refused, with the rule and its figures; the newest first."""
        page = Page(limit, offset)
        return await reads.page(request, page, lambda conn, run_id: refusals(conn, run_id, chosen, page))

    @router.get("/api/refusals.{ending}", response_class=Response, responses=FILE)
    async def export_refusals(
        ending: Ending, chosen: Chosen, limit: ExportLimit = 100_000, offset: Offset = 0
    ) -> Response:
        """The same as a file: CSV or Parquet."""

        def view(conn: Connection, run_id: int) -> Response:
            found = refusals(conn, run_id, chosen, Page(limit, offset))
            return file_of(ending, found.rows, schemas.Refusal, "refusals")

        return await reads.read(view)
