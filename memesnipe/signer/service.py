"""The signer: reviews a transaction, records the decision, and only then signs."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.errors import MemeSnipeError
from memesnipe.halt_file import HaltLevel, halt_level
from memesnipe.signer.audit import AuditLog
from memesnipe.signer.balances import check_balances
from memesnipe.signer.chain import Chain
from memesnipe.signer.intent import SignRequest
from memesnipe.signer.message import UnsignedTransaction, parse_transaction, resolve
from memesnipe.signer.policy import Policy
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.review import check_intent, review
from memesnipe.signer.rules.effects import Context
from memesnipe.signer.spending import Spending, SpendingBook

_MS: Final = 1_000_000  # ns


@dataclass(frozen=True)
class Signed:
    """A signed transaction and its signature in base58."""

    transaction: bytes
    signature: str


class Signer:
    """Sign what the policy allows. Several threads may call it.

    Args:
        keypair: of the wallet; no method returns, shows or logs it.
        policy: what is signed.
        chain: a node.
        book: what has been signed.
        audit: where every decision is recorded.
        halt_file: while it exists, nothing is signed, or sales only (`memesnipe.halt_file`).
        clock: of this machine.
    """

    def __init__(
        self,
        keypair: Keypair,
        policy: Policy,
        chain: Chain,
        book: SpendingBook,
        audit: AuditLog,
        halt_file: Path,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._keypair = keypair
        self._policy, self._chain, self._book, self._audit = policy, chain, book, audit
        self._halt_file, self._clock = halt_file, clock
        self._decisions: Counter[str] = Counter()
        self._counting = Lock()

    @property
    def wallet(self) -> Pubkey:
        """Return the wallet's address."""
        return self._keypair.pubkey()

    @property
    def policy(self) -> Policy:
        """Return what is signed."""
        return self._policy

    @property
    def decisions(self) -> dict[str, int]:
        """Return the number of decisions since the start, by ``signed`` and the reasons of refusals."""
        with self._counting:
            return dict(self._decisions)

    def stopped(self, *, is_exit: bool = False) -> RefusedError | None:
        """Return why no purchase, or no sale, is signed at the moment, or None."""
        if not self._policy.enabled:
            return RefusedError(Reason.DISABLED, "signing is off; `enabled` in the policy file turns it on")
        level = halt_level(self._halt_file)
        if level is HaltLevel.ALL:
            return RefusedError(Reason.HALTED, "everything is halted; `memesnipe risk reset` resumes")
        if level is HaltLevel.ENTRIES and not is_exit:
            return RefusedError(Reason.HALTED, "purchases are halted, sales are not; `memesnipe risk reset` resumes")
        return None

    def sign(self, request: SignRequest) -> Signed:
        """Return the signed transaction. The same message is counted once and gets the same signature.

        Raises:
            RefusedError: the policy does not allow it; the decision is recorded.
        """
        entry: dict[str, Any] = {"order_id": request.order_id, "intent": request.intent.model_dump()}
        try:
            transaction = self._decide(request, entry)
        except RefusedError as refusal:
            self._record(entry, "refused", refusal)
            raise
        except Exception as error:  # noqa: BLE001 - a defect must not sign, and its text may contain anything
            internal = RefusedError(Reason.INTERNAL, f"internal error: {type(error).__name__}")
            self._record(entry, "refused", internal)
            raise internal from None
        self._record(entry, "signed", None)
        signature = self._keypair.sign_message(transaction.message_bytes)
        return Signed(transaction.with_signature(signature), str(signature))

    def _decide(self, request: SignRequest, entry: dict[str, Any]) -> UnsignedTransaction:
        """Return the transaction if it may be signed, and fill in the audit entry on the way."""
        self._check_running(is_exit=True)
        transaction = parse_transaction(request.raw, self.wallet)
        entry["message_hash"] = transaction.message_hash
        released = self._book.find(transaction.message_hash, request.order_id)
        if released is not None:
            entry["repeated"] = True  # what was released once may be released again
            self._check_running(is_exit=released.is_exit)
            return transaction
        lamports, is_exit = self._review(transaction, request, entry)
        self._check_running(is_exit=is_exit)
        spending = Spending(transaction.message_hash, request.order_id, lamports, is_exit)
        self._book.spend(spending, self._policy.spend, self._now_ms())
        return transaction

    def _review(
        self, transaction: UnsignedTransaction, request: SignRequest, entry: dict[str, Any]
    ) -> tuple[int, bool]:
        """Return what a transaction costs at most in lamports, and whether it is a sale."""
        resolved = resolve(transaction, self._chain.lookup_table)
        entry["programs"] = [str(program) for program in resolved.programs]
        effects = review(resolved, self.wallet, self._policy)
        entry |= {
            "side": effects.swap.side,
            "mint": str(effects.swap.mint),
            "max_in": effects.swap.max_in,
            "min_out": effects.swap.min_out,
            "tip_lamports": effects.tip_lamports,
            "priority_fee_lamports": effects.priority_fee_lamports,
        }
        check_intent(effects, request.intent, self._policy, self._now_ms())
        if not self._chain.is_blockhash_valid(transaction.message.recent_blockhash):
            raise RefusedError(Reason.BLOCKHASH, "the blockhash has expired")
        simulation = self._chain.simulate(transaction.raw, resolved.writable)
        context = Context(self.wallet, self._policy, resolved.static_keys)
        entry["lamports"] = check_balances(simulation, effects, context)
        return entry["lamports"], effects.swap.side == "sell"

    def _check_running(self, *, is_exit: bool) -> None:
        if stopped := self.stopped(is_exit=is_exit):
            raise stopped

    def _record(self, entry: dict[str, Any], decision: str, refusal: RefusedError | None) -> None:
        """Append the decision to the audit log; without a record there is no signature."""
        reason = {"reason": str(refusal.reason), "detail": refusal.detail} if refusal else {}
        try:
            self._audit.append({"at_ms": self._now_ms(), "decision": decision} | reason | entry)
        except MemeSnipeError as error:
            refusal = RefusedError(Reason.UNAVAILABLE, str(error))
            raise refusal from None
        finally:
            with self._counting:
                self._decisions[refusal.reason if refusal else decision] += 1

    def _now_ms(self) -> int:
        return self._clock.now_ns() // _MS
