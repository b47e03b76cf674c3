"""The errors of the services that the live path asks. No text has more of a URL than its host, which may be a key.

ServiceError
+-- UnreachableError     no usable reply; the request may have had its effect
+-- RateLimitedError     refused for `wait_s` seconds, without an effect
+-- RejectedError        the service understood and refused; `code` is its own code, or the HTTP status
    +-- PreflightError   a node's simulation failed before it sent a transaction; `err` and `logs` say how
    +-- NodeBehindError  the node is behind its cluster, or overloaded; another may answer
"""

from memesnipe.errors import MemeSnipeError, printable
from memesnipe.replies import host_of

_MAX_TEXT = 300


class ServiceError(MemeSnipeError):
    """Base class.

    Args:
        url: of the service; its host alone is shown.
        text: what happened.
    """

    def __init__(self, url: str, text: str) -> None:
        super().__init__(f"{host_of(url)}: {printable(text)[:_MAX_TEXT]}")


class UnreachableError(ServiceError):
    """There was no usable reply."""


class RateLimitedError(ServiceError):
    """The service refuses for a while."""

    def __init__(self, url: str, text: str, wait_s: float) -> None:
        super().__init__(url, text)
        self.wait_s = wait_s


class RejectedError(ServiceError):
    """The service refused the request."""

    def __init__(self, url: str, text: str, code: int | str) -> None:
        super().__init__(url, text)
        self.code = code


class PreflightError(RejectedError):
    """The simulation of a transaction failed."""

    def __init__(self, url: str, text: str, code: int | str, err: object, logs: list[str]) -> None:
        super().__init__(url, text, code)
        self.err, self.logs = err, logs


class NodeBehindError(RejectedError):
    """The node cannot answer well at the moment."""
