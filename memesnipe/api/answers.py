"""The responses of the API: JSON with a tag of its content, and every error as problem details."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from memesnipe.api.problems import MEDIA_TYPE, ProblemAnswer
from memesnipe.api.workers import BusyError, SlowError

_RETRY: Final = {"Retry-After": "1"}
_TAG_BYTES: Final = 12


class Answer(JSONResponse):
    """A JSON response in which NaN and infinities are null."""

    def render(self, content: Any) -> bytes:
        """Return the content as UTF-8."""
        return orjson.dumps(content)


def tag(answer: Any, request: Request) -> Any:
    """Add an ETag to a complete response; return it, or 304 without a body if the client has this content already."""
    value = f'"{blake2b(answer.body, digest_size=_TAG_BYTES).hexdigest()}"'
    answer.headers["ETag"] = value
    answer.headers["Cache-Control"] = "private, no-cache"
    known = request.headers.get("if-none-match", "")
    if value in [part.strip().removeprefix("W/") for part in known.split(",")]:
        kept = {name: answer.headers[name] for name in ("ETag", "Cache-Control")}
        return _NotModified(headers=kept)
    return answer


class _NotModified(JSONResponse):
    """304: no body, and no type of one."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__(None, status_code=304, headers=headers)
        del self.headers["content-length"], self.headers["content-type"]

    def render(self, content: Any) -> bytes:  # noqa: ARG002
        """Return no bytes."""
        return b""


def answer_errors(api: FastAPI, explain: Callable[[BaseException], str]) -> None:
    """Register handlers that give every error of an application the same shape.

    Args:
        api: the application.
        explain: returns one line about an error of the database, without secrets.
    """

    @api.exception_handler(HTTPException)
    async def answer_http_error(request: Request, error: HTTPException) -> ProblemAnswer:  # noqa: ARG001
        return ProblemAnswer(error.status_code, str(error.detail), error.headers)

    @api.exception_handler(RequestValidationError)
    async def answer_wrong_parameter(request: Request, error: RequestValidationError) -> ProblemAnswer:  # noqa: ARG001
        messages = "; ".join(f"{part['loc'][-1]}: {part['msg']}" for part in error.errors())
        # An invalid path does not exist.
        in_path = any(part["loc"][0] == "path" for part in error.errors())
        return ProblemAnswer(404 if in_path else 422, messages)

    @api.exception_handler(SQLAlchemyError)
    async def answer_database_error(request: Request, error: SQLAlchemyError) -> ProblemAnswer:  # noqa: ARG001
        return ProblemAnswer(503, explain(error), _RETRY)

    @api.exception_handler(SlowError)
    async def answer_slow(request: Request, error: SlowError) -> ProblemAnswer:  # noqa: ARG001
        return ProblemAnswer(503, f"the database does not respond: {error}", _RETRY)

    @api.exception_handler(BusyError)
    async def answer_busy(request: Request, error: BusyError) -> ProblemAnswer:  # noqa: ARG001
        return ProblemAnswer(503, "too many requests are waiting", _RETRY)

    @api.exception_handler(Exception)
    async def answer_fault(request: Request, error: Exception) -> ProblemAnswer:  # noqa: ARG001
        return ProblemAnswer(500, f"internal error: {type(error).__name__}")


def describe_problems(api: FastAPI) -> None:
    """Give the errors in the application's description their media type: FastAPI describes them as plain JSON."""
    describe = api.openapi

    def corrected() -> dict[str, Any]:
        found = describe()
        for operation in (operation for methods in found["paths"].values() for operation in methods.values()):
            for response in operation["responses"].values():
                content = response.get("content", {})
                reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
                if reference.endswith("/Problem"):
                    content[MEDIA_TYPE] = content.pop("application/json")
        return found

    api.openapi = corrected  # type: ignore[method-assign]
