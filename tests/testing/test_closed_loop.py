"""The closed loop in process has the same records as the roles, which exchange messages."""

from pathlib import Path

import pytest

from benchmarks.closed_loop import run
from benchmarks.closed_loop_markets import generated_market, recorded_market
from memesnipe.config.settings import settings_from
from memesnipe.feeds.synth_market.feed import MeasuredFeed
from memesnipe.feeds.synthetic.past import first_ts_after, write_past
from memesnipe.market.events import REBALANCE
from memesnipe.market.sequencer import Sequencer
from memesnipe.roles.training_window import TrainingWindow
from memesnipe.storage.event_log import EventLog
from memesnipe.testing.closed_loop import ClosedLoop
from memesnipe.testing.simulator.machine import SLICE_EVENTS, evaluate_sample, families
from memesnipe.testing.simulator.market import MARKETS, market, write_history
from memesnipe.testing.simulator.outcome import undisturbed
from memesnipe.testing.simulator.settings import simulated_settings


@pytest.mark.parametrize("number", MARKETS[:3])
def test_the_loop_in_process_equals_the_roles(number: int, tmp_path: Path) -> None:
    settings = simulated_settings()
    sequencer = Sequencer(settings.trading.rebalance_interval_secs, settings.evolution.generation_interval_secs)
    events, rejected = sequencer.stamp(market(number))
    assert not rejected
    events["flags"][-1] |= REBALANCE  # a decision is due at the end of a feed
    log = EventLog(tmp_path / "events.bin")
    log.append(events)
    log.close()
    history = [tmp_path / "history.tape"] if number % 2 else []
    for path in history:
        write_history(number, path)
    window = TrainingWindow(
        tmp_path / "events.bin",
        settings.evolution.training_hours,
        SLICE_EVENTS,
        history,
        lambda: sequencer.mints,
    )
    loop = ClosedLoop(settings, families(), window.at, evaluate_sample)
    marks = list(loop.advance(events, dict(enumerate(sequencer.mints))))
    recorded = undisturbed(number)
    assert [(mark.seq, mark.equity_lamports) for mark in marks] == sorted(
        (row[2], row[4]) for row in recorded["equity"]
    )
    steps = sorted((step.number, step.seq, step.spec_id, step.to_mode) for step in loop.outcome.transitions)
    assert steps == sorted((row[1], row[2], row[3], row[5]) for row in recorded["lifecycle"])
    fills = [message.fill for message in loop.outcome.fills]
    assert sorted((fill.ts, fill.order.spec_id, fill.token_raw, fill.sol_lamports) for fill in fills) == sorted(
        (row[10], row[3], row[12], row[13]) for row in recorded["trades"]
    )
    assert len(fills) > 3
    assert loop.breeder.index == len(recorded["generations"])


def test_the_measured_market_is_that_of_its_feed_after_its_past() -> None:
    found = generated_market("measured", 3, 0.02, settings_from({"synthetic_past_hours": 0.05}, env_file=None))
    feed = MeasuredFeed(3, first_ts_after(0.05))
    feed.open(None)
    polled = feed.poll(len(found.events), 0.0)
    assert isinstance(polled, list)
    assert [event.message["ts"] for event in polled] == found.events["ts"].tolist()
    mints = [found.mints[token] if token >= 0 else None for token in found.events["token"].tolist()]
    assert [event.message.get("mint") for event in polled] == mints
    assert found.events["seq"].tolist() == list(range(1, len(polled) + 1))
    assert len(found.past) > 0 and found.past["ts"][-1] < found.events["ts"][0]


def test_all_of_a_tape_is_the_run(tmp_path: Path) -> None:
    write_past(tmp_path / "recorded.tape", 3, 0.1)
    found = recorded_market(tmp_path / "recorded.tape", settings_from({}, env_file=None))
    assert len(found.past) == 0 and len(found.events) > 100
    assert found.events["seq"].tolist() == list(range(1, len(found.events) + 1))
    assert (found.events["flags"] & REBALANCE).any()


def test_on_noise_the_loop_keeps_its_money() -> None:
    found = run("noise", 200, 3.0, {})
    assert found.proven == 0
    assert found.lowest_equity >= 0.995
    assert found.generations >= 17
