"""The HTTP API and the dashboard page, over a backend."""

from typing import Final

from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from fastapi.staticfiles import StaticFiles

import memesnipe
from memesnipe.api.answers import Answer, answer_errors, describe_problems
from memesnipe.api.backend import Backend
from memesnipe.api.broadcast import Broadcast, StateStream
from memesnipe.api.commands import Commands, command_routes
from memesnipe.api.evolution_routes import evolution_routes
from memesnipe.api.figures import figure_routes
from memesnipe.api.market_routes import market_routes
from memesnipe.api.pages import PAGE, page_routes
from memesnipe.api.parameters import refuse_unknown_parameters
from memesnipe.api.problems import PROBLEMS, described
from memesnipe.api.reads import Reads
from memesnipe.api.strategy_routes import Describe, strategy_routes
from memesnipe.api.trade_routes import trade_routes
from memesnipe.storage.market_view import Market

_ABOUT: Final = "Figures of the newest run, and commands to it (with a token). Research software, paper money."


def create_api(backend: Backend, commands: Commands, market: Market, describe: Describe, max_streams: int) -> FastAPI:
    """Return the application: the pages, the reads, the stream of events, and the commands.

    Args:
        backend: the reads of the database, and the health.
        commands: what records commands.
        market: the reads of the event log.
        describe: a genome in words.
        max_streams: maximum number of open streams.
    """
    # FastAPI's docs page loads its scripts from the internet, so it is replaced.
    api = FastAPI(
        title="MemeSnipe",
        version=memesnipe.__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        default_response_class=Answer,
        responses=PROBLEMS,
        dependencies=[Depends(refuse_unknown_parameters)],
    )
    reads = Reads(backend)
    for router in (
        page_routes(),
        figure_routes(reads),
        evolution_routes(reads),
        strategy_routes(reads, describe),
        trade_routes(reads),
        market_routes(reads, market),
        command_routes(commands),
    ):
        api.include_router(router)
    api.mount("/static", StaticFiles(directory=PAGE), name="static")
    _add_stream(api, reads, max_streams)
    answer_errors(api, backend.explain)
    describe_problems(api)
    return api


def _add_stream(api: FastAPI, reads: Reads, max_streams: int) -> None:
    broadcast = Broadcast(reads.state, max_streams)

    @api.get(
        "/api/events",
        response_class=StreamingResponse,  # of no media type, so that errors are described as JSON
        responses={
            200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
            503: described("Too many streams are open"),
        },
    )
    async def stream_state() -> StateStream:
        """Server-sent events: `state` with all figures of the overview, `changes` with those that differ from the ones
        before, `trouble` while they cannot be read."""
        return StateStream(broadcast)
