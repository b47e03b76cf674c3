"""The name of the hook in `memesnipe.api.proxy`, which loads nothing."""

from typing import Final

# The environment variable with the import path of the hook, which Serve's proxy calls before it listens.
CALLBACK: Final = ("RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH", "memesnipe.api.proxy.prepare_proxy")
