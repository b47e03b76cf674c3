"""The responses of the API: JSON; every error has the shape `{"error": "what is wrong, and what to do"}`."""

from collections.abc import Callable
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from memesnipe.api.schemas import Problem
from memesnipe.api.workers import BusyError, SlowError

# Of every route, for its description.
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    422: {"model": Problem, "description": "A parameter is invalid"},
    503: {"model": Problem, "description": "Too many requests wait, or the database does not respond"},
}
_RETRY = {"Retry-After": "1"}


class Answer(JSONResponse):
    """A JSON response in which NaN and infinities are null."""

    def render(self, content: Any) -> bytes:
        """Return the content as UTF-8."""
        return orjson.dumps(content)


def answer_errors(api: FastAPI, explain: Callable[[BaseException], str]) -> None:
    """Register handlers that give every error of an application the same shape.

    Args:
        api: the application.
        explain: returns one line about an error of the database, without secrets.
    """

    @api.exception_handler(HTTPException)
    async def answer_http_error(request: Request, error: HTTPException) -> Answer:  # noqa: ARG001
        return Answer({"error": error.detail}, status_code=error.status_code, headers=error.headers)

    @api.exception_handler(RequestValidationError)
    async def answer_wrong_parameter(request: Request, error: RequestValidationError) -> Answer:  # noqa: ARG001
        messages = "; ".join(f"{part['loc'][-1]}: {part['msg']}" for part in error.errors())
        # An invalid path does not exist.
        in_path = any(part["loc"][0] == "path" for part in error.errors())
        return Answer({"error": messages}, status_code=404 if in_path else 422)

    @api.exception_handler(SQLAlchemyError)
    async def answer_database_error(request: Request, error: SQLAlchemyError) -> Answer:  # noqa: ARG001
        return Answer({"error": explain(error)}, status_code=503, headers=_RETRY)

    @api.exception_handler(SlowError)
    async def answer_slow(request: Request, error: SlowError) -> Answer:  # noqa: ARG001
        return Answer({"error": f"the database does not respond: {error}"}, status_code=503, headers=_RETRY)

    @api.exception_handler(BusyError)
    async def answer_busy(request: Request, error: BusyError) -> Answer:  # noqa: ARG001
        return Answer({"error": "too many requests are waiting"}, status_code=503, headers=_RETRY)

    @api.exception_handler(Exception)
    async def answer_fault(request: Request, error: Exception) -> Answer:  # noqa: ARG001
        return Answer({"error": f"internal error: {type(error).__name__}"}, status_code=500)
