"""A subscription that stops while another one of its connection delivers is noticed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.feeds.subscriptions import Subscriptions, subscription_of
from memesnipe.testing.pumpfun_frames import notification
from tests.feeds.pumpfun.recorded import needs_frames, recorded_frames

LIMIT_S = 60.0


def frame(subscription: int, text: str = "x") -> str:
    """Return a notification, with its id behind the content."""
    return json.dumps({"method": "logsNotification", "params": {"result": text, "subscription": subscription}})


def test_a_subscription_that_stopped_is_named_once_others_are_late_enough() -> None:
    subscriptions = Subscriptions(LIMIT_S)
    assert subscriptions.stopped(frame(1), 0.0) == ""
    assert subscriptions.stopped(frame(2), 10.0) == ""
    assert subscriptions.stopped(frame(2), 59.9) == ""
    assert subscriptions.stopped(frame(2), 60.0) == "1"


def test_one_that_delivers_seldom_is_not_missed() -> None:
    subscriptions = Subscriptions(LIMIT_S)
    for second in range(0, 600, 5):
        assert subscriptions.stopped(frame(1 if second % 55 == 0 else 2), float(second)) == ""


def test_one_that_never_delivered_is_not_known() -> None:
    subscriptions = Subscriptions(LIMIT_S)
    assert not any(subscriptions.stopped(frame(1), second) for second in (0.0, 100.0, 200.0))


@given(st.integers(0, 2**64 - 1), st.text(), st.booleans())
def test_the_id_is_read_whatever_the_content_says(subscription, text, before) -> None:
    parts = {"subscription": subscription}, {"result": {"logs": [text, '"subscription":7', '\\"subscription":8}']}}
    params = parts[0] | parts[1] if before else parts[1] | parts[0]
    assert subscription_of(json.dumps({"method": "logsNotification", "params": params})) == str(subscription)


@pytest.mark.parametrize("given", ["", "{}", b"\xff", '{"jsonrpc":"2.0","id":1,"result":5}', '"subscription":'])
def test_other_frames_have_none(given) -> None:
    assert subscription_of(given) == ""


def test_a_made_frame_has_one() -> None:
    assert subscription_of(notification(1, "s", [], subscription=12)) == "12"


@needs_frames
def test_every_recorded_notification_has_one() -> None:
    frames = [(one, json.loads(one)) for one in recorded_frames()]
    notifications = [(one, read["params"]["subscription"]) for one, read in frames if "params" in read]
    assert len(notifications) > 100
    assert all(subscription_of(one) == str(number) for one, number in notifications)
