"""What each action of a submission does outside; every result is an observation."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field

from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.engine.orders import Order
from memesnipe.execution.landing_record import LandingRecord
from memesnipe.execution.submission_events import (
    Action,
    AskTransaction,
    BlockHeight,
    Build,
    BuildFailed,
    Commitment,
    Observation,
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
from memesnipe.solana.fills import fill_from, wallet_change
from memesnipe.solana.rpc import Rpc, SignatureStatus
from memesnipe.solana.service_errors import RejectedError, ServiceError
from memesnipe.solana.submission.ports import Lane, MessageBuilder, MessageSigner, TradeReader
from memesnipe.solana.submission.safe_builder import UnsafeTokenError
from memesnipe.solana.swap_plan import NoRouteError

_MAX_STATUSES = 256  # of one request


async def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Outside:
    """The services of a venue's client.

    Args:
        rpc: nodes.
        builder: composes messages.
        signer: signs them.
        lanes: through all of which a transaction is sent.
        wallet: address that signs.
        tip_accounts: increases of which are tips.
        read_trade: reads the pool's account of a trade.
        clock: of this machine.
        poll_s: between questions about signatures, and before the signer is asked again.
        background: runs in the loop of the client until it ends; it raises nothing that an order should not end with.
        close: closes the connections, in the loop that has used them.
    """

    rpc: Rpc
    builder: MessageBuilder
    signer: MessageSigner
    lanes: Sequence[Lane]
    wallet: str
    tip_accounts: frozenset[str]
    read_trade: TradeReader = field(default=lambda _logs, _wallet: None)
    clock: Clock = SYSTEM_CLOCK
    poll_s: float = 0.5
    background: Callable[[], Coroutine[None, None, None]] = _nothing
    close: Callable[[], Awaitable[None]] = _nothing

    async def perform(
        self, action: Action, order_id: str, order: Order, mint: str, signature: str, record: LandingRecord
    ) -> list[Observation]:
        """Perform an action other than a report and the status; return what was observed, in order.

        Args:
            action: to perform.
            order_id: of the order.
            order: the order.
            mint: of its token.
            signature: of its transaction; "" before it has one.
            record: of the order, in which is noted what the observations do not say.
        """
        match action:
            case Build():
                return [await self._build(order, mint)]
            case Sign(message):
                return await self._sign(message, order_id, order, mint)
            case Send(transaction):
                record.on_send(self.clock.now_ns())
                return [await self._send(transaction)]
            case AskTransaction(commitment):
                return [await self._transaction(commitment, order, mint, signature, record)]
        raise AssertionError(action)

    async def statuses(self, signatures: Sequence[str]) -> dict[str, list[Observation]]:
        """Return what is observed of each signature: the finalized block first, so that an absence is later than it."""
        blocks: list[Observation] = await self._block()
        found: dict[str, list[Observation]] = {}
        for start in range(0, len(signatures), _MAX_STATUSES):
            some = signatures[start : start + _MAX_STATUSES]
            try:
                slot, statuses = await self.rpc.statuses(some)
            except ServiceError:
                found |= {one: [*blocks, StatusFailed()] for one in some}
                continue
            for one, status in zip(some, statuses, strict=True):
                found[one] = [*blocks, StatusSeen(_commitment(status), slot)]
        return found

    async def _block(self) -> list[Observation]:
        try:
            epoch = await self.rpc.epoch(Commitment.FINALIZED)
        except ServiceError:
            return []
        return [BlockHeight(epoch.block_height, epoch.absolute_slot)]

    async def _build(self, order: Order, mint: str) -> Observation:
        try:
            return await self.builder.build(order, mint)
        except (NoRouteError, UnsafeTokenError, ServiceError) as error:
            return BuildFailed(str(error))

    async def _sign(self, message: bytes, order_id: str, order: Order, mint: str) -> list[Observation]:
        try:
            signed = await self.signer.sign(message, order_id, order, mint)
        except RejectedError as error:
            return [SigningRefused(str(error))]
        except ServiceError as error:
            await asyncio.sleep(self.poll_s)
            return [*await self._block(), SigningFailed(str(error))]
        return [Signed(signed.transaction, signed.signature)]

    async def _send(self, transaction: bytes) -> SendFinished:
        async def through(lane: Lane) -> str:
            try:
                await lane.send(transaction)
            except ServiceError as error:
                return f"{lane.name}: {error}"
            return ""

        errors = await asyncio.gather(*map(through, self.lanes))
        accepted = tuple(lane.name for lane, error in zip(self.lanes, errors, strict=True) if not error)
        return SendFinished(accepted, tuple(filter(None, errors)))

    async def _transaction(
        self, commitment: Commitment, order: Order, mint: str, signature: str, record: LandingRecord
    ) -> Observation:
        try:
            executed = await self.rpc.transaction(signature, commitment)
        except ServiceError:
            return StatusFailed()
        if executed is None:
            return TransactionMissing(commitment)
        logs = executed.meta.log_messages or ()
        is_slipped = executed.meta.err is not None and any("slippage" in line.lower() for line in logs)
        record.on_executed(executed.slot, executed.block_time or 0, is_slipped=is_slipped)
        change = wallet_change(executed, self.wallet, mint, self.tip_accounts)
        trade = self.read_trade(logs, self.wallet)
        return TransactionSeen(fill_from(order, executed, change, trade, self.clock.now_ns()), commitment)


def _commitment(status: SignatureStatus | None) -> Commitment | None:
    """Return the commitment of a status; a node that states none is trusted for the lowest."""
    return None if status is None else Commitment(status.confirmation_status or Commitment.PROCESSED)
