"""A client of the signer: what it returns is checked, because what it returns is sent."""

import base64
from dataclasses import dataclass
from typing import Final, Literal

import msgspec
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.solana.request_mac import sign_headers
from memesnipe.solana.service import Service
from memesnipe.solana.service_errors import RejectedError, UnreachableError

PATH: Final = "/signer/sign"
_FORBIDDEN: Final = 403
# Reasons of refusals that may pass before the blockhash expires: its node does not answer, or it is not started yet.
_PASSING: Final = frozenset({"unavailable", "rpc"})


class Intent(msgspec.Struct, frozen=True):
    """What a transaction is meant to do; the signer checks that it does no more.

    Args:
        side: of the swap between SOL and the token.
        mint: of the token.
        max_in: what the swap takes at most: lamports for a buy, raw tokens for a sale.
        min_out: what the swap gives at least: raw tokens for a buy, lamports for a sale.
        decided_ms: when the desk decided, in ms since 1970 UTC.
    """

    side: Literal["buy", "sell"]
    mint: str
    max_in: int
    min_out: int
    decided_ms: int


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A signed transaction and its signature in base58."""

    transaction: bytes
    signature: str


class RefusedBySignerError(RejectedError):
    """The policy forbids the transaction."""


class _Reply(msgspec.Struct, frozen=True):
    transaction: str
    signature: str


class _Refusal(msgspec.Struct, frozen=True):
    reason: str
    detail: str = ""


class SignerClient:
    """Sign messages of one wallet.

    Args:
        service: the base address of the signer.
        secret: shared with it.
        wallet: whose key it has.
        clock: of this machine.
    """

    def __init__(self, service: Service, secret: bytes, wallet: Pubkey, clock: Clock = SYSTEM_CLOCK) -> None:
        self._service, self._secret, self._wallet, self._clock = service, secret, wallet, clock

    async def sign(self, message: bytes, order_id: str, intent: Intent) -> SignedTransaction:
        """Return a message's transaction with the wallet's signature.

        Raises:
            RefusedBySignerError: the policy forbids it, or the reply is another transaction.
            UnreachableError: no reply; the signer may have signed.
            RateLimitedError: too many requests.
        """
        unsigned = VersionedTransaction.populate(MessageV0.from_bytes(message[1:]), [Signature.default()])
        body = msgspec.json.encode(
            {"transaction": base64.b64encode(bytes(unsigned)).decode(), "order_id": order_id, "intent": intent}
        )
        headers = sign_headers(self._secret, "POST", PATH, body, self._clock)
        response = await self._service.request("POST", PATH, content=body, headers=headers)
        if response.status_code == _FORBIDDEN:
            raise self._refused(self._service.decode(response, _Refusal))
        reply = self._service.decode(self._service.checked(response), _Reply)
        return self._checked(reply, message)

    def _refused(self, refusal: _Refusal) -> RefusedBySignerError | UnreachableError:
        text = f"{refusal.reason}: {refusal.detail}"
        if refusal.reason in _PASSING:
            return UnreachableError(self._service.url, text)
        return RefusedBySignerError(self._service.url, text, refusal.reason)

    def _checked(self, reply: _Reply, message: bytes) -> SignedTransaction:
        try:
            raw = base64.b64decode(reply.transaction, validate=True)
            transaction = VersionedTransaction.from_bytes(raw)
        except ValueError:
            raise UnreachableError(self._service.url, "the signer's reply is no transaction") from None
        own = transaction.signatures[0] if transaction.signatures else Signature.default()
        is_ours = to_bytes_versioned(transaction.message) == message and own.verify(self._wallet, message)
        if not is_ours or str(own) != reply.signature:
            raise RefusedBySignerError(self._service.url, "the reply is not the signed message", "other_transaction")
        return SignedTransaction(raw, reply.signature)
