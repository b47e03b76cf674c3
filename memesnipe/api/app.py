"""The HTTP API and the dashboard page, over a backend."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import anyio
import orjson
from fastapi import FastAPI, Query, Request
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

import memesnipe
from memesnipe.api.backend import STATE_INTERVAL_S, Backend
from memesnipe.storage.commands import CommandName

_PAGE = Path(__file__).parent / "page"
_PAGE_HEADERS = {
    # The page needs nothing from elsewhere, and text from the market must never become code.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
_STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Json = dict[str, Any]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]


class _Answer(JSONResponse):
    """JSON in which a figure that is not a number is null, as JSON has no word for it."""

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


def create_api(backend: Backend) -> FastAPI:
    """The application; it keeps nothing but the backend."""
    # FastAPI's own docs page loads its scripts from the internet, so ours takes its place.
    api = FastAPI(
        title="MemeSnipe",
        version=memesnipe.__version__,
        description="The newest run, and what can be asked of it with a token. Research software, paper money.",
        docs_url=None,
        redoc_url=None,
        default_response_class=_Answer,
    )
    _add_pages(api)
    _add_figures(api, backend)
    _add_lists(api, backend)
    _add_commands(api, backend)
    _add_stream(api, backend)

    @api.exception_handler(SQLAlchemyError)
    def say_that_the_database_fails(request: Request, error: SQLAlchemyError) -> JSONResponse:  # noqa: ARG001
        return _Answer({"error": backend.explain(error)}, status_code=503)

    return api


def _add_pages(api: FastAPI) -> None:
    @api.get("/", include_in_schema=False)
    def show_page() -> FileResponse:
        return FileResponse(_PAGE / "index.html", headers=_PAGE_HEADERS)

    @api.get("/docs", include_in_schema=False)
    def show_docs() -> FileResponse:
        return FileResponse(_PAGE / "docs.html", headers=_PAGE_HEADERS)

    api.mount("/static", StaticFiles(directory=_PAGE), name="static")


def _add_figures(api: FastAPI, backend: Backend) -> None:
    @api.get("/api/health", response_model=None, responses={503: {"description": "Unhealthy"}})
    def show_health() -> JSONResponse:
        """Whether PostgreSQL, Redis, the signer and each actor are well. 503 when unhealthy."""
        health = backend.health()
        return _Answer(health, status_code=503 if health["status"] == "unhealthy" else 200)

    @api.get("/api/report", response_model=None)
    def show_report() -> JSONResponse:
        """The newest run in figures."""
        return _Answer(backend.report())

    @api.get("/api/portfolio", response_model=None)
    def show_portfolio() -> JSONResponse:
        """Equity, cash and drawdown at the last mark."""
        return _Answer(backend.portfolio())

    @api.get("/api/risk", response_model=None)
    def show_risk() -> JSONResponse:
        """The circuit breaker: level, drawdown, and what it does to new positions."""
        return _Answer(backend.risk())


def _add_lists(api: FastAPI, backend: Backend) -> None:
    @api.get("/api/strategies", response_model=None)
    def list_strategies(limit: Limit = 100) -> JSONResponse:
        """Strategies with genome, mode, allocation and result; those on paper first."""
        return _Answer(backend.strategies(limit))

    @api.get("/api/trades", response_model=None)
    def list_trades(limit: Limit = 100) -> JSONResponse:
        """Fills and failed orders, the newest first."""
        return _Answer(backend.trades(limit))

    @api.get("/api/positions", response_model=None)
    def list_positions(limit: Limit = 100) -> JSONResponse:
        """Positions with realised and unrealised profit; open ones first."""
        return _Answer(backend.positions(limit))

    @api.get("/api/generations", response_model=None)
    def list_generations() -> JSONResponse:
        """The generations of the search."""
        return _Answer(backend.generations())

    @api.get("/api/refusals", response_model=None)
    def list_refusals(limit: Limit = 100) -> JSONResponse:
        """Decisions that the risk gate refused, with the rule and its figures; the newest first."""
        return _Answer(backend.refusals(limit))

    @api.get("/api/lifecycle", response_model=None)
    def list_lifecycle(limit: Limit = 100) -> JSONResponse:
        """Promotions, demotions and retirements with their reasons; the newest first."""
        return _Answer(backend.lifecycle(limit))

    @api.get("/api/commands", response_model=None)
    def list_commands(limit: Limit = 100) -> JSONResponse:
        """What was asked for by hand, and what came of it; the newest first."""
        return _Answer(backend.commands(limit))


def _add_commands(api: FastAPI, backend: Backend) -> None:
    """What changes something: only for who sends `Authorization: Bearer TOKEN`."""

    def ask(request: Request, name: CommandName, spec_id: str = "") -> JSONResponse:
        if not backend.allows(request.headers.get("authorization")):
            error = {"error": "send the token of this installation: Authorization: Bearer TOKEN"}
            return _Answer(error, status_code=401, headers={"WWW-Authenticate": "Bearer"})
        command_id = backend.ask(name, spec_id)
        if command_id is None:
            return _Answer(
                {"error": f"there is no strategy {spec_id}" if spec_id else "there is no run"}, status_code=404
            )
        return _Answer({"command_id": command_id, "outcome": "/api/commands"}, status_code=202)

    @api.post("/api/halt", response_model=None, status_code=202)
    def halt(request: Request) -> JSONResponse:
        """Stop all trading."""
        return ask(request, CommandName.HALT)

    @api.post("/api/risk/reset", response_model=None, status_code=202)
    def reset_risk(request: Request) -> JSONResponse:
        """Leave a halt or Emergency."""
        return ask(request, CommandName.RISK_RESET)

    @api.post("/api/strategies/{spec_id}/promote", response_model=None, status_code=202)
    def promote(request: Request, spec_id: str) -> JSONResponse:
        """Move a strategy one mode up, past the gates."""
        return ask(request, CommandName.PROMOTE, spec_id)

    @api.post("/api/strategies/{spec_id}/demote", response_model=None, status_code=202)
    def demote(request: Request, spec_id: str) -> JSONResponse:
        """Move a strategy one mode down."""
        return ask(request, CommandName.DEMOTE, spec_id)


def _add_stream(api: FastAPI, backend: Backend) -> None:
    @api.get("/api/events", response_model=None)
    async def stream_state(request: Request) -> StreamingResponse:
        """Server-sent events: `state` with everything the page shows, `trouble` while it cannot be read."""
        return StreamingResponse(_states(request, backend), media_type="text/event-stream", headers=_STREAM_HEADERS)


async def _states(request: Request, backend: Backend) -> AsyncIterator[bytes]:
    """A message when something changed, else a comment that keeps the connection open; once a second."""
    yield b"retry: 1000\n\n"
    sent = b""
    while not await request.is_disconnected():
        state = await run_in_threadpool(backend.state)
        body = orjson.dumps(state)
        if body == sent:
            yield b": nothing new\n\n"
        else:
            yield b"event: %b\ndata: %b\n\n" % (b"trouble" if "error" in state else b"state", body)
            sent = body
        await anyio.sleep(STATE_INTERVAL_S)
