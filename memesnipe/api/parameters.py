"""The check that a request has no query parameter that its route does not know: it would be ignored in silence."""

from difflib import get_close_matches

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException


def refuse_unknown_parameters(request: Request) -> None:
    """Check the names of a request's query parameters.

    Raises:
        HTTPException: 422; one is unknown, or is given twice. The text names the nearest, or all.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = _names(route.dependant)
    for name in request.query_params:
        if name not in known:
            raise HTTPException(422, f"{name[:60]}: there is no such parameter; {_hint(name, known)}")
    repeated = [name for name in known if len(request.query_params.getlist(name)) > 1]
    if repeated:
        raise HTTPException(422, f"{repeated[0]}: it is given more than once")


def _names(dependant: Dependant) -> list[str]:
    own = [field.alias for field in dependant.query_params]
    return own + [name for part in dependant.dependencies for name in _names(part)]


def _hint(name: str, known: list[str]) -> str:
    nearest = get_close_matches(name[:60], known, n=1)
    if nearest:
        return f"did you mean {nearest[0]}?"
    return f"this route has {', '.join(known)}" if known else "this route has none"
