"""A submission under faults: no order executes twice, no outcome is wrong, and every order ends after the faults."""

import random
from collections import Counter
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from memesnipe.execution.submission import Submission
from memesnipe.execution.submission_events import (
    Accepted,
    AskStatus,
    AskTransaction,
    BlockHeight,
    Build,
    Built,
    CancelRequested,
    Commitment,
    Report,
    Restarted,
    Send,
    SendFinished,
    Sign,
    Signed,
    SigningFailed,
    StatusFailed,
    StatusSeen,
    TransactionSeen,
)
from memesnipe.protocol.order_status import OrderStatus
from tests.execution.simulated_cluster import World, fill_of, random_history

HISTORIES = 1_500
SIGNED = Submission(OrderStatus.SIGNED, b"m", 100, b"tx", "sig")
SUBMITTED = replace(SIGNED, status=OrderStatus.SUBMITTED)


class UnderFaults(RuleBasedStateMachine):
    """Any sequence of effects, blocks, forks, crashes and repeated observations."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(lambda n: 0, actions=[])
        self.world.handle(Accepted())

    def draw_from(self, data: st.DataObject) -> None:
        self.world.choose = lambda n: data.draw(st.integers(0, n - 1))

    @rule(data=st.data())
    def perform(self, data: st.DataObject) -> None:
        self.draw_from(data)
        self.world.perform()

    @rule(data=st.data())
    def produce(self, data: st.DataObject) -> None:
        self.draw_from(data)
        self.world.produce()

    @rule(data=st.data())
    def vote(self, data: st.DataObject) -> None:
        self.draw_from(data)
        self.world.vote()

    @rule(data=st.data())
    def fork_back(self, data: st.DataObject) -> None:
        self.draw_from(data)
        self.world.fork_back()

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        self.draw_from(data)
        self.world.repeat()

    @rule()
    def crash(self) -> None:
        self.world.crash()

    @rule()
    def cancel(self) -> None:
        self.world.handle(CancelRequested())

    def teardown(self) -> None:
        self.world.finish()


TestUnderFaults = UnderFaults.TestCase
TestUnderFaults.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


def test_random_histories_reach_every_outcome() -> None:
    seen: Counter[str] = Counter()
    for seed in range(HISTORIES):
        draw = random.Random(seed)
        world = random_history(draw.randrange, steps=60)
        outcome = [report for report in world.reports if report.status is not OrderStatus.RECONCILED][-1]
        unsent = "" if world.sent else " unsent"
        seen[f"{outcome.status}{unsent}"] += 1
        seen["unknown for a while"] += any(report.status is OrderStatus.UNKNOWN for report in world.reports)
    rare = {
        key: n for key in ("landed", "failed", "failed unsent", "expired", "cancelled unsent", "unknown for a while")
        if (n := seen[key]) < HISTORIES // 100
    }  # fmt: skip
    assert not rare, seen


def test_an_order_is_built_signed_sent_and_reconciled() -> None:
    state, actions = Submission().handle(Accepted())
    assert actions == [Build()]
    state, actions = state.handle(Built(b"m", 100))
    assert actions == [Sign(b"m")]
    state, actions = state.handle(Signed(b"tx", "sig"))
    assert actions == [Report(OrderStatus.SIGNED), Send(b"tx"), AskStatus()]
    state, actions = state.handle(SendFinished(("rpc",), ("jito: 429",)))
    assert actions == [Report(OrderStatus.SUBMITTED, "accepted by rpc")]
    state, actions = state.handle(StatusSeen(None, 50))
    assert actions == [Send(b"tx"), AskStatus()]
    state, actions = state.handle(StatusSeen(Commitment.PROCESSED, 51))
    assert actions == [AskStatus()]
    state, actions = state.handle(StatusSeen(Commitment.CONFIRMED, 52))
    assert actions == [AskTransaction(Commitment.CONFIRMED)]
    state, actions = state.handle(TransactionSeen(fill_of(""), Commitment.CONFIRMED))
    assert actions == [Report(OrderStatus.LANDED, "", fill_of("")), AskStatus()]
    state, actions = state.handle(StatusSeen(Commitment.FINALIZED, 90))
    assert actions == [AskTransaction(Commitment.FINALIZED)]
    state, actions = state.handle(TransactionSeen(fill_of(""), Commitment.FINALIZED))
    assert actions == [Report(OrderStatus.RECONCILED)]
    assert state.is_ended


def test_an_error_of_every_lane_is_unknown_and_not_a_failure() -> None:
    state, actions = SIGNED.handle(SendFinished((), ("rpc: timeout", "jito: -32097")))
    assert actions == [Report(OrderStatus.UNKNOWN, "rpc: timeout; jito: -32097")]
    assert state.handle(SendFinished(("rpc",), ()))[1] == [Report(OrderStatus.SUBMITTED, "accepted by rpc")]


def test_a_node_that_lags_behind_lets_no_order_expire() -> None:
    state, actions = SUBMITTED.handle(BlockHeight(101, slot=140))
    assert [action.status for action in actions if isinstance(action, Report)] == [OrderStatus.UNKNOWN]
    assert state.handle(StatusSeen(None, slot=139))[1] == [AskStatus()]
    assert state.handle(StatusFailed())[1] == [AskStatus()]
    ended, actions = state.handle(StatusSeen(None, slot=140))
    assert [action.status for action in actions if isinstance(action, Report)] == ["expired", "reconciled"]
    assert ended.is_ended


def test_a_transaction_with_an_error_fails_with_its_fee() -> None:
    _, actions = SUBMITTED.handle(TransactionSeen(fill_of("slipped"), Commitment.CONFIRMED))
    assert actions[0] == Report(OrderStatus.FAILED, "slipped", fill_of("slipped"))


def test_after_a_restart_the_same_message_is_signed_and_the_same_bytes_are_sent() -> None:
    assert Submission().handle(Restarted())[1] == [Build()]
    assert Submission(message=b"m", last_valid_height=100).handle(Restarted())[1] == [Sign(b"m")]
    assert SIGNED.handle(Restarted())[1] == [Send(b"tx"), AskStatus()]
    assert replace(SUBMITTED, status=OrderStatus.LANDED, fill=fill_of("")).handle(Restarted())[1] == [AskStatus()]


def test_a_silent_signer_is_asked_until_the_blockhash_expires() -> None:
    state = Submission(message=b"m", last_valid_height=100)
    assert state.handle(SigningFailed("timeout"))[1] == [Sign(b"m")]
    state, actions = state.handle(BlockHeight(101, 140))
    assert [a.status for a in actions if isinstance(a, Report)] == [OrderStatus.FAILED, OrderStatus.RECONCILED]
    assert state.handle(Signed(b"tx", "sig"))[1] == [], "a late signature is never sent"


def test_a_cancelled_order_is_never_sent_and_a_signed_one_is_not_cancelled() -> None:
    state, actions = Submission(message=b"m", last_valid_height=100).handle(CancelRequested())
    assert [a.status for a in actions if isinstance(a, Report)] == [OrderStatus.CANCELLED]
    assert state.handle(Signed(b"tx", "sig"))[1] == []
    assert SIGNED.handle(CancelRequested()) == (SIGNED, [])


def test_a_confirmed_transaction_that_disappears_is_a_contradiction_and_not_reconciled() -> None:
    landed = replace(SUBMITTED, status=OrderStatus.LANDED, fill=fill_of(""), expired_slot=140)
    state, actions = landed.handle(StatusSeen(None, slot=141))
    assert actions == [AskStatus()]
    assert "disappeared" in state.contradiction
    state, _ = landed.handle(TransactionSeen(fill_of("slipped"), Commitment.FINALIZED))
    assert not state.is_ended
    assert "finalized" in state.contradiction
