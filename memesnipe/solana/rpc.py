"""A client of several Solana nodes: the first that answers counts; reads are repeated, and sending is not.

`memesnipe.feeds.rpc` stays beside it: a feed asks one public node from its own thread, one request at a time and far
below its limits, and another thread may end the request. Here an asyncio loop asks many things of several nodes.
"""

import base64
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from memesnipe.solana.executed import Executed
from memesnipe.solana.json_rpc import call
from memesnipe.solana.service import Service, retrying
from memesnipe.solana.service_errors import NodeBehindError, RateLimitedError, UnreachableError

_T = TypeVar("_T")
_MAX_VERSION = 1  # exists on mainnet; without it the node refuses to show such a transaction


class Context(msgspec.Struct, frozen=True):
    """The slot for which a node has answered."""

    slot: int


class Epoch(msgspec.Struct, frozen=True, rename="camel"):
    """A block: its height and its slot."""

    absolute_slot: int
    block_height: int


class Blockhash(msgspec.Struct, frozen=True, rename="camel"):
    """A blockhash, and the last block in which it is valid."""

    blockhash: str
    last_valid_block_height: int
    slot: int = 0  # for which the node has answered


class SignatureStatus(msgspec.Struct, frozen=True, rename="camel"):
    """The status of a signature; None of the confirmation status only from old nodes."""

    slot: int
    err: Any
    confirmation_status: Literal["processed", "confirmed", "finalized"] | None = None


class Simulated(msgspec.Struct, frozen=True, rename="camel"):
    """What a transaction would do."""

    err: Any
    logs: list[str] | None = None
    units_consumed: int | None = None


class AccountData(msgspec.Struct, frozen=True):
    """An account; ``data`` is base64 and its encoding."""

    lamports: int
    owner: str
    data: tuple[str, str]

    @property
    def raw(self) -> bytes:
        """The bytes of the account."""
        return base64.b64decode(self.data[0])


class HeldAmount(msgspec.Struct, frozen=True):
    """One of the largest accounts of a token."""

    address: str
    amount: str


class TokenAmount(msgspec.Struct, frozen=True):
    """A supply."""

    amount: str
    decimals: int


class _In(msgspec.Struct, frozen=True):
    context: Context


class _BlockhashIn(_In, frozen=True):
    value: Blockhash


class _StatusesIn(_In, frozen=True):
    value: list[SignatureStatus | None]


class _SimulatedIn(_In, frozen=True):
    value: Simulated


class _AccountsIn(_In, frozen=True):
    value: list[AccountData | None]


class _LargestIn(_In, frozen=True):
    value: list[HeldAmount]


class _SupplyIn(_In, frozen=True):
    value: TokenAmount


class _LamportsIn(_In, frozen=True):
    value: int


class Rpc:
    """Solana's JSON-RPC over several nodes.

    Args:
        nodes: in order of preference.
        attempts: rounds over all nodes for a read.
    """

    def __init__(self, nodes: Sequence[Service], attempts: int = 4) -> None:
        if not nodes:
            raise ValueError("at least one node is needed")
        self._nodes, self._attempts = tuple(nodes), attempts

    async def read(self, method: str, params: list[Any], kind: type[_T]) -> _T:
        """Return the result of a method that changes nothing.

        Raises:
            ServiceError: no node has answered, or one has refused the request itself.
        """
        async for attempt in retrying(self._attempts):
            with attempt:
                return await self._first(method, params, kind)
        raise AssertionError("the last attempt raises")

    async def _first(self, method: str, params: list[Any], kind: type[_T]) -> _T:
        """Return the result of the first node that answers."""
        last: Exception | None = None
        for node in self._nodes:
            try:
                return await call(node, method, params, kind)
            except (UnreachableError, RateLimitedError, NodeBehindError) as error:
                last = error
        assert last is not None  # noqa: S101 - there are nodes
        raise last

    async def send(self, transaction: bytes) -> str:
        """Send a signed transaction, without preflight, to the first node that takes it; return its signature.

        Whether a node that failed has sent it is unknown; the chain executes a signature once.
        """
        options = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
        return await self._first("sendTransaction", [base64.b64encode(transaction).decode(), options], str)

    async def epoch(self, commitment: str) -> Epoch:
        """Return the newest block at a commitment."""
        return await self.read("getEpochInfo", [{"commitment": commitment}], Epoch)

    async def latest_blockhash(self) -> Blockhash:
        """Return the newest confirmed blockhash."""
        found = await self.read("getLatestBlockhash", [{"commitment": "confirmed"}], _BlockhashIn)
        return replace(found.value, slot=found.context.slot)

    async def statuses(self, signatures: Sequence[str]) -> tuple[int, list[SignatureStatus | None]]:
        """Return the slot that the node has processed, and the status of each signature, None if it knows none."""
        params = [list(signatures), {"searchTransactionHistory": True}]
        found = await self.read("getSignatureStatuses", params, _StatusesIn)
        if len(found.value) != len(signatures):
            raise UnreachableError(self._nodes[0].url, "a status for each signature was expected")
        return found.context.slot, found.value

    async def transaction(self, signature: str, commitment: str) -> Executed | None:
        """Return an executed transaction, None if no block at the commitment has it."""
        options = {"commitment": commitment, "encoding": "json", "maxSupportedTransactionVersion": _MAX_VERSION}
        return await self.read("getTransaction", [signature, options], Executed | None)  # type: ignore[arg-type]

    async def simulate(self, transaction: bytes) -> Simulated:
        """Return what an unsigned transaction would do."""
        options = {"encoding": "base64", "sigVerify": False, "commitment": "confirmed"}
        params = [base64.b64encode(transaction).decode(), options]
        return (await self.read("simulateTransaction", params, _SimulatedIn)).value

    async def accounts(self, addresses: Sequence[str]) -> list[AccountData | None]:
        """Return up to 100 accounts, None for each that does not exist."""
        options = {"encoding": "base64", "commitment": "confirmed"}
        return (await self.read("getMultipleAccounts", [list(addresses), options], _AccountsIn)).value

    async def lamports(self, address: str, commitment: str = "confirmed") -> int:
        """Return the balance of an account."""
        return (await self.read("getBalance", [address, {"commitment": commitment}], _LamportsIn)).value

    async def largest_accounts(self, mint: str) -> list[HeldAmount]:
        """Return the up to 20 largest token accounts of a mint."""
        return (await self.read("getTokenLargestAccounts", [mint, {"commitment": "confirmed"}], _LargestIn)).value

    async def supply(self, mint: str) -> TokenAmount:
        """Return the supply of a mint."""
        return (await self.read("getTokenSupply", [mint, {"commitment": "confirmed"}], _SupplyIn)).value
