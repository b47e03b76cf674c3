"""A market on websockets may stop and go on: every message is sent once, in order, and its times go on too."""

from itertools import islice

from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.testing.live_market import LiveMarket
from memesnipe.testing.pumpfun_market import carried
from tests.system.installation import wait_for

SPEED = 20.0


def test_a_market_that_stopped_goes_on_with_its_next_message() -> None:
    messages = list(islice(SyntheticFeed(7).messages(0), 300))
    expected = [content for message in messages if (content := carried(message)) is not None]
    with LiveMarket(messages, SPEED) as market:
        market.start()
        wait_for("some of them", lambda: len(market.sent) > 10)
        market.stop()
        assert len(market.sent) < len(expected)
        market.start()
        wait_for("all of them", lambda: len(market.sent) == len(expected))
    without_times = [{**message, "ts": 0} for message in market.sent]
    assert without_times == [{**message, "ts": 0} for message in expected]
    times = [message["ts"] for message in market.sent]
    assert times == sorted(times)
