"""The measured market as a feed: the market of `memesnipe synth`, resumed after any event, with a past of its own."""

from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.cli.feed_choice import feed_choice
from memesnipe.errors import InputError
from memesnipe.feeds.base import END, FeedEvent
from memesnipe.feeds.choice import FeedChoice, first_ts_of, make_feed, write_past_of
from memesnipe.feeds.synth_market import feed as feed_module
from memesnipe.feeds.synth_market.feed import MeasuredFeed, measured_market
from memesnipe.feeds.synth_market.market import START_TS, SynthMarket
from memesnipe.market.events import NS_PER_S, join
from memesnipe.market.sequencer import Sequencer
from memesnipe.tapes.tape import Tape, read_tape

SEED, COUNT, PAST_HOURS = 7, 6_000, 0.1
FIRST = FeedChoice("measured", 1.0, seed=SEED)


def _poll_all(feed: MeasuredFeed, count: int, limit: int = 512) -> list[FeedEvent]:
    found: list[FeedEvent] = []
    while len(found) < count:
        polled = feed.poll(min(limit, count - len(found)), 0.0)
        assert isinstance(polled, list)
        found += polled
    return found


@pytest.fixture(scope="module")
def whole() -> list[FeedEvent]:
    feed = MeasuredFeed(SEED)
    feed.open(None)
    return _poll_all(feed, COUNT)


def test_the_feed_is_the_market_of_synth(whole: list[FeedEvent]) -> None:
    market = SynthMarket(SEED, 21_800 * 60, 24.0 * 60)
    events, mints = market.with_mints(join(*islice(market.windows(600.0), 3)))
    assert [event.message for event in whole] == list(Tape(events[:COUNT], mints).messages())


def test_every_event_is_accepted(whole: list[FeedEvent]) -> None:
    events, rejected = Sequencer(60, 600).stamp([event.message for event in whole])
    assert not rejected
    assert len(events) == COUNT
    assert len(set(events["kind"].tolist())) >= 5


@settings(max_examples=15, deadline=None)
@given(st.integers(1, COUNT - 50), st.integers(1, 700))
def test_the_feed_continues_after_any_token_whatever_is_polled(
    whole: list[FeedEvent], position: int, limit: int
) -> None:
    feed = MeasuredFeed(SEED)
    feed.open(whole[position - 1].token)
    assert _poll_all(feed, 50, limit) == whole[position : position + 50]


def test_a_resumed_feed_has_the_trades_of_tokens_launched_days_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "LAUNCHES_A_DAY", 100)
    monkeypatch.setattr(feed_module, "DAYS", 4)
    feed = MeasuredFeed(SEED)
    feed.open([3 * 24 * 60, 0])
    resumed: list[Any] = []
    while (polled := feed.poll(512, 0.0)) is not END:
        assert isinstance(polled, list)
        resumed += [event.message for event in polled]
    market = measured_market(SEED)
    start_ts = START_TS + 3 * 86_400 * NS_PER_S
    events, mints = market.with_mints(market.window(start_ts, market.environment.end_ts))
    assert resumed == list(Tape(events, mints).messages())
    old = {market.mint(token) for token in range(int((market.launches < start_ts).sum()))}
    assert any(message.get("mint") in old for message in resumed)
    assert [feed.poll(512, 0.0) for _ in range(2)] == [END, END]


def test_the_past_and_the_run_are_the_whole_market(whole: list[FeedEvent], tmp_path: Path) -> None:
    choice = FeedChoice("measured", 1.0, seed=SEED, past_hours=PAST_HOURS)
    write_past_of(choice, tmp_path / "folder" / "past.tape")
    tape = read_tape(tmp_path / "folder" / "past.tape")
    assert len(tape.events) > 100
    assert "seed 7" in tape.assumptions["synthetic"]
    feed = make_feed(choice)
    feed.open(None)
    later = feed.poll(COUNT - len(tape.events), 0.0)
    assert isinstance(later, list)
    assert [*tape.messages(), *(event.message for event in later)] == [event.message for event in whole]
    assert later[0].message["ts"] >= (first_ts_of(choice) or 0) == START_TS + int(PAST_HOURS * 3600) * NS_PER_S


def test_a_choice_names_seed_and_past_and_runs_at_real_speed_unless_told() -> None:
    assert FIRST.identity == "measured:7"
    assert FIRST.identity != FeedChoice("measured", 1.0, seed=SEED, past_hours=6.0).identity
    assert feed_choice("measured", None, None, until_end=False).speed == 1.0
    assert feed_choice("measured", None, "60", until_end=False).speed == 60.0
    with pytest.raises(InputError, match="synthetic and measured are whole markets; choose one of them"):
        feed_choice("synthetic,measured", None, None, until_end=False)


def test_the_feed_says_that_its_market_is_generated() -> None:
    assert "no trade of it was ever made" in make_feed(FIRST).assumptions["synthetic"]
