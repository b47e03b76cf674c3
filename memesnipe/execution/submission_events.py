"""What a submission observes and what it does: `memesnipe.execution.submission`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from memesnipe.engine.orders import Fill
from memesnipe.protocol.order_status import OrderStatus


class Commitment(StrEnum):
    """How certain a transaction's place in the chain is."""

    PROCESSED = "processed"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"


# Observations


@dataclass(frozen=True, slots=True)
class Accepted:
    """The order was accepted for execution."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """The submission was loaded from its store."""


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The order is not to be executed, if it is not signed yet."""


@dataclass(frozen=True, slots=True)
class BidBasis:
    """What the bid of a transaction follows; for the records alone.

    Args:
        priority_fee: "estimate", "settings" (no estimate is asked for), or why the settings are used in place of the
            estimate: "missing" or "stale"; "" where it is unknown.
        price_estimate: micro-lamports a compute unit; 0 where none was used.
        tip: as `priority_fee`.
        tip_estimate_lamports: 0 where none was used.
    """

    priority_fee: str = ""
    price_estimate: int = 0
    tip: str = ""
    tip_estimate_lamports: int = 0


NO_BASIS: Final = BidBasis()


@dataclass(frozen=True, slots=True)
class Built:
    """The message to sign: composed, simulated, with its compute limit."""

    message: bytes
    last_valid_height: int
    slot: int = 0  # for which the node gave the blockhash; for the records alone
    bid: BidBasis = NO_BASIS


@dataclass(frozen=True, slots=True)
class BuildFailed:
    """There is no route, or the simulation failed; nothing was signed."""

    detail: str


@dataclass(frozen=True, slots=True)
class Signed:
    """The signer's reply: the transaction and its signature in base58."""

    transaction: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class SigningRefused:
    """The signer's policy forbids the transaction."""

    detail: str


@dataclass(frozen=True, slots=True)
class SigningFailed:
    """The signer did not reply; it may have signed, but nothing was sent."""

    detail: str


@dataclass(frozen=True, slots=True)
class SendFinished:
    """All lanes have replied or failed. An acceptance is no outcome, and neither is an error."""

    accepted: tuple[str, ...]  # names of lanes
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlockHeight:
    """A finalized block."""

    height: int
    slot: int


@dataclass(frozen=True, slots=True)
class StatusSeen:
    """A node's answer about the signature, from its history too."""

    commitment: Commitment | None  # None: the node does not know the signature
    slot: int  # that the node has processed


@dataclass(frozen=True, slots=True)
class StatusFailed:
    """No node has answered about the signature, or about its transaction."""


@dataclass(frozen=True, slots=True)
class TransactionSeen:
    """The transaction as the chain executed it.

    Args:
        fill: its effect on the wallet; with a failure if it had an error or traded nothing.
        commitment: confirmed or finalized.
    """

    fill: Fill
    commitment: Commitment


@dataclass(frozen=True, slots=True)
class TransactionMissing:
    """The node has no such transaction at this commitment (yet)."""

    commitment: Commitment


Observation = (
    Accepted | Restarted | CancelRequested | Built | BuildFailed | Signed | SigningRefused | SigningFailed
    | SendFinished | BlockHeight | StatusSeen | StatusFailed | TransactionSeen | TransactionMissing
)  # fmt: skip


# Actions


@dataclass(frozen=True, slots=True)
class Build:
    """Compose a message for the order and simulate it."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Let the signer sign the message; after a failure or a restart again."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes through all lanes."""

    transaction: bytes


@dataclass(frozen=True, slots=True)
class AskStatus:
    """After the interval of polling, ask for the finalized block, and then for the status of the signature."""


@dataclass(frozen=True, slots=True)
class AskTransaction:
    """Ask for the transaction at this commitment."""

    commitment: Commitment


@dataclass(frozen=True, slots=True)
class Report:
    """Report a status to the desk."""

    status: OrderStatus
    detail: str = ""
    fill: Fill | None = None


Action = Build | Sign | Send | AskStatus | AskTransaction | Report
