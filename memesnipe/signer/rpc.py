"""The chain port over the JSON-RPC of a Solana node. Every doubt is a refusal."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final

import httpx
from solders.address_lookup_table_account import ID as LOOKUP_TABLE_PROGRAM
from solders.address_lookup_table_account import AddressLookupTable
from solders.hash import Hash
from solders.pubkey import Pubkey

from memesnipe.signer.chain import Account, Simulation, no_answer, read_token_account
from memesnipe.signer.refusal import Reason, RefusedError

_TIMEOUT_S: Final = 3.0
_MAX_U64: Final = 2**64 - 1
_COMMITMENT: Final = "confirmed"
_NEWEST: Final = "processed"  # of a simulation: other transactions of the wallet may be in the newest block
_ATTEMPTS: Final = 5


class RpcChain:
    """A node at a URL, which may contain a key and so is never shown."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = httpx.Client(timeout=_TIMEOUT_S, mounts={"all://127.0.0.1": None})  # no proxy for this machine

    def lookup_table(self, address: Pubkey) -> Sequence[Pubkey]:
        """Return the addresses in a lookup table."""
        account = self._accounts([address])[0]
        if account is None or account.owner != LOOKUP_TABLE_PROGRAM:
            raise RefusedError(Reason.LOOKUP_TABLE, f"{address} is not a lookup table")
        try:
            table = AddressLookupTable.deserialize(account.data)
        except Exception:  # noqa: BLE001 - solders has errors of many types
            raise RefusedError(Reason.LOOKUP_TABLE, f"{address} is not a lookup table") from None
        if table.meta.deactivation_slot != _MAX_U64:
            raise RefusedError(Reason.LOOKUP_TABLE, f"the lookup table {address} is being closed")
        return list(table.addresses)

    def is_blockhash_valid(self, blockhash: Hash) -> bool:
        """Return whether a transaction with this blockhash can still land."""
        value = self._call("isBlockhashValid", [str(blockhash), {"commitment": _COMMITMENT}])
        if type(value) is not bool:
            raise no_answer("isBlockhashValid: the answer is not a boolean")
        return value

    def simulate(self, transaction: bytes, accounts: Sequence[Pubkey]) -> Simulation:
        """Run an unsigned transaction without effect.

        What the wallet has is read before and after it. If another transaction of the wallet has changed that
        meanwhile, the difference would be of both: everything is asked again.
        """
        before = self._accounts(accounts, _NEWEST)
        for _ in range(_ATTEMPTS):
            value = self._simulated(transaction, accounts)
            if value["err"] is not None:
                return Simulation(str(value["err"])[:200], {}, {})
            after = _read_accounts("simulateTransaction", value.get("accounts"), len(accounts))
            now = self._accounts(accounts, _NEWEST)
            found, before = before, now
            if _own(found, accounts[0]) == _own(now, accounts[0]):
                return Simulation("", _by_key(accounts, found), _by_key(accounts, after))
        raise no_answer("simulateTransaction: the wallet is changed by other transactions all the time")

    def _simulated(self, transaction: bytes, accounts: Sequence[Pubkey]) -> dict[str, Any]:
        """Return the node's answer to a simulation."""
        options = {
            "encoding": "base64",
            "commitment": _NEWEST,
            "sigVerify": False,
            "replaceRecentBlockhash": False,
            "accounts": {"encoding": "base64", "addresses": [str(account) for account in accounts]},
        }
        value = self._call("simulateTransaction", [base64.b64encode(transaction).decode(), options])
        if not isinstance(value, dict) or "err" not in value:
            raise no_answer("simulateTransaction: the answer is not a simulation")
        return value

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _accounts(self, addresses: Sequence[Pubkey], commitment: str = _COMMITMENT) -> list[Account | None]:
        options = {"encoding": "base64", "commitment": commitment}
        value = self._call("getMultipleAccounts", [[str(address) for address in addresses], options])
        return _read_accounts("getMultipleAccounts", value, len(addresses))

    def _call(self, method: str, params: list[Any]) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            answer = self._client.post(self._url, json=request).raise_for_status().json()
            return answer["result"]["value"]
        except httpx.HTTPError as error:  # its text may contain the URL
            raise no_answer(f"{method}: {type(error).__name__}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise no_answer(f"{method}: the node answers with an error") from None


def _own(accounts: Sequence[Account | None], wallet: Pubkey) -> list[object]:
    """Return what accounts, of which the first is the wallet, say about what the wallet has."""
    own: list[object] = [accounts[0]]
    for account in accounts[1:]:
        token = None if account is None else read_token_account(account)
        own.append(account if token is not None and token.owner == wallet else None)
    return own


def _by_key(keys: Sequence[Pubkey], accounts: Sequence[Account | None]) -> dict[Pubkey, Account]:
    """Return the accounts that exist: a node shows one that the simulation has closed with 0 lamports."""
    found = zip(keys, accounts, strict=True)
    return {key: account for key, account in found if account is not None and account.lamports}


def _read_accounts(method: str, value: Any, count: int) -> list[Account | None]:
    if not isinstance(value, list) or len(value) != count:
        raise no_answer(f"{method}: the answer has not the accounts asked for")
    try:
        return [None if entry is None else _read_account(entry) for entry in value]
    except (ValueError, KeyError, TypeError, IndexError, binascii.Error):
        raise no_answer(f"{method}: an account is malformed") from None


def _read_account(entry: Any) -> Account:
    content, encoding = entry["data"]
    lamports = entry["lamports"]
    if encoding != "base64" or type(lamports) is not int or lamports < 0:
        raise ValueError
    return Account(lamports, Pubkey.from_string(entry["owner"]), base64.b64decode(content, validate=True))
