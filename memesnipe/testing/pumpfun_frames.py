"""Log notifications of pump.fun and PumpSwap, built from events: the inverse of `memesnipe.feeds.pumpfun`."""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

from memesnipe import base58
from memesnipe.feeds.pumpfun.chain_events import ChainEvent
from memesnipe.feeds.pumpfun.layouts import PROGRAM_OF
from memesnipe.feeds.pumpfun.programs import PUMP, PUMP_AMM
from memesnipe.localnet.event_encoding import data_line, encode_event

COMPUTE_BUDGET: Final = "ComputeBudget111111111111111111111111111111"
SELF_CALL: Final = bytes.fromhex("e445a52e51cb9a1d")  # in front of an event that is data of an instruction
TOKEN_PROGRAM: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 - an address


def key_of(name: str) -> bytes:
    """Return a key of 32 bytes that depends on a name alone."""
    return blake2b(name.encode(), digest_size=32).digest()


def program_of(event: ChainEvent) -> str:
    """Return the program that writes an event."""
    return PROGRAM_OF[type(event)]


def invocation(program: str, lines: Sequence[str] = (), depth: int = 1) -> list[str]:
    """Return the lines of a successful invocation with some lines within."""
    return [
        f"Program {program} invoke [{depth}]",
        "Program log: Instruction: Any",
        *lines,
        f"Program {program} consumed 1234 of 200000 compute units",
        f"Program {program} success",
    ]


def logs_of(events: Sequence[ChainEvent]) -> list[str]:
    """Return the logs of a transaction with these events, each in an invocation of its program."""
    lines = invocation(COMPUTE_BUDGET)
    for event in events:
        lines += invocation(program_of(event), [data_line(encode_event(event))])
    return lines


def notification(slot: int, signature: str, logs: Sequence[str], err: Any = None, subscription: int = 7) -> str:
    """Return the text frame of a transaction's logs."""
    value = {"signature": signature, "err": err, "logs": list(logs)}
    result = {"context": {"slot": slot}, "value": value}
    params = {"subscription": subscription, "result": result}
    return json.dumps({"jsonrpc": "2.0", "method": "logsNotification", "params": params})


def transaction_notification(
    slot: int, signature: str, logs: Sequence[str], events: Sequence[ChainEvent] = (), err: Any = None
) -> str:
    """Return the text frame of a transaction as Helius sends it, with the encoding jsonParsed.

    Args:
        slot: of the transaction.
        signature: of the transaction.
        logs: of the transaction.
        events: in its inner instructions.
        err: of the transaction; None if it succeeded.
    """
    calls: list[dict[str, Any]] = [{"program": "spl-token", "programId": TOKEN_PROGRAM, "parsed": {"type": "transfer"}}]
    for event in events:
        data = base58.encode(SELF_CALL + encode_event(event))
        calls.append({"programId": program_of(event), "accounts": [], "data": data, "stackHeight": 2})
    meta = {
        "err": err,
        "fee": 5_000,
        "logMessages": list(logs),
        "innerInstructions": [{"index": 2, "instructions": calls}],
    }
    sent = {"signatures": [signature], "message": {"accountKeys": [], "instructions": []}}
    result = {"transaction": {"transaction": sent, "meta": meta, "version": 0}, "signature": signature, "slot": slot}
    params = {"subscription": 4_743_323_479_349_712, "result": result}
    return json.dumps({"jsonrpc": "2.0", "method": "transactionNotification", "params": params})


def subscribed(subscription: int, request: int = 1) -> str:
    """Return the reply to a subscription."""
    return json.dumps({"jsonrpc": "2.0", "id": request, "result": subscription})


def migration_logs(pool_event: ChainEvent, migration: ChainEvent) -> list[str]:
    """Return the logs of a migration: pump.fun invokes PumpSwap, which creates the pool."""
    created = invocation(PUMP_AMM, [data_line(encode_event(pool_event))], depth=2)
    return invocation(PUMP, [*created, data_line(encode_event(migration))])
