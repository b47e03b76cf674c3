"""The errors of the client, one line each.

ApiError                       the request has no usable response
+-- UnreachableError           no server responds at the address, or not in time
+-- UnexpectedResponseError    the response is not what this version of the API sends
+-- NotAllowedError            401, 403, 421: the token is missing or wrong, or the host is not known
+-- NotFoundError              404: there is no such strategy, token, run or route
+-- InvalidRequestError        422: a parameter is unknown or invalid
+-- BusyError                  503: too many requests wait, or the database does not respond; repeat it later
"""

from http import HTTPStatus
from typing import Final

from memesnipe.errors import MemeSnipeError


class ApiError(MemeSnipeError):
    """The base of them.

    Args:
        detail: what is wrong, in one line.
        status: of the response; None without one.
        retry_after_s: seconds that the server asks to wait; None where it names none.
    """

    def __init__(self, detail: str, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.retry_after_s = retry_after_s


class UnreachableError(ApiError):
    """No server responds at the address, or not in time."""


class UnexpectedResponseError(ApiError):
    """The response is not what this version of the API sends."""


class NotAllowedError(ApiError):
    """The token is missing or wrong, or the host is not known to the server."""

    exit_code = 3


class NotFoundError(ApiError):
    """There is no such strategy, token, run or route."""

    exit_code = 2


class InvalidRequestError(ApiError):
    """A parameter is unknown or invalid."""

    exit_code = 2


class BusyError(ApiError):
    """Too many requests wait, or the database does not respond; the request can be repeated later."""


OF_STATUS: Final[dict[int, type[ApiError]]] = {
    HTTPStatus.UNAUTHORIZED: NotAllowedError,
    HTTPStatus.FORBIDDEN: NotAllowedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.MISDIRECTED_REQUEST: NotAllowedError,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidRequestError,
    HTTPStatus.SERVICE_UNAVAILABLE: BusyError,
}
