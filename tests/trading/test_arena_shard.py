"""Arenas whose outputs reach the desk as messages: the same steps as with arenas in the desk's process."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.market.events import Events
from memesnipe.protocol.account import Account
from memesnipe.protocol.arena_messages import ARENA_OUTPUTS, PlacedAllocation
from memesnipe.protocol.messages import AllocationMessage
from memesnipe.protocol.payload import ProtocolError, encode
from memesnipe.protocol.streams import PLACED, decoder_of
from memesnipe.trading.arena import Arena
from memesnipe.trading.arena_shard import ArenaShard, numbered
from memesnipe.trading.execution import OrderFlow, local_execution, trading_accounts
from memesnipe.trading.gate import Limits
from memesnipe.trading.received_arena import ReceivedArena
from memesnipe.trading.steps import Step
from tests.payloads import allocations
from tests.support import FAMILIES, NO_STOPS, SOL_USD, SURE, population, synthetic_events

MODEL = SURE._replace(landing_max=0.7, seed=5)
LIMITS = {Account.PAPER: Limits(1e9)}
POLICIES = {Account.PAPER: NO_STOPS}
EVENTS = synthetic_events(2500, seed=3).copy()
EVENTS["sol_usd"] = SOL_USD
FIRST, SECOND, *_ = NAMES = [one.spec_id for one in population()]
# The events, and the allocations between them: strategies go to the desk, leave it while they hold, start again there.
CONTROLS = {
    0: allocations(population(), usd=dict.fromkeys(NAMES, 1000.0)),
    700: allocations(usd={FIRST: 5.0, SECOND: 1000.0}),
    1300: allocations(usd={SECOND: 1000.0}, restarted=[FIRST]),
    1500: allocations(usd={FIRST: 300.0, SECOND: 1000.0}),
    1900: allocations(removed=[SECOND], usd={FIRST: 300.0}),
    2200: allocations([population()[1]], usd={FIRST: 300.0, SECOND: 20.0}),
}


class Apart:
    """Arenas that exchange nothing but messages with the desk; each shard is ahead of it by its own number of parts."""

    def __init__(self, count: int) -> None:
        self.shards = [
            ArenaShard(Arena(FAMILIES, MODEL, shadow_capital_usd=1000.0, index=i, count=count), ARENA_OUTPUTS[i])
            for i in range(count)
        ]
        self.received = [ReceivedArena(i, count) for i in range(count)]
        self.flow = OrderFlow(self.received, trading_accounts(MODEL, LIMITS, POLICIES))
        self._allocations = 0

    def advance(self, events: Events) -> Iterator[Step]:
        for shard, received in zip(self.shards, self.received, strict=True):
            for output in shard.advance(events):
                received.receive(decoder_of(output.stream)(encode(output)))
        return self.flow.advance(events)

    def apply(self, message: AllocationMessage) -> list[Step]:
        self._allocations += 1
        placed = decoder_of(PLACED)(encode(PlacedAllocation(seq=self.flow.seq, allocation=message)))
        for shard, received in zip(self.shards, self.received, strict=True):
            for answer in shard.apply(placed):
                output = numbered(answer, self._allocations)
                received.receive(decoder_of(output.stream)(encode(output)))
        return self.flow.apply(message)

    def restore_desk(self) -> None:
        for i, arena in enumerate(self.received):
            restored = ReceivedArena(i, len(self.received))
            restored.load(arena.dump())
            self.received[i] = restored
        side, self.flow = self.flow.side, OrderFlow(self.received, trading_accounts(MODEL, LIMITS, POLICIES))
        self.flow.load_side(side)


def _expected() -> list[Step]:
    execution = local_execution(FAMILIES, MODEL, shadow_capital_usd=1000.0, limits=LIMITS, policies=POLICIES)
    steps: list[Step] = []
    for start, stop in zip(CONTROLS, [*list(CONTROLS)[1:], len(EVENTS)], strict=True):
        steps += execution.apply(CONTROLS[start])
        steps += execution.advance(EVENTS[start:stop])
    return steps


EXPECTED = _expected()


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([1, 2, 4]), st.lists(st.integers(1, len(EVENTS) - 1), max_size=8), st.sets(st.integers(0, 12)))
def test_the_steps_are_those_of_one_arena(count: int, cuts: list[int], restarts: set[int]) -> None:
    apart, steps = Apart(count), []
    bounds = sorted({*cuts, *CONTROLS, len(EVENTS)})
    for i, (start, stop) in enumerate(pairwise(bounds)):
        steps += apart.apply(CONTROLS[start]) if start in CONTROLS else []
        steps += apart.advance(EVENTS[start:stop])
        if i in restarts:
            apart.restore_desk()
    for name in ("orders", "refused", "cancelled", "fills"):
        assert [x for step in steps for x in getattr(step, name)] == [x for s in EXPECTED for x in getattr(s, name)]
    results = [step.results for step in steps if step.results is not None]
    assert results == [step.results for step in EXPECTED if step.results is not None]


def test_the_market_has_what_the_comparison_needs() -> None:
    results = [step.results for step in EXPECTED if step.results is not None]
    assert {seen.spec_id for one in results for seen in one.round_trips} >= {FIRST, SECOND}
    figures = results[-1].strategies.figures
    assert np.any(figures["restarts"] > 0)
    assert any(step.orders for step in EXPECTED)


def test_a_missing_output_is_an_error() -> None:
    apart = Apart(2)
    with pytest.raises(ProtocolError, match="arena 0: no answer to the allocation after event 0"):
        apart.flow.apply(CONTROLS[0])
    apart.apply(CONTROLS[0])
    decision = int(np.flatnonzero(EVENTS["flags"])[0])
    with pytest.raises(ProtocolError, match="arena 0: no results for the decision"):
        list(apart.flow.advance(EVENTS[: decision + 1]))
