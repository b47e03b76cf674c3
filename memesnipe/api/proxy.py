"""The hook that Serve's proxy calls before it listens: Serve has no settings for the protocol and the middlewares."""

from typing import Final

from starlette.middleware import Middleware
from uvicorn.config import HTTP_PROTOCOLS

from memesnipe.api import connections
from memesnipe.api.priority import CommandPriority

# The environment variable with the import path of the hook.
CALLBACK: Final = ("RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH", "memesnipe.api.proxy.prepare_proxy")


def prepare_proxy() -> list[Middleware]:
    """Make the limited protocol the default of uvicorn in this process, and return the middlewares of the proxy."""
    HTTP_PROTOCOLS["auto"] = f"{connections.__name__}:{connections.LimitedProtocol.__name__}"
    return [Middleware(CommandPriority)]
