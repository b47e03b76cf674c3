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

from memesnipe.signer.chain import Account, Simulation, no_answer
from memesnipe.signer.refusal import Reason, RefusedError

_TIMEOUT_S: Final = 3.0
_MAX_U64: Final = 2**64 - 1
_COMMITMENT: Final = "confirmed"
_NEWEST: Final = "processed"  # a node runs a simulation on its newest block
_ATTEMPTS: Final = 4
_BATCH_REFUSED: Final = frozenset({400, 405, 413, 415, 422, 501})  # statuses of nodes that take no batches
_Call = tuple[str, list[Any]]
_Answers = list[tuple[Any, Any]]  # slot and value of each


class _BatchRefusedError(Exception):
    """The node takes no batch."""


class RpcChain:
    """A node at a URL, which may contain a key and so is never shown."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._takes_batches = True  # until it refuses one
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

        The accounts before it must be those of the block on which it runs: with other ones, whatever the wallet did in
        between would count as the transaction's effect. So both are asked for in one batch, until their slots agree. A
        node that refuses batches is asked one after the other; its slots have to agree too.
        """
        keys = [str(account) for account in accounts]
        options = {
            "encoding": "base64",
            "commitment": _NEWEST,
            "sigVerify": False,
            "replaceRecentBlockhash": False,
            "accounts": {"encoding": "base64", "addresses": keys},
        }
        calls: list[_Call] = [
            ("getMultipleAccounts", [keys, {"encoding": "base64", "commitment": _NEWEST}]),
            ("simulateTransaction", [base64.b64encode(transaction).decode(), options]),
        ]
        for _ in range(_ATTEMPTS):
            (slot, held), (simulated_slot, value) = self._together(calls)
            if slot == simulated_slot:
                return _simulation(accounts, held, value)
        raise no_answer("simulateTransaction: the node moves on between the accounts and the simulation")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _accounts(self, addresses: Sequence[Pubkey]) -> list[Account | None]:
        options = {"encoding": "base64", "commitment": _COMMITMENT}
        value = self._call("getMultipleAccounts", [[str(address) for address in addresses], options])
        return _read_accounts("getMultipleAccounts", value, len(addresses))

    def _call(self, method: str, params: list[Any]) -> Any:
        """Return the value of one answer."""
        ((_, value),) = self._batch([(method, params)])
        return value

    def _together(self, calls: Sequence[_Call]) -> _Answers:
        """Return the answers of a batch, or of single requests if the node takes no batches.

        Of these, each later one asks for a block that is at least that of the one before it.
        """
        if self._takes_batches:
            try:
                return self._batch(calls)
            except _BatchRefusedError:
                self._takes_batches = False
        answers: _Answers = []
        for method, (*others, options) in calls:
            least = {"minContextSlot": answers[-1][0]} if answers else {}
            answers += self._batch([(method, [*others, options | least])])
        return answers

    def _batch(self, calls: Sequence[_Call]) -> _Answers:
        """Return the answers of one request.

        Raises:
            _BatchRefusedError: the node refuses requests of several calls.
        """
        methods = ", ".join(method for method, _ in calls)
        requests = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls)
        ]
        is_batch = len(requests) > 1
        try:
            answer = self._client.post(self._url, json=requests if is_batch else requests[0])
            if is_batch and answer.status_code in _BATCH_REFUSED:
                raise _BatchRefusedError
            found = answer.raise_for_status().json()
            if is_batch and isinstance(found, dict):  # an error instead of the answers
                raise _BatchRefusedError
            by_id = {one["id"]: one["result"] for one in (found if is_batch else [found])}
            results = [by_id[number] for number in range(len(requests))]
            return [(result["context"]["slot"], result["value"]) for result in results]
        except httpx.HTTPError as error:  # its text may contain the URL
            raise no_answer(f"{methods}: {type(error).__name__}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise no_answer(f"{methods}: the node answers with an error") from None


def _simulation(accounts: Sequence[Pubkey], held: Any, value: Any) -> Simulation:
    before = _read_accounts("getMultipleAccounts", held, len(accounts))
    if not isinstance(value, dict) or "err" not in value:
        raise no_answer("simulateTransaction: the answer is not a simulation")
    if value["err"] is not None:
        return Simulation(str(value["err"])[:200], {}, {})
    after = _read_accounts("simulateTransaction", value.get("accounts"), len(accounts))
    return Simulation("", _by_key(accounts, before), _by_key(accounts, after))


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
