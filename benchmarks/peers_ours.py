"""MemeSnipe: one backtest of a population of genomes over the whole market."""

from importlib.metadata import version
from itertools import islice

import numpy as np
from peers_tape import CASH_USD, PARAMS, Array, Prepared, Tape

from memesnipe.engine.backtest import backtest
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import EVENT, PRICE, Events, rows
from memesnipe.market.sequencer import Sequencer
from memesnipe.sdk import BUY
from memesnipe.sdk.registry import Families, discover

FAMILY = "momentum_5m"


def prepare(tape: Tape) -> Prepared:
    """Turn the parameter sets into genomes."""
    families = discover()
    events: Events = tape.market.view(EVENT).ravel()
    events.setflags(write=False)
    genomes = [_genome(row) for row in tape.params]

    def run() -> int:
        return sum(result.trades for result in backtest(events, genomes, families, FillModel(), CASH_USD))

    return Prepared(version("memesnipe"), lambda: _count_buys(events, families), run)


def make_tape(seed: int, count: int, sets: int) -> Tape:
    """Return ``count`` events of the synthetic market, and parameter sets drawn from the strategy's ranges."""
    events, rejected = Sequencer(60, 300).stamp(list(islice(SyntheticFeed(seed).messages(0), count)))
    if rejected:
        raise SystemExit(f"the sequencer rejected an event: {rejected[0].reason}")
    trades = events[events["kind"] == PRICE]
    trades = trades[np.argsort(trades["token"], kind="stable")]
    starts = np.flatnonzero(np.diff(trades["token"], prepend=-1, append=-1))
    names = ("ts", "price_usd", "volume_usd", "side")
    market = events.view(np.uint8).reshape(-1, EVENT.itemsize)
    return Tape(*(trades[name].copy() for name in names), starts=starts, params=_draw(seed, sets), market=market)


def _draw(seed: int, sets: int) -> Array:
    declared = [discover()[FAMILY].params[name] for name in PARAMS]
    shares = np.random.default_rng(seed).random((sets, len(PARAMS)))
    drawn = [[param.at(share) for param, share in zip(declared, row, strict=True)] for row in shares]
    drawn[0] = [param.default for param in declared]
    return np.array(drawn)


def _genome(row: Array) -> Genome:
    params = dict(zip(PARAMS, map(float, row), strict=True))
    return Genome(
        signals=(SignalGene(FAMILY, params, 1.0),),
        threshold=0.5,
        size=0.1,
        exits=ExitGenes(stop_loss=0.3, take_profit=1.0, trailing_stop=0.3, max_hold_s=1800.0),
        filters=FilterGenes(min_liquidity_usd=0.0, min_age_s=0.0),
    )


def _count_buys(events: Events, families: Families) -> int:
    strategy = families[FAMILY]
    params = strategy.make_params({})
    states = {token: strategy.make_state() for token in np.unique(events["token"]).tolist()}
    trades = events[events["kind"] == PRICE]
    return sum(strategy.on_event(params, states[event.token], event) == BUY for event in rows(trades))
