"""Processor time of arenas in processes of their own, and of the desk that consumes their outputs.

Run it with `python benchmarks/arena_shards.py [STRATEGIES] [EVENTS]`; 2,000 and 10,000 by default. Events arrive in
batches of 64. Each arena is advanced in this process after the other, and processor time is measured, so the figures
depend neither on the number of cores nor on other load: with a core for each arena and one for the desk, the rate of
the whole is that of the slowest of them. The work of the desk is to decode the outputs, to merge them and trade
(advance), and to store its state with each commit, one a batch. Transport and the commits themselves are not included.
"""

import sys
import time
from itertools import islice

import numpy as np
from pydantic import TypeAdapter

from memesnipe.engine.fills import FillModel
from memesnipe.evolution.operators import random_genomes
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import Events
from memesnipe.market.sequencer import Sequencer
from memesnipe.protocol.account import Account
from memesnipe.protocol.arena_messages import ARENA_OUTPUTS, ArenaOutput, PlacedAllocation
from memesnipe.protocol.messages import AllocationMessage
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import decoder_of
from memesnipe.sdk.registry import Families, discover
from memesnipe.trading.arena import Arena
from memesnipe.trading.arena_shard import ArenaShard, numbered
from memesnipe.trading.execution import DeskSideState, OrderFlow, local_execution, trading_accounts
from memesnipe.trading.gate import Limits
from memesnipe.trading.ledger import LedgerPolicy
from memesnipe.trading.received_arena import ReceivedArena

BATCH = 64
CAPITAL_USD = 1_000.0
ON_DESK = 20  # strategies with an allocation
MODEL = FillModel()
LIMITS = {Account.PAPER: Limits(1e9)}
Written = tuple[ArenaOutput, list[list[bytes]]]
_SIDE = TypeAdapter(DeskSideState)
POLICIES = {Account.PAPER: LedgerPolicy(1e6, 99.0, 99.0, MODEL.dead_after_ns)}


def main(strategies: int, count: int) -> None:
    """Print the rates with one arena in the executor, and with 1, 2 and 4 in processes of their own."""
    families = discover()
    events, _ = Sequencer(60, 600).stamp(list(islice(SyntheticFeed(1).messages(0), count)))
    genomes = random_genomes(np.random.default_rng(1), families, strategies)
    on_desk = dict.fromkeys([genome.spec_id for genome in genomes[:ON_DESK]], 100.0)
    modes = dict.fromkeys(on_desk, "paper")
    joining = AllocationMessage(seq=0, added=genomes, removed=[], allocations_usd=on_desk, modes=modes)
    print(f"{strategies:,} strategies, {ON_DESK} on the desk, {count:,} events in batches of {BATCH}")
    print(f"{'arenas':>20}{'us per event of':>22}{'':>30}{'events/s':>12}")
    print(f"{'':>20}{'slowest arena':>16}{'desk: decode':>16}{'advance':>10}{'state':>10}{'possible':>12}")
    _together(families, joining, events[: 4 * BATCH])  # loads what is compiled
    together_s = _together(families, joining, events)
    print(f"{'one in the executor':>20}{together_s / count * 1e6:16.1f}{'':>36}{count / together_s:12,.0f}")
    for arenas in (1, 2, 4):
        written, shards_s = _written(families, joining, events, arenas)
        decode_s, advance_s, state_s = _desk(joining, events, written)
        slowest, desk_s = max(shards_s), decode_s + advance_s + state_s
        decode, advance, state = (seconds / count * 1e6 for seconds in (decode_s, advance_s, state_s))
        print(
            f"{arenas:>20}{slowest / count * 1e6:16.1f}{decode:16.1f}{advance:10.1f}{state:10.1f}"
            f"{count / max(slowest, desk_s):12,.0f}"
        )


def _batches(events: Events) -> list[Events]:
    return [events[start : start + BATCH] for start in range(0, len(events), BATCH)]


def _together(families: Families, joining: AllocationMessage, events: Events) -> float:
    execution = local_execution(families, MODEL, shadow_capital_usd=CAPITAL_USD, limits=LIMITS, policies=POLICIES)
    execution.apply(joining)
    started = time.process_time()
    for batch in _batches(events):
        for _ in execution.advance(batch):
            pass
    return time.process_time() - started


def _written(
    families: Families, joining: AllocationMessage, events: Events, arenas: int
) -> tuple[list[Written], list[float]]:
    """Return the answer of each arena to the allocation and its outputs, and the processor seconds of each."""
    written, shards_s = [], []
    for index in range(arenas):
        arena = Arena(families, MODEL, shadow_capital_usd=CAPITAL_USD, index=index, count=arenas)
        shard = ArenaShard(arena, ARENA_OUTPUTS[index])
        (answer,) = shard.apply(PlacedAllocation(seq=0, allocation=joining))
        started = time.process_time()
        outputs = (shard.advance(batch) for batch in _batches(events))
        written.append((numbered(answer, 1), [[encode(output) for output in batch] for batch in outputs]))
        shards_s.append(time.process_time() - started)
    return written, shards_s


def _desk(joining: AllocationMessage, events: Events, written: list[Written]) -> tuple[float, float, float]:
    """Return the processor seconds in which the desk decodes the outputs, advances over them, and stores its state."""
    received = [ReceivedArena(index, len(written)) for index in range(len(written))]
    for arena, (answer, _) in zip(received, written, strict=True):
        arena.receive(answer)
    flow = OrderFlow(received, trading_accounts(MODEL, LIMITS, POLICIES))
    for _ in flow.apply(joining):
        pass
    decode_s = advance_s = state_s = 0.0
    for number, batch in enumerate(_batches(events)):
        started = time.process_time()
        outputs = [[decoder_of(type(answer).stream)(data) for data in batches[number]] for answer, batches in written]
        decoded = time.process_time()
        for arena, found in zip(received, outputs, strict=True):
            for output in found:
                arena.receive(output)
        for _ in flow.advance(batch):
            pass
        advanced = time.process_time()
        _SIDE.dump_json(flow.side)
        decode_s, advance_s = decode_s + decoded - started, advance_s + advanced - decoded
        state_s += time.process_time() - advanced
    return decode_s, advance_s, state_s


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ("2000", "10000")))
