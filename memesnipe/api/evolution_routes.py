"""The routes of the search: generations, the archive, the ancestors of a genome, and the families over time."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from memesnipe.api import schemas_evolution
from memesnipe.api.answers import Answer, tag
from memesnipe.api.lists import SpecId
from memesnipe.api.problems import described
from memesnipe.api.reads import Reads
from memesnipe.storage import evolution_view, views

_NO_SUCH: dict[int | str, dict[str, Any]] = {404: described("The search has evaluated no such genome")}


def evolution_routes(reads: Reads) -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.get("/api/generations", response_model=list[schemas_evolution.Generation])
    async def list_generations(request: Request) -> Response:
        """The generations of the search, with the luck bar of each."""
        return await reads.answer(request, views.generations)

    @router.get("/api/archive", response_model=schemas_evolution.Archive)
    async def show_archive(request: Request) -> Response:
        """The best genome of each cell of behaviour: families, holding time and turnover."""
        return await reads.answer(request, evolution_view.archive)

    @router.get("/api/families/shares", response_model=schemas_evolution.FamilyShares)
    async def show_shares(request: Request) -> Response:
        """The share of each family of signals in each generation."""
        return await reads.answer(request, evolution_view.family_shares)

    @router.get(
        "/api/strategies/{spec_id}/lineage", response_model=list[schemas_evolution.Ancestor], responses=_NO_SUCH
    )
    async def show_lineage(request: Request, spec_id: SpecId) -> Response:
        """A genome and its ancestors with the operator that made each; the latest first, 500 at most."""
        found = await reads.read(lambda conn, run_id: evolution_view.lineage(conn, run_id, spec_id))
        if not found:
            raise HTTPException(404, f"the search of the newest run has evaluated no genome {spec_id} to the end")
        answer: Response = tag(Answer(found), request)
        return answer

    return router
