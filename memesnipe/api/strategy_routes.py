"""The routes of strategies: the list, one of them, its specification as a file, and the families."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from memesnipe.api import schemas, schemas_details
from memesnipe.api.answers import Answer, tag
from memesnipe.api.lists import LIST_HEADERS, Limit, Offset, SpecId
from memesnipe.api.problems import described
from memesnipe.api.reads import Reads
from memesnipe.storage import views
from memesnipe.storage.rows import Json, Page
from memesnipe.storage.strategy_list import SortKey, Standing, StrategyFilter, families, strategies
from memesnipe.storage.strategy_page import strategy_page

# genome -> sentences about it, each under what it is about
Describe = Callable[[Json], dict[str, str]]
Family = Annotated[str | None, Query(pattern="^[a-z0-9_]{1,60}$", description="With a gene of this family.")]
Search = Annotated[str | None, Query(pattern="^[A-Za-z0-9_.:-]{1,100}$", description="The id begins with this.")]
Ids = Annotated[
    str | None, Query(pattern="^[A-Za-z0-9_.:,-]{1,1000}$", description="Ids, separated by commas.", examples=["a1,b2"])
]
_NO_SUCH: dict[int | str, dict[str, Any]] = {404: described("There is no such strategy")}


def strategy_routes(reads: Reads, describe: Describe) -> APIRouter:
    """Return the routes.

    Args:
        reads: of the database.
        describe: a genome in words; blocks, and is called in a thread.
    """
    router = APIRouter()
    _add_list(router, reads)

    @router.get("/api/families", response_model=list[schemas_details.Family])
    async def list_families(request: Request) -> Response:
        """The families of signals, with their strategies by mode and their capital."""
        return await reads.answer(request, families)

    @router.get("/api/strategies/{spec_id}", response_model=schemas_details.StrategyPage, responses=_NO_SUCH)
    async def show_strategy(request: Request, spec_id: SpecId) -> Response:
        """A strategy: its genome in words, its life with reasons, its backtest, and its round trips."""

        def view(conn: Any, run_id: int) -> Json | None:
            found = strategy_page(conn, run_id, spec_id)
            return found and {**found, "in_words": describe(found["strategy"]["genome"])}

        found = await reads.read(view)
        if found is None:
            raise HTTPException(404, f"there is no strategy {spec_id} in the newest run")
        answer: Response = tag(Answer(found), request)
        return answer

    @router.get("/api/strategies/{spec_id}/spec", response_model=dict[str, Any], responses=_NO_SUCH)
    async def export_strategy(spec_id: SpecId) -> Response:
        """Its specification as a file, which `memesnipe backtest --spec` and `memesnipe explain` read."""
        found = await reads.read(
            lambda conn, run_id: strategies(conn, run_id, StrategyFilter(spec_ids=(spec_id,)), Page(1)).rows
        )
        if not found:
            raise HTTPException(404, f"there is no strategy {spec_id} in the newest run")
        content = {"spec_id": spec_id, **found[0]["genome"]}
        body = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        headers = {"Content-Disposition": f'attachment; filename="{spec_id.replace(":", "_")}.json"'}
        return Response(body, media_type="application/json", headers=headers)

    return router


def _add_list(router: APIRouter, reads: Reads) -> None:
    @router.get("/api/strategies", response_model=list[schemas.Strategy], responses=LIST_HEADERS)
    async def list_strategies(
        request: Request,
        limit: Limit = 100,
        offset: Offset = 0,
        sort: Annotated[SortKey, Query(description="By what; without a value comes last.")] = SortKey.RANK,
        order: Annotated[Literal["desc", "asc"], Query(description="Greatest or least first.")] = "desc",
        mode: Annotated[schemas.Mode | None, Query(description="In this mode.")] = None,
        family: Family = None,
        evidence: Annotated[Standing | None, Query(description="What the evidence says.")] = None,
        search: Search = None,
        ids: Ids = None,
    ) -> Response:
        """Strategies with genome, mode, allocation, result, and why they hold capital; those on paper first."""
        chosen = StrategyFilter(mode, family, evidence, search, tuple(filter(None, (ids or "").split(","))))
        page = Page(limit, offset)
        return await reads.page(
            request,
            page,
            lambda conn, run_id: strategies(conn, run_id, chosen, page, sort, is_descending=order == "desc"),
        )

    @router.get("/api/lifecycle", response_model=list[schemas.LifecycleChange])
    async def list_lifecycle(request: Request, limit: Limit = 100) -> Response:
        """Promotions, demotions and retirements with their reasons; the newest first."""
        return await reads.answer(request, lambda conn, run_id: views.lifecycle(conn, run_id, limit))
