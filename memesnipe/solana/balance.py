"""The balance of an account, from a Solana node."""

from typing import Any

import httpx
from solders.pubkey import Pubkey

from memesnipe.errors import MemeSnipeError

_TIMEOUT_S = 5.0


def read_balance(rpc_url: str, address: Pubkey) -> int:
    """Return the balance of an account in lamports; 0 for an account that does not exist.

    Raises:
        MemeSnipeError: the node does not answer, or with an error. The text does not contain the URL, which may contain
            a key.
    """
    request = {"jsonrpc": "2.0", "id": 1, "method": "getBalance", "params": [str(address)]}
    try:
        answer = httpx.post(rpc_url, json=request, timeout=_TIMEOUT_S).raise_for_status().json()
        return _lamports(answer)
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
