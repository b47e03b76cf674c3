"""The past of a synthetic market: with the events of a run it is the whole market, without a gap or an overlap."""

from itertools import islice
from pathlib import Path

import pytest

from memesnipe.feeds.choice import FeedChoice, first_ts_of
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.feeds.synthetic.past import first_ts_after, write_past
from memesnipe.market.sequencer import Sequencer
from memesnipe.tapes.tape import read_tape

HOURS, SEED, COUNT = 0.05, 7, 400


@pytest.fixture
def past(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "past.tape"
    write_past(path, SEED, HOURS)
    return path


def test_past_and_run_are_the_whole_market(past: Path) -> None:
    tape = read_tape(past)
    assert len(tape.events) > 100
    later = SyntheticFeed(SEED, first_ts=first_ts_after(HOURS)).messages(0)
    messages = [*tape.messages(), *islice(later, COUNT)]
    whole = list(islice(SyntheticFeed(SEED).messages(0), len(messages)))
    ours, theirs = (Sequencer(60, 600).stamp(one)[0] for one in (messages, whole))
    assert ours.tobytes() == theirs.tobytes()


def test_a_run_with_a_past_continues_from_any_position(tmp_path: Path) -> None:
    first_ts = first_ts_after(HOURS)
    expected = list(islice(SyntheticFeed(SEED, first_ts=first_ts).messages(0), COUNT))
    assert expected[0]["ts"] >= first_ts
    feed = SyntheticFeed(SEED, tmp_path / "checkpoints", every=50, first_ts=first_ts)
    assert list(islice(feed.messages(0), COUNT)) == expected
    again = SyntheticFeed(SEED, tmp_path / "checkpoints", every=50, first_ts=first_ts)
    for position in (0, 49, 151, COUNT - 1):
        assert list(islice(again.messages(position), COUNT - position)) == expected[position:]


def test_a_choice_with_a_past_begins_after_it_and_is_another_market() -> None:
    choice = FeedChoice("synthetic", 60.0, seed=SEED, past_hours=HOURS)
    assert first_ts_of(choice) == first_ts_after(HOURS)
    assert choice.identity != FeedChoice("synthetic", 60.0, seed=SEED).identity
