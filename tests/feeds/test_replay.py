from pathlib import Path

import pytest

from memesnipe.errors import InputError, TapeError
from memesnipe.feeds.base import END, FeedEvent
from memesnipe.feeds.choice import FeedChoice, make_feed
from memesnipe.feeds.replay import ReplayFeed
from memesnipe.market.sequencer import Sequencer
from memesnipe.tapes.tape import Tape, write_tape
from tests.support import Market


@pytest.fixture
def market() -> Market:
    return Market().trade(1, "A").talk(2, "A").trade(3, "B", sol=0.5).trade(4, "A", sol=-0.2).talk(70, "B")


def _choice(market: Market, path: Path) -> FeedChoice:
    sequencer = Sequencer(60, 600)
    events, _ = sequencer.stamp(market.raw)
    write_tape(path, Tape(events, sequencer.mints))
    return FeedChoice("replay", 0.0, tape=str(path))


def test_a_replay_yields_the_recorded_market(market: Market, tmp_path: Path) -> None:
    feed = make_feed(_choice(market, tmp_path / "a.tape"))
    assert feed.total == len(market.raw)
    feed.open(None)
    assert feed.poll(3, 0.0) == [FeedEvent(message, n) for n, message in enumerate(market.raw[:3], 1)]
    assert [event.message for event in feed.poll(99, 0.0)] == market.raw[3:]
    assert [feed.poll(99, 0.0) for _ in range(2)] == [END, END]
    assert Sequencer(60, 600).stamp(market.raw)[0].tobytes() == market.events().tobytes()


@pytest.mark.parametrize("position", [0, 1, 4, 5])
def test_a_replay_continues_after_its_token(market: Market, tmp_path: Path, position: int) -> None:
    feed = make_feed(_choice(market, tmp_path / "a.tape"))
    feed.open(position)
    rest = feed.poll(99, 0.0) if position < 5 else []
    assert rest == [FeedEvent(message, n) for n, message in enumerate(market.raw, 1)][position:]
    assert feed.poll(99, 0.0) is END


def test_a_replay_is_identified_by_the_content_of_its_tape(market: Market, tmp_path: Path) -> None:
    one, other = _choice(market, tmp_path / "a.tape"), _choice(market, tmp_path / "b.tape")
    assert one.identity == other.identity
    assert one.identity != _choice(market.trade(80), tmp_path / "c.tape").identity


def test_unknown_feeds_and_missing_tapes_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="synthetic, measured, replay"):
        make_feed(FeedChoice("bloomberg", 0.0))
    with pytest.raises(TapeError):
        make_feed(FeedChoice("replay", 0.0, tape=str(tmp_path / "none")))


def test_a_replay_has_the_assumptions_of_its_tape(market: Market, tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    sequencer = Sequencer(60, 600)
    events, _ = sequencer.stamp(market.raw)
    write_tape(path, Tape(events, sequencer.mints, {"pools": {"pools": 2}}))
    feed = make_feed(FeedChoice("replay", 0.0, tape=str(path)))
    assert isinstance(feed, ReplayFeed)
    assert feed.assumptions == {"pools": {"pools": 2}}
