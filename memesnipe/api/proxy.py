"""The hook that Serve's proxy calls before it listens: Serve has no settings for the protocol and the middlewares."""

from starlette.middleware import Middleware
from uvicorn.config import HTTP_PROTOCOLS

from memesnipe.api import connections
from memesnipe.api.priority import CommandPriority


def prepare_proxy() -> list[Middleware]:
    """Make the limited protocol the default of uvicorn in this process, and return the middlewares of the proxy."""
    HTTP_PROTOCOLS["auto"] = f"{connections.__name__}:{connections.LimitedProtocol.__name__}"
    return [Middleware(CommandPriority)]
