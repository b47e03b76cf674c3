"""The port of markets that trade on the local chain, and the HTTP routes at which they are started and observed."""

from collections.abc import Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from memesnipe.localnet.http_replies import reply
from memesnipe.localnet.records import Block


class MarketPlayer(Protocol):
    """Something that trades on the local chain by itself."""

    sol_usd: float  # the price of SOL now

    def start(self) -> None:
        """Begin with the next block; nothing happens if it has begun."""

    def on_block(self, block: Block) -> None:
        """Queue what the next block is to have."""

    def status(self) -> dict[str, Any]:
        """Return what has happened so far, as JSON.

        `state` is "waiting", "running", or "ended": then everything that was sent has landed, or never will.
        """

    def mints(self) -> dict[str, str]:
        """Return the mints of the chain by the names of the coins."""


class MarketRoutes:
    """The routes of a market.

    Args:
        player: the market.
        started: called when it was asked to begin.
    """

    def __init__(self, player: MarketPlayer, started: Callable[[], None]) -> None:
        self._player, self._started = player, started

    def routes(self) -> list[Route]:
        """Return the HTTP routes."""
        return [
            Route("/market", self._status),
            Route("/market/start", self._start, methods=["POST"]),
            Route("/market/mints", self._mints),
        ]

    async def _status(self, _: Request) -> Response:
        return reply(self._player.status())

    async def _start(self, _: Request) -> Response:
        self._player.start()
        self._started()
        return reply(self._player.status())

    async def _mints(self, _: Request) -> Response:
        return reply(self._player.mints())
