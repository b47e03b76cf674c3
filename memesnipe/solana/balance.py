"""What an account holds, from a Solana node; without a loop, for commands."""

import base64
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from solders.pubkey import Pubkey

from memesnipe.errors import MemeSnipeError
from memesnipe.solana.addresses import TOKEN_PROGRAMS
from memesnipe.solana.fills import WRAPPED_SOL

_TIMEOUT_S: Final = 5.0
_AMOUNT: Final = slice(64, 72)  # of the data of a token account: mint, owner, amount
_MINT: Final = slice(0, 32)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a wallet holds: lamports, wrapped ones included, and raw tokens by mint."""

    lamports: int
    tokens: dict[str, int] = field(default_factory=dict)


def read_balance(rpc_url: str, address: Pubkey | str) -> int:
    """Return the balance of an account in lamports; 0 for an account that does not exist.

    Raises:
        MemeSnipeError: the node does not answer, or with an error. The text does not contain the URL, which may contain
            a key.
    """
    value = _call(rpc_url, "getBalance", str(address), {"commitment": "confirmed"}, _lamports)
    return int(value)


def read_holdings(rpc_url: str, wallet: str) -> Holdings:
    """Return what a wallet holds.

    Raises:
        MemeSnipeError: as `read_balance`.
    """
    tokens: dict[str, int] = {}
    for program in sorted(map(str, TOKEN_PROGRAMS)):
        options = {"encoding": "base64", "commitment": "confirmed"}
        found = _call(rpc_url, "getTokenAccountsByOwner", wallet, {"programId": program}, options, _token_accounts)
        for mint, raw in found:
            tokens[mint] = tokens.get(mint, 0) + raw
    wrapped = tokens.pop(WRAPPED_SOL, 0)
    return Holdings(read_balance(rpc_url, wallet) + wrapped, {mint: raw for mint, raw in tokens.items() if raw})


def genesis_hash(rpc_url: str) -> str:
    """Return the hash that names the node's chain.

    Raises:
        MemeSnipeError: as `read_balance`.
    """
    return str(_call(rpc_url, "getGenesisHash", lambda answer: answer["result"]))


def _call(rpc_url: str, method: str, *params_and_read: Any) -> Any:
    """Return what the last argument reads from the answer to a request with the others."""
    *params, read = params_and_read
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    try:
        with httpx.Client(timeout=_TIMEOUT_S, mounts={"all://127.0.0.1": None}) as client:  # no proxy for this machine
            return read(client.post(rpc_url, json=request).raise_for_status().json())
    except httpx.HTTPStatusError as error:
        raise MemeSnipeError(f"the node answers with status {error.response.status_code}") from None
    except httpx.HTTPError as error:
        raise MemeSnipeError(f"the node does not answer: {type(error).__name__}") from None
    except (ValueError, KeyError, TypeError):
        raise MemeSnipeError("the node's answer is not a balance") from None


def _lamports(answer: Any) -> int:
    value = answer["result"]["value"]
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _token_accounts(answer: Any) -> list[tuple[str, int]]:
    """Return mint and amount of each token account."""
    raw = [base64.b64decode(entry["account"]["data"][0]) for entry in answer["result"]["value"]]
    return [(str(Pubkey.from_bytes(data[_MINT])), int.from_bytes(data[_AMOUNT], "little")) for data in raw]
