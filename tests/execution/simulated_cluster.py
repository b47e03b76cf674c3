"""One order on a cluster that loses, delays, repeats and forgets: blocks, forks, lanes, lagging nodes, and crashes."""

from collections.abc import Callable
from dataclasses import dataclass, field

from memesnipe.engine.orders import Fill, Order
from memesnipe.execution.submission import Submission
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
from memesnipe.market.events import BUY_SIDE
from memesnipe.protocol.order_status import OrderStatus, assert_transition

VALID_BLOCKS = 8
ORDER = Order("s", 1, 0, BUY_SIDE, "signal", 1, 1, 2, 0.1, 1_000_000, 0, 500)
Choose = Callable[[int], int]  # a number below the argument


def fill_of(failure: str) -> Fill:
    if failure:
        return Fill(ORDER, 5, 0, 0, 0, 0, 5_000, 0, failure)
    return Fill(ORDER, 5, 0, 480, 900_000, 11_250, 115_000, 900_000, "")


@dataclass
class Block:
    slot: int
    executed: dict[bytes, str] = field(default_factory=dict)  # transaction -> failure


@dataclass
class World:
    """The order's submission, what it stored, and the cluster. With no faults every choice is 0."""

    choose: Choose
    blocks: list[Block] = field(default_factory=lambda: [Block(slot) for slot in range(4)])
    confirmed: int = 2  # heights
    finalized: int = 1
    waiting: set[bytes] = field(default_factory=set)  # transactions that may land
    sent: set[bytes] = field(default_factory=set)
    stored: Submission = field(default_factory=Submission)
    actions: list[Action] = field(default_factory=lambda: [Build()])
    reports: list[Report] = field(default_factory=list)
    seen: list[Observation] = field(default_factory=list)
    builds: int = 0
    crashes: int = 0

    @property
    def height(self) -> int:
        return len(self.blocks) - 1

    def fault(self, one_in: int = 3) -> bool:
        return self.choose(one_in) == one_in - 1

    # The cluster

    def produce(self) -> None:
        """Add a block; it includes any of the waiting transactions that are still valid."""
        block = Block(self.blocks[-1].slot + 1 + self.choose(2))
        known = {tx for each in self.blocks for tx in each.executed}
        for tx in sorted(self.waiting - known):
            if valid_to(tx) >= self.height + 1 and not self.fault():
                block.executed[tx] = "slipped" if self.fault() else ""
        self.blocks.append(block)

    def vote(self) -> None:
        self.confirmed = max(self.confirmed, self.height - self.choose(3))
        self.finalized = max(self.finalized, self.confirmed - 1 - self.choose(3))

    def fork_back(self) -> None:
        """Remove the blocks that are not confirmed; their transactions may land again, or are lost."""
        removed, self.blocks = self.blocks[self.confirmed + 1 :], self.blocks[: self.confirmed + 1]
        for block in removed:
            self.waiting |= {tx for tx in block.executed if not self.fault()}

    def failure_in(self, tx: bytes, height: int) -> str | None:
        """Return the failure of a transaction in the chain up to a height; "" where it succeeded, None if absent."""
        return next((b.executed[tx] for b in self.blocks[: height + 1] if tx in b.executed), None)

    # The caller

    def handle(self, observation: Observation) -> None:
        self.seen.append(observation)
        after, actions = self.stored.handle(observation)
        self.stored = after
        for action in actions:
            if isinstance(action, Report):
                self.check(action)
                self.reports.append(action)
            else:
                self.actions.append(action)

    def crash(self) -> None:
        self.crashes += 1
        self.actions = []
        self.handle(Restarted())

    def repeat(self) -> None:
        """Deliver an earlier observation again."""
        if self.seen:
            self.handle(self.seen[self.choose(len(self.seen))])

    def perform(self) -> None:
        """Perform one of the actions that are due; the process may crash after its effect, before its result."""
        if not self.actions:
            return
        results = self.effect_of(self.actions.pop(self.choose(len(self.actions))))
        if self.fault(12):
            self.crash()
            return
        for result in results:
            self.handle(result)

    def effect_of(self, action: Action) -> list[Observation]:  # noqa: PLR0911 - a table
        match action:
            case Build():
                self.builds += 1
                last = self.confirmed + VALID_BLOCKS
                return [BuildFailed("no route") if self.fault(8) else Built(b"%d:%d" % (self.builds, last), last)]
            case Sign(message):
                if self.fault(8):
                    return [SigningRefused("over the limit")]
                height = BlockHeight(self.finalized, self.blocks[self.finalized].slot)
                if self.fault():
                    return [height, SigningFailed("timeout")]
                return [Signed(b"signed " + message, message.decode())]
            case Send(tx):
                return [self.send(tx)]
            case AskStatus():
                return self.status()
            case AskTransaction(commitment):
                return [self.transaction(commitment)]
        raise AssertionError(action)

    def send(self, tx: bytes) -> SendFinished:
        assert tx == self.stored.transaction, "only stored bytes are sent"
        self.sent.add(tx)
        accepted, errors = [], []
        for lane in ("rpc", "jito"):
            if not self.fault():
                self.waiting.add(tx)  # also where the reply is lost
            (errors if self.fault() else accepted).append(lane)
        return SendFinished(tuple(accepted), tuple(errors))

    def status(self) -> list[Observation]:
        """Return the answers of two nodes, each of which may lag behind or be silent."""
        results: list[Observation] = []
        if not self.fault():
            final = max(0, self.finalized - self.choose(3))
            results.append(BlockHeight(final, self.blocks[final].slot))
        if self.fault():
            return [*results, StatusFailed()]
        tip = max(0, self.height - self.choose(6))
        at = next((h for h in range(tip + 1) if self.stored.transaction in self.blocks[h].executed), None)
        if at is None:
            return [*results, StatusSeen(None, self.blocks[tip].slot)]
        level = Commitment.PROCESSED
        if at <= min(tip, self.confirmed):
            level = Commitment.FINALIZED if at <= min(tip, self.finalized) else Commitment.CONFIRMED
        return [*results, StatusSeen(level, self.blocks[tip].slot)]

    def transaction(self, commitment: Commitment) -> Observation:
        if self.fault():
            return StatusFailed() if self.fault() else TransactionMissing(commitment)
        height = self.finalized if commitment is Commitment.FINALIZED else self.confirmed
        failure = self.failure_in(self.stored.transaction, height)
        return TransactionMissing(commitment) if failure is None else TransactionSeen(fill_of(failure), commitment)

    # The checks

    def check(self, report: Report) -> None:
        """Check a report against the truth at this moment."""
        before = self.reports[-1].status if self.reports else OrderStatus.INTENDED
        assert_transition(before, report.status)
        if report.status in (OrderStatus.LANDED, OrderStatus.FAILED) and report.fill is not None:
            assert self.failure_in(self.stored.transaction, self.confirmed) == report.fill.failure
        elif report.status in (OrderStatus.FAILED, OrderStatus.CANCELLED):
            assert not self.sent
        elif report.status is OrderStatus.EXPIRED:
            assert self.failure_in(self.stored.transaction, self.height) is None

    def finish(self) -> None:
        """Stop all faults; the order must end, and its outcome must be that of the chain."""
        self.choose = lambda n: 0
        for _ in range(VALID_BLOCKS + 12):
            self.produce()
            self.vote()
            for _ in range(len(self.actions)):
                self.perform()
        assert self.stored.is_ended, self.stored
        for _ in range(VALID_BLOCKS):  # nothing lands later
            self.produce()
        outcomes = [
            r for r in self.reports if r.status in (OrderStatus.LANDED, OrderStatus.FAILED, OrderStatus.EXPIRED)
        ]
        assert len(outcomes) == (self.stored.status is OrderStatus.RECONCILED)
        executed = [failure for block in self.blocks for failure in block.executed.values()]
        fill = outcomes[0].fill if outcomes else None
        assert executed == ([] if fill is None else [fill.failure])
        assert len(self.sent) <= 1
        assert not self.stored.contradiction


def valid_to(tx: bytes) -> int:
    return int(tx.rpartition(b":")[2])


RULES: tuple[Callable[[World], None], ...] = (World.perform, World.produce, World.vote, World.fork_back, World.repeat)


def random_history(choose: Choose, steps: int) -> World:
    """Return a world after a number of random steps and its end."""
    world = World(choose)
    world.actions = []
    world.handle(Accepted())
    for _ in range(steps):
        drawn = choose(20)
        if drawn == 19:
            world.crash()
        elif drawn == 18 and choose(4) == 0:
            world.handle(CancelRequested())
        else:
            RULES[(0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4, 4)[drawn]](world)
    world.finish()
    return world
