"""The routes of the pages themselves, which have no data."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter
from fastapi.responses import FileResponse

PAGE: Final = Path(__file__).parent / "page"
_HEADERS: Final = {
    # The page loads nothing from other hosts, and text from the market must not be executed.
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
}


def page_routes() -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.get("/", include_in_schema=False)
    async def show_page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers=_HEADERS)

    @router.get("/docs", include_in_schema=False)
    async def show_docs() -> FileResponse:
        return FileResponse(PAGE / "docs.html", headers=_HEADERS)

    return router
