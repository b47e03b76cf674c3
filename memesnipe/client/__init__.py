"""A typed client of the HTTP API, for scripts and for the command line (docs/api.md)."""

from memesnipe.client.client import Client
from memesnipe.client.errors import (
    ApiError,
    BusyError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    UnexpectedResponseError,
    UnreachableError,
)

__all__ = [
    "ApiError",
    "BusyError",
    "Client",
    "InvalidRequestError",
    "NotAllowedError",
    "NotFoundError",
    "UnexpectedResponseError",
    "UnreachableError",
]
