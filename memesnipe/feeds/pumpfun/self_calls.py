"""The events of a transaction from its inner instructions, which are whole where its logs are cut.

Both programs write each event twice: to the logs, and as data of an instruction to themselves (Anchor's `emit_cpi`),
which begins with a fixed prefix. Only the program itself can sign that instruction, so its events are authentic.
"""

import base64
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from memesnipe import base58
from memesnipe.feeds.pumpfun.invocations import DataLine
from memesnipe.feeds.pumpfun.programs import PROGRAMS

_PREFIX: Final = bytes.fromhex("e445a52e51cb9a1d")
_MAX_LETTERS: Final = 20_000  # of one instruction; a transaction has 4096 bytes, inner instructions up to 10 KiB


class TransactionError(Exception):
    """A result of `getTransaction` has no events to read; the text is the reason, one of few."""


class _Instruction(msgspec.Struct, rename="camel"):
    program_id_index: int
    data: str


class _Called(msgspec.Struct, rename="camel"):
    program_id: str
    data: str = ""  # without any where the node has parsed the instruction: it is of another program


class _InnerCalls(msgspec.Struct):
    instructions: list[_Called]


class _Inner(msgspec.Struct):
    instructions: list[_Instruction]


class _Loaded(msgspec.Struct):
    writable: list[str] = []
    readonly: list[str] = []


class _Meta(msgspec.Struct, rename="camel"):
    err: Any = None
    inner_instructions: list[_Inner] | None = None
    loaded_addresses: _Loaded | None = None


class _Message(msgspec.Struct, rename="camel"):
    account_keys: list[str]


class _Transaction(msgspec.Struct):
    message: _Message


class _Result(msgspec.Struct):
    transaction: _Transaction
    meta: _Meta | None = None


_PARSED: Final = msgspec.json.Decoder(list[_InnerCalls])


def lines_of(result: Any) -> list[DataLine]:
    """Return the events of pump.fun and PumpSwap in a result of `getTransaction` with the encoding json, in order.

    Raises:
        TransactionError: the result is not of that form, the transaction failed, or the node keeps no inner
            instructions.
    """
    try:
        found = msgspec.convert(result, _Result)
    except msgspec.ValidationError:
        raise TransactionError("answer not understood") from None
    meta = found.meta
    if meta is None or meta.inner_instructions is None:
        raise TransactionError("node without inner instructions")
    if meta.err is not None:
        raise TransactionError("transaction failed")
    loaded = meta.loaded_addresses or _Loaded()
    # The order in which instructions number the accounts.
    addresses = [*found.transaction.message.account_keys, *loaded.writable, *loaded.readonly]
    instructions = [one for inner in meta.inner_instructions for one in inner.instructions]
    return [line for one in instructions if (line := _line_of(one, addresses)) is not None]


def lines_of_parsed(inner: bytes) -> list[DataLine]:
    """Return the events in the inner instructions of a transaction with the encoding jsonParsed, in order.

    Args:
        inner: the JSON text of `innerInstructions`.

    Raises:
        TransactionError: it is not of that form.
    """
    try:
        found = _PARSED.decode(inner)
    except (msgspec.DecodeError, UnicodeError):
        raise TransactionError("answer not understood") from None
    called = [one for group in found for one in group.instructions]
    return [line for one in called if (line := _event_in(one.program_id, one.data)) is not None]


def _line_of(instruction: _Instruction, addresses: Sequence[str]) -> DataLine | None:
    """Return the event in an instruction; None for other instructions."""
    if not 0 <= instruction.program_id_index < len(addresses):
        raise TransactionError("answer not understood")
    return _event_in(addresses[instruction.program_id_index], instruction.data)


def _event_in(program: str, text: str) -> DataLine | None:
    if program not in PROGRAMS:
        return None
    data = from_base58(text)
    if not data.startswith(_PREFIX):
        return None
    return DataLine(program, base64.b64encode(data[len(_PREFIX) :]).decode())


def from_base58(text: str) -> bytes:
    """Return the bytes of a text in base58.

    Raises:
        TransactionError: it is no base58, or too long.
    """
    if len(text) > _MAX_LETTERS:
        raise TransactionError("answer not understood")
    try:
        return base58.decode(text)
    except ValueError:
        raise TransactionError("answer not understood") from None
