"""Errors of the chain in plain words, for the page, the API and the command line; the database keeps the raw ones."""

import json
import re
from typing import Any, Final

# A JSON text anywhere in a line: {"InstructionError":[4,{"Custom":6003}]} or "BlockhashNotFound".
_RAW: Final = re.compile(r'\{"[A-Z][A-Za-z]*":.*\}|(?<![{\[,:])"[A-Z][A-Za-z]*"')
_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")

# Names of solana-sdk's TransactionError and InstructionError.
_NAMES: Final = {
    "AccountNotFound": "an account does not exist",
    "AlreadyProcessed": "the chain has processed this transaction before",
    "BlockhashNotFound": "its blockhash had expired",
    "ComputationalBudgetExceeded": "it needed more computing than its limit",
    "InsufficientFunds": "an account has not enough money",
    "InsufficientFundsForFee": "the wallet cannot pay the fee",
    "InsufficientFundsForRent": "an account would keep less than the rent that the chain requires",
    "ProgramFailedToComplete": "the program did not come to an end",
    "WouldExceedMaxBlockCostLimit": "the block was full",
}
# Codes of pump.fun's curve, PumpSwap and Jupiter (their IDLs), and of the token program. An error does not say whose
# code it is, so a code that has several meanings is described by the one that trades meet.
_CODES: Final = {
    1: "not enough tokens or SOL in the account",
    6001: "the price moved by more than the tolerance (Jupiter)",
    6002: "the price moved by more than the tolerance: it would have cost more SOL than allowed",
    6003: "the price moved by more than the tolerance: it would have brought less SOL than allowed",
    6004: "the price moved by more than the tolerance (PumpSwap)",
    6005: "the token has left the bonding curve",
    6013: "the recipient of the protocol's fee is not one of the program's (PumpSwap)",
    6016: "the pool has not enough tokens",
    6020: "nothing to buy: the amount is zero",
    6021: "the curve has not enough tokens",
    6022: "nothing to sell: the amount is zero",
    6023: "not enough tokens to sell",
    6040: "the price moved by more than the tolerance: it would have brought fewer tokens than allowed",
    6041: "not enough SOL for the fees",
    6042: "the price moved by more than the tolerance: it would have brought fewer tokens than allowed",
    6053: "the recipient for buybacks is not one of the program's (PumpSwap)",
    6059: "the accounts that a cashback coin needs are missing",
    6060: "the accumulator of cashback is not the wallet's",
    6061: "the token account for cashback is not the wallet's",
    6062: "the account after the pool's is of another pool",
    6063: "the pool has less SOL than the sale would bring",
    6079: "the coin pays cashback, which this instruction does not support",
    6094: "the coin pays cashback, which this instruction does not support",
}


def in_words(text: str) -> str:
    """Return a text with each raw error of the chain in it replaced by plain words and its code."""
    return _RAW.sub(lambda found: _decoded(found.group()), text)


def _decoded(raw: str) -> str:
    try:
        return _described(json.loads(raw))
    except ValueError:  # the stored text is cut: better as it is than wrong
        return raw


def _described(error: Any) -> str:
    match error:
        case str():
            return _NAMES.get(error, _spaced(error))
        case {"InstructionError": [int() as index, reason]}:
            return f"{_described(reason)} (instruction {index + 1} of the transaction)"
        case {"Custom": int() as code}:
            known = _CODES.get(code)
            return f"{known}; error {code}" if known else f"the program refused it with error {code}"
        case {**fields} if len(fields) == 1:
            ((name, detail),) = fields.items()
            return f"{_described(str(name))} ({json.dumps(detail)})"
        case _:
            return json.dumps(error)


def _spaced(name: str) -> str:
    """Return a name in capitals and small letters as words."""
    return _CAPITAL.sub(" ", name).lower()
