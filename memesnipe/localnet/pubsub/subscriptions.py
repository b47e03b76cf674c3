"""What a client can subscribe to: the parameters of each method, and the notifications that follow from a block."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import msgspec
from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.records import Block, Commitment, TransactionRecord
from memesnipe.localnet.rpc.account_json import DataSlice, Encoding, account_json
from memesnipe.localnet.rpc.params import Call


class Subscription:
    """One subscription; ``is_over`` once it will notify of nothing more."""

    method: str  # of its notifications
    commitment: Commitment
    is_over = False

    def first(self, chain: Chain) -> Iterator[Any]:  # noqa: ARG002 - of the port
        """Yield what is to be said at once."""
        yield from ()

    def results(self, block: Block, chain: Chain) -> Iterator[Any]:
        """Yield what is to be said about a block that has reached the commitment, as JSON."""
        raise NotImplementedError


class Level(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """When a client is notified."""

    commitment: Commitment = "finalized"


class AccountLevel(Level, forbid_unknown_fields=True, rename="camel", frozen=True):
    """When and how a client is notified of an account."""

    encoding: Encoding | None = None
    data_slice: DataSlice | None = None


class Mentions(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The account that transactions must name: exactly one, as in a cluster."""

    mentions: Annotated[list[Pubkey], msgspec.Meta(min_length=1, max_length=1)]


class Subscribe(Call, frozen=True):
    """The parameters of a subscription."""

    def result(self, chain: Chain) -> Subscription:
        """Return the subscription."""
        raise NotImplementedError


class SlotSubscribe(Subscribe, frozen=True):
    """Each slot with a block."""

    def result(self, chain: Chain) -> Subscription:  # noqa: ARG002 - of the port
        """Return the subscription."""
        return _Slots()


class LogsSubscribe(Subscribe, frozen=True):
    """The logs of transactions."""

    which: Literal["all", "allWithVotes"] | Mentions
    level: Level | None = None

    def result(self, chain: Chain) -> Subscription:  # noqa: ARG002 - of the port
        """Return the subscription."""
        mentioned = self.which.mentions[0] if isinstance(self.which, Mentions) else None
        return _Logs(mentioned, (self.level or Level()).commitment)


class SignatureSubscribe(Subscribe, frozen=True):
    """The outcome of one transaction; it is over with its notification."""

    signature: Signature
    level: Level | None = None

    def result(self, chain: Chain) -> Subscription:  # noqa: ARG002 - of the port
        """Return the subscription."""
        return _Outcome(self.signature, (self.level or Level()).commitment)


class AccountSubscribe(Subscribe, frozen=True):
    """The changes of one account."""

    address: Pubkey
    level: AccountLevel | None = None

    def result(self, chain: Chain) -> Subscription:
        """Return the subscription."""
        level = self.level or AccountLevel()
        return _Changes(self.address, level, chain.account(self.address, level.commitment))


SUBSCRIBE: Final[dict[str, type[Subscribe]]] = {
    "slotSubscribe": SlotSubscribe,
    "logsSubscribe": LogsSubscribe,
    "signatureSubscribe": SignatureSubscribe,
    "accountSubscribe": AccountSubscribe,
}


class _Slots(Subscription):
    method = "slotNotification"
    commitment: Commitment = "processed"

    def results(self, block: Block, chain: Chain) -> Iterator[Any]:
        yield {"slot": block.slot, "parent": block.parent_slot, "root": chain.ledger.block("finalized").slot}


class _Logs(Subscription):
    method = "logsNotification"

    def __init__(self, mentioned: Pubkey | None, commitment: Commitment) -> None:
        self._mentioned, self.commitment = mentioned, commitment

    def results(self, block: Block, chain: Chain) -> Iterator[Any]:  # noqa: ARG002 - of the port
        for record in block.transactions:
            if self._mentioned is None or self._mentioned in record.keys.all:
                done = record.execution
                yield _at(block, {"signature": str(record.signature), "err": done.err, "logs": done.logs})


class _Outcome(Subscription):
    method = "signatureNotification"

    def __init__(self, signature: Signature, commitment: Commitment) -> None:
        self._signature, self.commitment = signature, commitment

    def first(self, chain: Chain) -> Iterator[Any]:
        record = chain.history.get(self._signature)
        if record is not None and record.height <= chain.ledger.height(self.commitment):
            yield self._result(chain.ledger.block(self.commitment), record)

    def results(self, block: Block, chain: Chain) -> Iterator[Any]:
        record = chain.history.get(self._signature)
        if record is not None and record.height == block.height and not self.is_over:
            yield self._result(block, record)

    def _result(self, block: Block, record: TransactionRecord) -> Any:
        self.is_over = True
        return _at(block, {"err": record.execution.err})


class _Changes(Subscription):
    method = "accountNotification"

    def __init__(self, address: Pubkey, level: AccountLevel, account: Account | None) -> None:
        self._address, self._level, self._last = address, level, account
        self.commitment = level.commitment

    def results(self, block: Block, chain: Chain) -> Iterator[Any]:
        account = chain.account(self._address, self.commitment)
        if account == self._last:
            return
        self._last = account
        level = self._level
        shown = account if account is not None else Account(0, b"", Pubkey.default())  # it was closed
        yield _at(block, account_json(shown, level.encoding, level.data_slice, chain, self.commitment))


def _at(block: Block, value: Any) -> dict[str, Any]:
    return {"context": {"slot": block.slot}, "value": value}
