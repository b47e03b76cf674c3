"""Commands over HTTP, with separate threads and connections, and a time limit."""

import time
from pathlib import Path as FilePath
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request
from fastapi.responses import Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Engine
from starlette.types import ASGIApp, Receive, Scope, Send

import memesnipe
from memesnipe import halt_file
from memesnipe.api.answers import Answer, answer_errors
from memesnipe.api.health import one_line
from memesnipe.api.lists import MINT, SpecId
from memesnipe.api.parameters import refuse_unknown_parameters
from memesnipe.api.problems import ProblemAnswer, described
from memesnipe.api.schemas import RecordedCommand
from memesnipe.api.token import is_allowed
from memesnipe.api.workers import SlowError, Workers
from memesnipe.errors import InputError
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName, check_reason
from memesnipe.storage.actions import UNKNOWN, by_token
from memesnipe.storage.command_submission import (
    NoRunError,
    NoSuchAccountError,
    NoSuchPositionError,
    NoSuchStrategyError,
    TooLateError,
    submit,
)

TIMEOUT_S: Final = 3.0
_THREADS: Final = 4
_CAPACITY: Final = 64
_REASON: Final = "over HTTP"

_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    401: described("The token is missing or wrong"),
    403: described("A page of another site sends it"),
    404: described("There is no run, or no such strategy, account or position"),
}
_bearer = HTTPBearer(auto_error=False, description="The token of this installation, see API_TOKEN_FILENAME.")
Reason = Annotated[str, Query(description="Recorded with the command. 1 KB at most.")]
AccountName = Annotated[
    Literal["live", "paper", "all"], Query(description="Whose positions are sold; `live` where it is missing.")
]
Mint = Annotated[str, Path(pattern=MINT, description="The address of the token that is held.")]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class Commands:
    """Record commands for the newest run, for callers with the token.

    Args:
        database: an engine for commands alone, so that no read holds its connections.
        token: required of every request; with an empty one every request is refused.
        kill_file: which a halt writes before anything else, as the database may not respond.
    """

    def __init__(self, database: Engine, token: str, kill_file: FilePath) -> None:
        self._database = database
        self._token = token
        self._kill_file = kill_file
        self._workers = Workers("commands", threads=_THREADS, timeout_s=TIMEOUT_S, capacity=_CAPACITY)

    async def submit(
        self,
        request: Request,
        bearer: HTTPAuthorizationCredentials | None,
        name: CommandName,
        reason: str,
        spec_id: str = "",
        account: str = "",
        mint: str = "",
    ) -> Response:
        """Return the response: 202 with the command's number, 401, 404, 422, or 503 within three seconds."""
        if not is_allowed(bearer.credentials if bearer else None, self._token):
            detail = "send the token of this installation: Authorization: Bearer TOKEN"
            return ProblemAnswer(401, detail, {"WWW-Authenticate": "Bearer"})
        who = by_token(request.client.host if request.client else UNKNOWN)
        deadline = time.monotonic() + TIMEOUT_S
        try:
            check_reason(reason)
            problem = self._change_kill_file(name)
            if problem and name is not CommandName.HALT:
                return ProblemAnswer(503, problem)
            target = {"spec_id": spec_id, "account": account, "mint": mint}
            submitted = await self._workers.run(
                lambda: submit(self._database, name, **target, reason=reason, deadline=deadline, who=who)
            )
        except (SlowError, TooLateError) as error:
            reason_of_failure = (
                f"no response within {TIMEOUT_S:g} s; /api/commands shows whether the {name.value} was recorded"
            )
            if name is CommandName.HALT:
                reason_of_failure += "; the signer has stopped, and the run halts once the database responds"
            raise SlowError(reason_of_failure) from error
        except InputError as error:
            return ProblemAnswer(422, str(error))
        except (NoRunError, NoSuchStrategyError, NoSuchAccountError, NoSuchPositionError) as error:
            return ProblemAnswer(404, str(error))
        if name is CommandName.FLATTEN:
            halt_file.allow_exits(self._kill_file)
        if problem:
            return Answer({"error": f"{problem}; the run halts, and the signer does not stop"}, status_code=503)
        found = {"run_id": submitted.run_id, "command_id": submitted.command_id, "outcome": "/api/commands"}
        return Answer(found, status_code=202)

    def _change_kill_file(self, name: CommandName) -> str:
        """Write or remove the kill file as the command says; return why that fails, "" if it does not."""
        try:
            if name is CommandName.HALT:
                halt_file.halt(self._kill_file)
            elif name is CommandName.RISK_RESET:
                # Before the command, or the file would halt the run again.
                halt_file.resume(self._kill_file)
        except OSError as error:
            return f"the kill file {self._kill_file} cannot be changed: {error.strerror}"
        return ""

    def explain(self, error: BaseException) -> str:
        """Return one line about an error, without secrets."""
        return f"the database does not respond: {one_line(error, self._database.url.password)}"


def command_routes(commands: Commands) -> APIRouter:
    """Return the routes of the commands."""
    router = APIRouter()

    @router.post("/api/halt", response_model=RecordedCommand, status_code=202, responses=_REFUSALS)
    async def halt(request: Request, bearer: Bearer, reason: Reason = _REASON) -> Response:
        """Stop all trading."""
        return await commands.submit(request, bearer, CommandName.HALT, reason)

    @router.post("/api/flatten", response_model=RecordedCommand, status_code=202, responses=_REFUSALS)
    async def flatten(
        request: Request, bearer: Bearer, account: AccountName = "live", reason: Reason = _REASON
    ) -> Response:
        """Stop all entries, and sell every position of an account."""
        chosen = "" if account == "all" else account
        return await commands.submit(request, bearer, CommandName.FLATTEN, reason, account=chosen)

    @router.post("/api/risk/reset", response_model=RecordedCommand, status_code=202, responses=_REFUSALS)
    async def reset_risk(request: Request, bearer: Bearer, reason: Reason = _REASON) -> Response:
        """Leave a halt, a flatten or Emergency."""
        return await commands.submit(request, bearer, CommandName.RISK_RESET, reason)

    @router.post(
        "/api/strategies/{spec_id}/promote", response_model=RecordedCommand, status_code=202, responses=_REFUSALS
    )
    async def promote(request: Request, bearer: Bearer, spec_id: SpecId, reason: Reason = _REASON) -> Response:
        """Move a strategy one mode up, past the gates."""
        return await commands.submit(request, bearer, CommandName.PROMOTE, reason, spec_id)

    @router.post(
        "/api/strategies/{spec_id}/demote", response_model=RecordedCommand, status_code=202, responses=_REFUSALS
    )
    async def demote(request: Request, bearer: Bearer, spec_id: SpecId, reason: Reason = _REASON) -> Response:
        """Move a strategy one mode down."""
        return await commands.submit(request, bearer, CommandName.DEMOTE, reason, spec_id)

    @router.post(
        "/api/positions/{account}/{spec_id}/{mint}/close",
        response_model=RecordedCommand,
        status_code=202,
        responses=_REFUSALS,
    )
    async def close_position(
        request: Request, bearer: Bearer, account: Account, spec_id: SpecId, mint: Mint, reason: Reason = _REASON
    ) -> Response:
        """Sell one position, and try again until it is sold."""
        return await commands.submit(request, bearer, CommandName.CLOSE, reason, spec_id, account, mint)

    return router


def create_command_api(commands: Commands) -> FastAPI:
    """Return an application of these routes alone, for a separate deployment."""
    api = FastAPI(
        title="MemeSnipe commands", version=memesnipe.__version__, docs_url=None, redoc_url=None, openapi_url=None
    )
    api.include_router(command_routes(commands), dependencies=[Depends(refuse_unknown_parameters)])
    answer_errors(api, commands.explain)
    return api


class FullPaths:
    """ASGI middleware for an application whose routes are full paths, whatever prefix it is deployed under."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on without the prefix."""
        await self._app({**scope, "root_path": ""}, receive, send)
