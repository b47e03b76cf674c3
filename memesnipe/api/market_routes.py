"""The routes of the market: an overview, the tokens, one of them with candles and our trades, and verdicts."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from memesnipe.api import schemas_details
from memesnipe.api.answers import Answer, tag
from memesnipe.api.lists import LIST_HEADERS, MINT, Limit, Offset
from memesnipe.api.problems import described
from memesnipe.api.reads import Reads
from memesnipe.storage.market_view import Market, TokenSort
from memesnipe.storage.rows import Page
from memesnipe.storage.verdicts import read_verdicts

Mint = Annotated[str, Path(pattern=MINT, description="A token's address.")]
Interval = Annotated[int | None, Query(ge=1, le=86_400, description="Of a candle, in seconds; chosen where not given.")]
_NO_SUCH: dict[int | str, dict[str, Any]] = {404: described("There is no such token")}


def market_routes(reads: Reads, market: Market) -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.get("/api/market", response_model=schemas_details.MarketOverview)
    async def show_market(request: Request) -> Response:
        """Tokens, launches, graduations and volume of the newest run."""
        return await reads.answer(request, market.overview)

    @router.get("/api/market/tokens", response_model=list[schemas_details.Token], responses=LIST_HEADERS)
    async def list_tokens(
        request: Request,
        limit: Limit = 100,
        offset: Offset = 0,
        sort: Annotated[TokenSort, Query(description="By what; the greatest first.")] = TokenSort.VOLUME,
        alive: Annotated[bool, Query(description="Only tokens with an event in the last hour.")] = False,
    ) -> Response:
        """The tokens of the newest run."""
        page = Page(limit, offset)
        return await reads.page(
            request, page, lambda conn, run_id: market.tokens(conn, run_id, page, sort, alive_only=alive)
        )

    @router.get("/api/market/tokens/{mint}", response_model=schemas_details.TokenPage, responses=_NO_SUCH)
    async def show_token(request: Request, mint: Mint, interval_s: Interval = None) -> Response:
        """A token with its candles, and our trades in it."""
        found = await reads.read(lambda conn, run_id: market.token(conn, run_id, mint, interval_s))
        if found is None:
            raise HTTPException(404, "there is no such token in the newest run")
        answer: Response = tag(Answer(found), request)
        return answer

    @router.get("/api/tokens/{mint}/safety", response_model=list[schemas_details.TokenVerdict])
    async def list_verdicts(request: Request, mint: Mint) -> Response:
        """Verdicts on whether a token may be bought live, with the reasons against it; the newest first."""
        return await reads.answer(request, lambda conn, run_id: read_verdicts(conn, run_id, mint))

    return router
