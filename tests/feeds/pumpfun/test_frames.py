"""A frame is a notification, a reply, or counted as not understood; nothing raises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.feeds.pumpfun.frames import Notification, NotUnderstood, RequestError, Subscribed, parse_frame
from memesnipe.testing.pumpfun_frames import notification, subscribed


def test_a_notification_has_slot_signature_and_logs() -> None:
    assert parse_frame(notification(5, "sig", ["a", "b"])) == Notification(5, "sig", False, ["a", "b"])
    assert parse_frame(notification(5, "sig", [], err={"InstructionError": [3, {"Custom": 7}]})) == Notification(
        5, "sig", True, []
    )


def test_replies_are_told_apart() -> None:
    assert parse_frame(subscribed(13117691, 4)) == Subscribed(4, 13117691)
    refused = {"jsonrpc": "2.0", "id": 4, "error": {"code": -32601, "message": "Method not found"}}
    assert parse_frame(json.dumps(refused)) == RequestError(4, -32601, "Method not found")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "null",
        '{"method":"slotNotification","params":{"result":{"slot":1}}}',
        '{"jsonrpc":"2.0","id":1,"result":true}',
        notification(2**32, "slot beyond a record", []),
        notification(-1, "sig", []),
        json.dumps({"method": "logsNotification", "params": {"result": {"context": {"slot": 1}}}}),
        '{"result":' + "[" * 5000 + "]" * 5000 + "}",
        "\ud800",
        17,
        None,
    ],
)
def test_anything_else_is_not_understood(text) -> None:
    assert isinstance(parse_frame(text), NotUnderstood)


@given(st.one_of(st.text(), st.binary(), st.recursive(st.none() | st.integers(), st.lists).map(json.dumps)))
def test_no_text_raises(text) -> None:
    parse_frame(text)
