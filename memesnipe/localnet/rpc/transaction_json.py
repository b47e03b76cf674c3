"""Transactions of the chain as JSON, as `getTransaction` returns them."""

import base64
from collections.abc import Iterable
from typing import Any, Literal

from solders.message import MessageV0

from memesnipe import base58
from memesnipe.localnet.checks import message_of
from memesnipe.localnet.records import Balances, TransactionRecord
from memesnipe.localnet.rpc.account_json import amount_json

TransactionEncoding = Literal["json", "base58", "base64"]


def version_of(record: TransactionRecord) -> int | Literal["legacy"]:
    """Return the version of a transaction."""
    return 0 if isinstance(record.transaction.message, MessageV0) else "legacy"


def transaction_json(record: TransactionRecord, encoding: TransactionEncoding) -> Any:
    """Return what was signed."""
    if encoding == "base64":
        return [base64.b64encode(bytes(record.transaction)).decode(), encoding]
    if encoding == "base58":
        return [base58.encode(bytes(record.transaction)), encoding]
    message = message_of(record.transaction)
    header = message.header
    body: dict[str, Any] = {
        "header": {
            "numRequiredSignatures": header.num_required_signatures,
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
        },
        "accountKeys": [str(key) for key in message.account_keys],
        "recentBlockhash": str(message.recent_blockhash),
        "instructions": [
            _instruction(one.program_id_index, one.accounts, bytes(one.data), 1) for one in message.instructions
        ],
    }
    if isinstance(message, MessageV0):
        body["addressTableLookups"] = [
            {
                "accountKey": str(lookup.account_key),
                "writableIndexes": list(lookup.writable_indexes),
                "readonlyIndexes": list(lookup.readonly_indexes),
            }
            for lookup in message.address_table_lookups
        ]
    return {"signatures": [str(signature) for signature in record.transaction.signatures], "message": body}


def meta_json(record: TransactionRecord) -> dict[str, Any]:
    """Return what became of a transaction."""
    done, keys = record.execution, record.keys
    return {
        "err": done.err,
        "status": status_json(record),
        "fee": done.fee,
        "preBalances": done.before.lamports,
        "postBalances": done.after.lamports,
        "innerInstructions": _inner(record),
        "logMessages": done.logs,
        "preTokenBalances": _tokens(done.before),
        "postTokenBalances": _tokens(done.after),
        "rewards": [],
        "loadedAddresses": {"writable": list(map(str, keys.writable)), "readonly": list(map(str, keys.readonly))},
        "computeUnitsConsumed": done.units,
    }


def status_json(record: TransactionRecord) -> dict[str, Any]:
    """Return the outcome in the form of a Rust result."""
    return {"Ok": None} if record.execution.err is None else {"Err": record.execution.err}


def _instruction(program: int, accounts: Iterable[int], data: bytes, height: int) -> dict[str, Any]:
    return {
        "programIdIndex": program,
        "accounts": list(accounts),
        "data": base58.encode(data),
        "stackHeight": height,
    }


def _tokens(balances: Balances) -> list[dict[str, Any]]:
    return [
        {
            "accountIndex": one.account_index,
            "mint": str(one.mint),
            "owner": str(one.owner),
            "programId": str(one.program_id),
            "uiTokenAmount": amount_json(one.amount, one.decimals),
        }
        for one in balances.tokens
    ]


def _inner(record: TransactionRecord) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "instructions": [_instruction(one.program, one.accounts, one.data, one.height) for one in calls],
        }
        for index, calls in record.execution.inner
    ]
