"""Errors as problem details (RFC 9457): one JSON object with what is wrong, and what to do."""

from http import HTTPStatus
from typing import Any, Final

import orjson
from fastapi.responses import JSONResponse

from memesnipe.api.schemas import Problem

MEDIA_TYPE: Final = "application/problem+json"


class ProblemAnswer(JSONResponse):
    """The response to a request that fails.

    Args:
        status: of HTTP.
        detail: what is wrong, and what to do.
        headers: of the response.
    """

    media_type = MEDIA_TYPE

    def __init__(self, status: int, detail: str, headers: Any = None) -> None:
        problem = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
        super().__init__(problem, status_code=status, headers=headers)

    def render(self, content: Any) -> bytes:
        """Return the content as UTF-8."""
        return orjson.dumps(content)


def described(description: str) -> dict[str, Any]:
    """Return the description of an error for OpenAPI."""
    return {"model": Problem, "description": description}


# Of every route.
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    401: described("The request comes from another machine, and has no token or a wrong one"),
    422: described("A parameter is unknown or invalid"),
    503: described("Too many requests wait, or the database does not respond"),
}
