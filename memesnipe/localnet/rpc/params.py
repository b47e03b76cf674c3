"""The parameters of requests: typed, and refused if anything in them is not understood."""

from typing import Any, TypeVar

import msgspec
from solders.hash import Hash, ParseHashError
from solders.pubkey import Pubkey
from solders.signature import Signature

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.records import Block, Commitment
from memesnipe.localnet.rpc.errors import INVALID_PARAMS, MIN_CONTEXT_SLOT, RpcError

_TEXTS: dict[type, str] = {Pubkey: "public key", Hash: "blockhash", Signature: "signature"}
API_VERSION = "3.0.0"


class Call(msgspec.Struct, array_like=True, forbid_unknown_fields=True, frozen=True):
    """The parameters of a method; a subclass for each."""

    def result(self, chain: Chain) -> Any:
        """Return the result of the request, as JSON.

        Raises:
            RpcError: the request fails.
        """
        raise NotImplementedError


class Config(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True, kw_only=True):
    """The last parameter of most methods."""

    commitment: Commitment = "finalized"
    min_context_slot: int | None = None

    def block(self, chain: Chain) -> Block:
        """Return the newest block at the commitment.

        Raises:
            RpcError: it is older than the client requires.
        """
        block = chain.ledger.block(self.commitment)
        if self.min_context_slot is not None and block.slot < self.min_context_slot:
            raise RpcError(MIN_CONTEXT_SLOT, "Minimum context slot has not been reached", {"contextSlot": block.slot})
        return block


_Call = TypeVar("_Call", bound=Call)


def decode(parameters: Any, kind: type[_Call]) -> _Call:
    """Return the parameters of a request as an object.

    Raises:
        RpcError: they are not the method's.
    """
    try:
        return msgspec.convert(parameters, kind, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise RpcError(INVALID_PARAMS, f"Invalid params: {error}") from None


def in_context(block: Block, value: Any) -> dict[str, Any]:
    """Return a value with the slot at which it holds."""
    return {"context": {"apiVersion": API_VERSION, "slot": block.slot}, "value": value}


def _decode(kind: type, value: Any) -> Any:
    if kind in _TEXTS and isinstance(value, str):
        try:
            return kind.from_string(value)  # type: ignore[attr-defined]
        except (ValueError, ParseHashError):
            raise ValueError(f"{value[:100]!r} is no {_TEXTS[kind]}") from None
    raise ValueError(f"expected a {_TEXTS.get(kind, kind.__name__)} as text")
