"""Errors of transactions in plain words, for people; records keep the cluster's own JSON.

Codes are those of the IDLs of pump.fun and PumpSwap (pump-sdk 2.0.0) and of Jupiter's aggregator v6. An error names no
program, so a code that two programs use is explained for both.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

_CUSTOM: Final[Mapping[int, str]] = {
    1: "too little SOL or too few tokens in the wallet",
    6000: "on Jupiter: the route is empty",
    6001: "on Jupiter: the price moved past the order's slippage limit; on PumpSwap: an amount of zero tokens",
    6002: "on pump.fun: the price rose past the order's slippage limit; on PumpSwap: an amount of zero SOL",
    6003: "on pump.fun: the price fell past the order's slippage limit",
    6004: "on PumpSwap: the price moved past the order's slippage limit",
    6005: "on pump.fun: the curve is complete, the coin trades on PumpSwap now",
    6016: "on PumpSwap: the pool holds fewer tokens than were to be bought",
    6020: "on pump.fun: an amount of zero to buy",
    6021: "on pump.fun: the curve holds fewer tokens than were to be bought",
    6022: "on pump.fun: an amount of zero to sell",
    6023: "on pump.fun: the wallet holds fewer tokens than were to be sold",
    6024: "an amount is too large for the program",
    6039: "on PumpSwap: too little SOL for the fees",
    6040: "on PumpSwap: the price moved past the order's slippage limit; on pump.fun: too little SOL for the rent",
    6041: "on pump.fun: too little SOL for the fees",
    6042: "on pump.fun: the price rose past the order's slippage limit",
    6063: "on PumpSwap: the pool holds less SOL than the sale would pay",
    6079: "on PumpSwap: the coin pays cashback, which this instruction does not support",
    6094: "on pump.fun: the coin pays cashback, which this instruction does not support",
}
_TRANSACTION: Final[Mapping[str, str]] = {
    "AccountInUse": "an account of the transaction was in use",
    "AccountNotFound": "the wallet holds no SOL",
    "AlreadyProcessed": "the transaction was already executed",
    "BlockhashNotFound": "the transaction has expired, or the node does not know its blockhash yet",
    "InsufficientFundsForFee": "too little SOL in the wallet for the fee",
    "InsufficientFundsForRent": "too little SOL in the wallet for the rent of an account",
    "SanitizeFailure": "the node could not read the transaction",
    "WouldExceedMaxBlockCostLimit": "the block was full",
    "WouldExceedMaxAccountCostLimit": "the block had no room for another trade of this pool",
}
_INSTRUCTION: Final[Mapping[str, str]] = {
    "ComputationalBudgetExceeded": "it needed more compute units than the transaction allows",
    "InsufficientFunds": "too little SOL or too few tokens",
    "ProgramFailedToComplete": "the program stopped with an error of its own",
}
_OBJECT: Final = re.compile(r'\{"|(?<![{\[,:])"[A-Z]')  # where an error in JSON begins
_DECODER: Final = json.JSONDecoder()


def errors_in_words(text: str) -> str:
    """Return a text with each transaction error that it quotes as JSON, such as
    ``{"InstructionError":[3,{"Custom":6002}]}``, put into words; anything else stays as it is.
    """  # fmt: skip
    shown, position = [], 0
    while found := _OBJECT.search(text, position):
        start = found.start()
        shown.append(text[position:start])
        try:
            error, position = _DECODER.raw_decode(text, start)
        except ValueError:  # cut off, or no JSON
            shown.append(text[start])
            position = start + 1
            continue
        shown.append(error_in_words(error) or text[start:position])
    return "".join(shown) + text[position:]


def error_in_words(error: Any) -> str:
    """Return an error of a transaction, decoded from the cluster's JSON, in words; "" where it is none."""
    if isinstance(error, str):
        return _TRANSACTION.get(error, "")  # a quoted string may be a coin's name as well
    if not isinstance(error, dict) or len(error) != 1:
        return ""
    [(name, detail)] = error.items()
    if name != "InstructionError":
        return _TRANSACTION.get(name, "")
    if not isinstance(detail, list) or len(detail) != 2 or not isinstance(detail[0], int):
        return ""
    index, reason = detail
    return f"{_reason(reason)} (instruction {index + 1} of the transaction{_code(reason)})"


def _reason(reason: Any) -> str:
    match reason:
        case {"Custom": int(code)}:
            return _CUSTOM.get(code, "the program refused it")
        case str():
            return _INSTRUCTION.get(reason) or _split(reason)
        case _:
            return "the program refused it"


def _code(reason: Any) -> str:
    match reason:
        case {"Custom": int(code)}:
            return f", code {code}"
        case _:
            return ""


def _split(name: str) -> str:
    """Return a name such as InvalidAccountData as words; "" where it is none."""
    parts = re.findall(r"[A-Z][a-z0-9]*", name)
    return " ".join(parts).lower() if "".join(parts) == name else ""
