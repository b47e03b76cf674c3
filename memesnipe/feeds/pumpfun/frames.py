"""Text frames of a websocket with `logsSubscribe`, or with Helius' `transactionSubscribe`, as typed messages."""

from typing import Annotated, Any, Final, TypeAlias

import msgspec

from memesnipe.feeds.pumpfun.invocations import TRUNCATED, DataLine
from memesnipe.feeds.pumpfun.self_calls import TransactionError, lines_of_parsed

MAX_SLOT: Final = 2**32 - 1  # of an event's record
_Slot = Annotated[int, msgspec.Meta(ge=0, le=MAX_SLOT)]
_MAX_SHOWN: Final = 200


class Notification(msgspec.Struct, frozen=True, gc=False):
    """The logs of one transaction."""

    slot: int
    signature: str
    is_failed: bool  # its effects were undone, and so its events mean nothing
    logs: list[str]
    lines: list[DataLine] | None = None  # the data of the programs, where it is known without the logs

    @property
    def is_truncated(self) -> bool:
        """Whether events may be missing because the node cut the logs."""
        return self.lines is None and TRUNCATED in self.logs


class Subscribed(msgspec.Struct, frozen=True):
    """The reply to a request: the number of the subscription."""

    request: int | str | None
    subscription: int


class RequestError(msgspec.Struct, frozen=True):
    """The node refused a request."""

    request: int | str | None
    code: int
    message: str


class NotUnderstood(msgspec.Struct, frozen=True):
    """A frame that is none of the others."""

    reason: str


Frame: TypeAlias = Notification | Subscribed | RequestError | NotUnderstood


class _Context(msgspec.Struct):
    slot: _Slot


class _Value(msgspec.Struct):
    signature: str
    logs: list[str]
    err: Any = None


class _Meta(msgspec.Struct, rename="camel"):
    err: Any
    log_messages: list[str]
    inner_instructions: msgspec.Raw = msgspec.Raw()  # read only where the logs were cut


class _Transaction(msgspec.Struct):
    meta: _Meta


class _Result(msgspec.Struct):
    """The result of either subscription: a context with a value, or a slot with a transaction."""

    context: _Context | None = None
    value: _Value | None = None
    slot: _Slot = 0
    signature: str = ""
    transaction: _Transaction | None = None


class _Params(msgspec.Struct):
    result: _Result


class _Error(msgspec.Struct):
    code: int
    message: str


class _Message(msgspec.Struct):
    method: str = ""
    params: _Params | None = None
    id: int | str | None = None
    result: Any = None
    error: _Error | None = None


_DECODER: Final = msgspec.json.Decoder(_Message)


def parse_frame(text: Any) -> Frame:
    """Return a frame as a typed message. No input raises an exception."""
    if not isinstance(text, str | bytes):
        return NotUnderstood(f"a frame is a {type(text).__name__}, not text")
    try:
        message = _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return NotUnderstood(str(error)[:_MAX_SHOWN])
    if message.params is not None and message.method in ("logsNotification", "transactionNotification"):
        return _notification(message.params.result)
    if message.error is not None:
        return RequestError(message.id, message.error.code, message.error.message[:_MAX_SHOWN])
    if isinstance(message.result, int) and not isinstance(message.result, bool):
        return Subscribed(message.id, message.result)
    return NotUnderstood(f"method {message.method[:_MAX_SHOWN]!r} without a reply or a notification of logs")


def _notification(result: _Result) -> Frame:
    value, transaction = result.value, result.transaction
    if result.context is not None and value is not None:
        return Notification(result.context.slot, value.signature, value.err is not None, value.logs)
    if transaction is None or not result.slot or not result.signature:
        return NotUnderstood("a notification without a transaction")
    meta = transaction.meta
    found = Notification(result.slot, result.signature, meta.err is not None, meta.log_messages)
    if not found.is_truncated:
        return found
    try:  # the events are also in the inner instructions, which are whole
        return msgspec.structs.replace(found, lines=lines_of_parsed(bytes(meta.inner_instructions)))
    except TransactionError:
        return found  # asked for like one of `logsSubscribe`
