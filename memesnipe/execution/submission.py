"""The submission of one order: a state machine that takes observations and returns actions.

An order has at most one signed transaction. The caller stores `Submission` after each observation, together with the
reports among the actions, and only then performs the other actions. A crash therefore loses at most observations:
`Restarted` returns the actions that follow from the stored state.

Why nothing is bought twice:
- A transaction is sent only after it is stored as signed, and what is sent is always those bytes. The chain executes a
  signature once.
- The message is stored before the signer gets it. After a crash the signer signs the same message again, and ed25519
  signatures are deterministic.
- No error and no timeout of a lane is an outcome; only the chain's answers are.

When an outcome is final:
- LANDED and FAILED are reported at the commitment `confirmed`: more than two thirds of the stake have voted for the
  block. Its removal would require that a third of the stake votes for two forks; that has never happened, and is still
  possible in theory. `finalized` would take some 13 s longer, in which a position could not be sold. An order therefore
  becomes RECONCILED only when its transaction is finalized with the same effect; if a confirmed transaction disappears,
  the order stays unreconciled and `contradiction` says so.
- EXPIRED is reported when a block above the last valid height is *finalized* and the signature is unknown to a node
  that has processed that slot. A wrong answer would let the desk buy again, and a node that lags behind does not know
  a transaction that has landed. It costs some 13 s, and only where a transaction has not landed.
- An order whose transaction was never stored as signed has FAILED without one: it was never sent.
"""

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from memesnipe.engine.orders import Fill
from memesnipe.execution.submission_events import (
    Accepted,
    Action,
    AskStatus,
    AskTransaction,
    BlockHeight,
    Build,
    BuildFailed,
    Built,
    CancelRequested,
    Commitment,
    Observation,
    Report,
    Restarted,
    Send,
    SendFinished,
    Sign,
    Signed,
    SigningFailed,
    SigningRefused,
    StatusFailed,
    StatusSeen,
    TransactionMissing,
    TransactionSeen,
)
from memesnipe.protocol.order_status import OrderStatus, assert_transition

Step: TypeAlias = tuple["Submission", list[Action]]
_S = OrderStatus
SENT: Final = frozenset({_S.SIGNED, _S.SUBMITTED, _S.UNKNOWN})  # its transaction may land


@dataclass(frozen=True, slots=True)
class Submission:
    """The stored state of an order's submission."""

    status: OrderStatus = OrderStatus.INTENDED
    message: bytes = b""
    last_valid_height: int = 0
    transaction: bytes = b""
    signature: str = ""
    expired_slot: int = 0  # of a finalized block above the last valid height; 0: none is known
    fill: Fill | None = None  # as reported
    contradiction: str = ""  # how the finalized chain differs from what was reported

    @property
    def is_ended(self) -> bool:
        """Whether no further action follows."""
        return self.status in (OrderStatus.RECONCILED, OrderStatus.CANCELLED)

    def handle(self, observation: Observation) -> Step:
        """Return the state after an observation, and the actions that follow; late and repeated ones have no effect."""
        if self.status is OrderStatus.INTENDED:
            return self._before_signature(observation)
        if self.status in SENT:
            return self._in_flight(observation)
        return self._after_outcome(observation)

    def _before_signature(self, observation: Observation) -> Step:  # noqa: PLR0911 - a table
        match observation:
            case Accepted() | Restarted() | SigningFailed():
                return self, [Sign(self.message) if self.message else Build()]
            case CancelRequested():
                return self._ended(OrderStatus.CANCELLED, "cancelled before it was signed")
            case Built(message, last_valid_height) if not self.message:
                return replace(self, message=message, last_valid_height=last_valid_height), [Sign(message)]
            case BuildFailed(detail) if not self.message:
                return self._ended(OrderStatus.FAILED, detail)
            case SigningRefused(detail) if self.message:
                return self._ended(OrderStatus.FAILED, detail)
            case BlockHeight(height) if self.message and height > self.last_valid_height:
                return self._ended(OrderStatus.FAILED, "its blockhash expired before it was signed")
            case Signed(transaction, signature) if self.message:
                signed = replace(self, status=OrderStatus.SIGNED, transaction=transaction, signature=signature)
                return signed, [Report(OrderStatus.SIGNED), Send(transaction), AskStatus()]
            case _:
                return self, []

    def _in_flight(self, observation: Observation) -> Step:  # noqa: PLR0911 - a table
        match observation:
            case Restarted():
                return self, [*self._send(), AskStatus()]
            case SendFinished(accepted, errors):
                return self._sent(accepted, errors)
            case BlockHeight(height, slot) if height > self.last_valid_height and not self.expired_slot:
                expired = replace(self, expired_slot=slot)
                return expired._report(OrderStatus.UNKNOWN, "its blockhash has expired")
            case StatusSeen(None, slot) if self.expired_slot and slot >= self.expired_slot:
                return self._ended(OrderStatus.EXPIRED, "its blockhash expired")
            case StatusSeen(None) | TransactionMissing():
                return self, [*self._send(), AskStatus()]
            case StatusSeen(Commitment.PROCESSED) | StatusFailed():
                return self, [AskStatus()]
            case StatusSeen():
                return self, [AskTransaction(Commitment.CONFIRMED)]
            case TransactionSeen(fill):
                return self._executed(fill)
            case _:
                return self, []

    def _after_outcome(self, observation: Observation) -> Step:  # noqa: PLR0911 - a table
        if self.is_ended or self.fill is None:
            return self, []
        match observation:
            case StatusSeen(Commitment.FINALIZED):
                return self, [AskTransaction(Commitment.FINALIZED)]
            case BlockHeight(height, slot) if height > self.last_valid_height and not self.expired_slot:
                return replace(self, expired_slot=slot), []
            case StatusSeen(None, slot) if self.expired_slot and slot >= self.expired_slot:
                return replace(self, contradiction="a confirmed transaction has disappeared"), [AskStatus()]
            case StatusSeen() | StatusFailed() | TransactionMissing() | Restarted():
                return self, [AskStatus()]
            case TransactionSeen(fill, Commitment.FINALIZED) if _effect(fill) == _effect(self.fill):
                return replace(self, contradiction="")._report(OrderStatus.RECONCILED)
            case TransactionSeen(fill, Commitment.FINALIZED):
                text = f"reported {_effect(self.fill)}, finalized {_effect(fill)}"
                return replace(self, contradiction=text), []
            case _:
                return self, []

    def _send(self) -> list[Action]:
        return [] if self.expired_slot else [Send(self.transaction)]

    def _sent(self, accepted: tuple[str, ...], errors: tuple[str, ...]) -> Step:
        if self.expired_slot:
            return self, []
        if accepted:
            return self._report(OrderStatus.SUBMITTED, "accepted by " + ", ".join(accepted))
        if self.status is OrderStatus.SIGNED:
            return self._report(OrderStatus.UNKNOWN, "; ".join(errors))
        return self, []

    def _executed(self, fill: Fill) -> Step:
        after, actions = self, list[Action]()
        if self.status is OrderStatus.SIGNED:  # it landed before a lane's reply was stored
            after, actions = after._report(OrderStatus.SUBMITTED)
        status = OrderStatus.FAILED if fill.failure else OrderStatus.LANDED
        after, reports = replace(after, fill=fill)._report(status, fill.failure, fill)
        return after, [*actions, *reports, AskStatus()]

    def _ended(self, status: OrderStatus, detail: str) -> Step:
        """Report an outcome without a transaction on the chain, which agrees with the balances by itself."""
        after, actions = self._report(status, detail)
        if status is not OrderStatus.CANCELLED:
            after, reconciled = after._report(OrderStatus.RECONCILED)
            actions += reconciled
        return after, actions

    def _report(self, status: OrderStatus, detail: str = "", fill: Fill | None = None) -> Step:
        if status is self.status:
            return self, []
        assert_transition(self.status, status)
        return replace(self, status=status), [Report(status, detail, fill)]


def _effect(fill: Fill) -> tuple[int, ...]:
    """Return what a fill changed: tokens, SOL and fees."""
    return (fill.token_raw, fill.sol_lamports, fill.pool_fee_lamports, fill.network_fee_lamports)
