"""The errors with which a node answers a request, and the texts of transaction errors (Agave's own)."""

from typing import Any, Final

from memesnipe.localnet.errors import Err, RejectedTransactionError
from memesnipe.localnet.program_logs import failure_text

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
PREFLIGHT_FAILURE: Final = -32002
SIGNATURE_FAILURE: Final = -32003
NODE_UNHEALTHY: Final = -32005
UNSUPPORTED_VERSION: Final = -32015
MIN_CONTEXT_SLOT: Final = -32016

_TEXTS: Final = {
    "AccountNotFound": "Attempt to debit an account but found no record of a prior credit.",
    "ProgramAccountNotFound": "Attempt to load a program that does not exist",
    "InsufficientFundsForFee": "Insufficient funds for fee",
    "InvalidAccountForFee": "This account may not be used to pay transaction fees",
    "AlreadyProcessed": "This transaction has already been processed",
    "BlockhashNotFound": "Blockhash not found",
    "InvalidProgramForExecution": "This program may not be used for executing instructions",
    "AccountLoadedTwice": "Account loaded twice",
    "TooManyAccountLocks": "Transaction locked too many accounts",
    "SanitizeFailure": "Transaction failed to sanitize accounts offsets correctly",
    "UnsupportedVersion": "Transaction version is unsupported",
    "AddressLookupTableNotFound": "Transaction loads an address table account that doesn't exist",
    "InvalidAddressLookupTableOwner": "Transaction loads an address table account with an invalid owner",
    "InvalidAddressLookupTableData": "Transaction contains an invalid address lookup table's data",
    "InvalidAddressLookupTableIndex": "Transaction address table lookup uses an invalid index",
}
# A node cannot even read such a transaction, and answers with "invalid params" instead of a failed simulation.
_UNREADABLE: Final = frozenset(
    {
        "SanitizeFailure", "UnsupportedVersion", "AddressLookupTableNotFound", "InvalidAddressLookupTableOwner",
        "InvalidAddressLookupTableData", "InvalidAddressLookupTableIndex",
    }
)  # fmt: skip


class RpcError(Exception):
    """An error that a request is answered with."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.data = code, data

    def body(self) -> dict[str, Any]:
        """Return the error as in a reply."""
        body: dict[str, Any] = {"code": self.code, "message": str(self)}
        return body if self.data is None else {**body, "data": self.data}


def invalid(text: str) -> RpcError:
    """Return an error about the parameters."""
    return RpcError(INVALID_PARAMS, f"Invalid param: {text}")


def node_behind(slots: int) -> RpcError:
    """Return the error of a node that is behind the cluster."""
    return RpcError(NODE_UNHEALTHY, f"Node is behind by {slots} slots", {"numSlotsBehind": slots})


def unreadable(error: RejectedTransactionError) -> RpcError | None:
    """Return the error for a transaction that a node cannot read or whose signatures are wrong; None for any other."""
    if error.err == "SignatureFailure":
        return RpcError(SIGNATURE_FAILURE, "Transaction signature verification failure")
    if error.err in _UNREADABLE:
        return RpcError(INVALID_PARAMS, f"invalid transaction: {transaction_error_text(error.err)}")
    return None


def preflight_failure(err: Err, logs: list[str], units: int) -> RpcError:
    """Return the error for a transaction whose simulation failed."""
    data = {
        "accounts": None,
        "err": err,
        "innerInstructions": None,
        "loadedAccountsDataSize": None,
        "logs": logs,
        "replacementBlockhash": None,
        "returnData": None,
        "unitsConsumed": units,
    }
    return RpcError(PREFLIGHT_FAILURE, f"Transaction simulation failed: {transaction_error_text(err)}", data)


def transaction_error_text(err: Err) -> str:
    """Return the text of a transaction's error."""
    if isinstance(err, str):
        return _TEXTS.get(err, err)
    ((name, detail),) = err.items()
    if name == "InstructionError":
        return f"Error processing Instruction {detail[0]}: {failure_text(err)}"
    if name == "InsufficientFundsForRent":
        return f"Transaction results in an account ({detail['account_index']}) with insufficient funds for rent"
    if name == "DuplicateInstruction":
        return f"Transaction contains a duplicate instruction ({detail}) that is not allowed"
    return f"{name}: {detail}"
