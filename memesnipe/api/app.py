"""The HTTP API and the dashboard page, over a backend."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query
from fastapi import Path as UrlPath
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles

import memesnipe
from memesnipe.api import schemas
from memesnipe.api.answers import PROBLEMS, Answer, answer_errors
from memesnipe.api.backend import Backend
from memesnipe.api.broadcast import Broadcast, StateStream
from memesnipe.api.commands import Commands, command_routes
from memesnipe.api.shared import Shared
from memesnipe.api.workers import Workers

_PAGE = Path(__file__).parent / "page"
_PAGE_HEADERS = {
    # The page loads nothing from other hosts, and text from the market must not be executed.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
}
Mint = Annotated[str, UrlPath(pattern=r"^[1-9A-HJ-NP-Za-km-z]{32,44}$", description="A token's address.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Maximum number of rows.")]

# All reads share these threads; a read beyond the limit gets 503 with Retry-After.
_READING_THREADS: Final = 4
_MAX_READERS: Final = 128
_READ_TIMEOUT_S: Final = 10.0
_HEALTH_TIMEOUT_S: Final = 5.0
_STATE_TIMEOUT_S: Final = 15.0


class Reads:
    """Call the blocking methods of the backend from an event loop, in threads that commands do not use."""

    def __init__(self, backend: Backend) -> None:
        self._workers = Workers("reads", threads=_READING_THREADS, timeout_s=_READ_TIMEOUT_S, capacity=_MAX_READERS)
        # Concurrent requests share one call, so one thread is enough for each.
        health = Workers("health", threads=1, timeout_s=_HEALTH_TIMEOUT_S, capacity=1)
        state = Workers("state", threads=1, timeout_s=_STATE_TIMEOUT_S, capacity=1)
        self.health = Shared(lambda: health.run(backend.health))
        self.state = Shared(lambda: state.run(backend.state))

    async def answer(self, read: Callable[[], Any]) -> Answer:
        """Return the response with the result of a method of the backend."""
        return Answer(await self._workers.run(read))


def create_api(backend: Backend, commands: Commands, max_streams: int) -> FastAPI:
    """Return the application: the pages, the reads, the stream of events, and the commands."""
    # FastAPI's docs page loads its scripts from the internet, so it is replaced.
    api = FastAPI(
        title="MemeSnipe",
        version=memesnipe.__version__,
        description="Figures of the newest run, and commands to it (with a token). Research software, paper money.",
        docs_url=None,
        redoc_url=None,
        default_response_class=Answer,
        responses=PROBLEMS,
    )
    reads = Reads(backend)
    _add_pages(api)
    _add_figures(api, backend, reads)
    _add_lists(api, backend, reads)
    _add_stream(api, reads, max_streams)
    api.include_router(command_routes(commands))
    answer_errors(api, backend.explain)
    return api


def _add_pages(api: FastAPI) -> None:
    @api.get("/", include_in_schema=False)
    async def show_page() -> FileResponse:
        return FileResponse(_PAGE / "index.html", headers=_PAGE_HEADERS)

    @api.get("/docs", include_in_schema=False)
    async def show_docs() -> FileResponse:
        return FileResponse(_PAGE / "docs.html", headers=_PAGE_HEADERS)

    api.mount("/static", StaticFiles(directory=_PAGE), name="static")


def _add_figures(api: FastAPI, backend: Backend, reads: Reads) -> None:
    @api.get(
        "/api/health",
        response_model=schemas.Health,
        responses={503: {"model": schemas.Health, "description": "Unhealthy"}},
    )
    async def show_health() -> Answer:
        """The health of PostgreSQL, Redis, the signer and each actor. 503 when unhealthy."""
        health = await reads.health()
        return Answer(health, status_code=503 if health["status"] == "unhealthy" else 200)

    @api.get("/api/report", response_model=schemas.Report)
    async def show_report() -> Answer:
        """The figures of the newest run."""
        return await reads.answer(backend.report)

    @api.get("/api/learned", response_model=schemas.Learned)
    async def show_learned() -> Answer:
        """What the newest run has learned so far, as figures and in words."""
        return await reads.answer(backend.learned)

    @api.get("/api/portfolio", response_model=schemas.Portfolio)
    async def show_portfolio() -> Answer:
        """Equity, cash and drawdown at the last mark."""
        return await reads.answer(backend.portfolio)

    @api.get("/api/risk", response_model=schemas.Risk)
    async def show_risk() -> Answer:
        """The circuit breaker: level, drawdown, and its effect on new positions."""
        return await reads.answer(backend.risk)


def _add_lists(api: FastAPI, backend: Backend, reads: Reads) -> None:
    @api.get("/api/strategies", response_model=list[schemas.Strategy])
    async def list_strategies(limit: Limit = 100) -> Answer:
        """Strategies with genome, mode, allocation and result; those on paper first."""
        return await reads.answer(lambda: backend.strategies(limit))

    @api.get("/api/trades", response_model=list[schemas.Trade])
    async def list_trades(limit: Limit = 100) -> Answer:
        """Fills and failed orders, the newest first."""
        return await reads.answer(lambda: backend.trades(limit))

    @api.get("/api/positions", response_model=list[schemas.Position])
    async def list_positions(limit: Limit = 100) -> Answer:
        """Positions with realised and unrealised profit; open ones first."""
        return await reads.answer(lambda: backend.positions(limit))

    @api.get("/api/generations", response_model=list[schemas.Generation])
    async def list_generations() -> Answer:
        """The generations of the search."""
        return await reads.answer(backend.generations)

    @api.get("/api/refusals", response_model=list[schemas.Refusal])
    async def list_refusals(limit: Limit = 100) -> Answer:
        """Decisions that the risk gate refused, with the rule and its figures; the newest first."""
        return await reads.answer(lambda: backend.refusals(limit))

    @api.get("/api/lifecycle", response_model=list[schemas.LifecycleChange])
    async def list_lifecycle(limit: Limit = 100) -> Answer:
        """Promotions, demotions and retirements with their reasons; the newest first."""
        return await reads.answer(lambda: backend.lifecycle(limit))

    @api.get("/api/tokens/{mint}/safety", response_model=list[schemas.TokenVerdict])
    async def list_verdicts(mint: Mint) -> Answer:
        """Verdicts on whether a token may be bought live, with the reasons against it; the newest first."""
        return await reads.answer(lambda: backend.verdicts(mint))

    @api.get("/api/commands", response_model=list[schemas.Command])
    async def list_commands(limit: Limit = 100) -> Answer:
        """Manual commands and their outcomes; the newest first."""
        return await reads.answer(lambda: backend.commands(limit))


def _add_stream(api: FastAPI, reads: Reads, max_streams: int) -> None:
    broadcast = Broadcast(reads.state, max_streams)

    @api.get(
        "/api/events",
        response_class=StreamingResponse,  # of no media type, so that errors are described as JSON
        responses={
            200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
            503: {"model": schemas.Problem, "description": "Too many streams are open"},
        },
    )
    async def stream_state() -> StateStream:
        """Server-sent events: `state` with the data of the page, `trouble` while it cannot be read."""
        return StateStream(broadcast)
