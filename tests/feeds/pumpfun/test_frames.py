"""A frame is a notification, a reply, or counted as not understood; nothing raises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.feeds.pumpfun.decoder import Decoder
from memesnipe.feeds.pumpfun.frames import Notification, NotUnderstood, RequestError, Subscribed, parse_frame
from memesnipe.testing.pumpfun_frames import logs_of, notification, subscribed, transaction_notification
from tests.feeds.pumpfun.chain import CREATE, TOKEN, Curve


def test_a_notification_has_slot_signature_and_logs() -> None:
    assert parse_frame(notification(5, "sig", ["a", "b"])) == Notification(5, "sig", False, ["a", "b"])
    assert parse_frame(notification(5, "sig", [], err={"InstructionError": [3, {"Custom": 7}]})) == Notification(
        5, "sig", True, []
    )


def test_a_transaction_of_helius_is_the_same_notification() -> None:
    events = [CREATE, Curve().buy(TOKEN)]
    logs = logs_of(events)
    assert parse_frame(transaction_notification(5, "sig", logs, events)) == Notification(5, "sig", False, logs)
    failed = parse_frame(transaction_notification(5, "sig", logs, events, err={"InstructionError": [3, "Custom"]}))
    assert failed == Notification(5, "sig", True, logs)


def test_cut_logs_of_helius_are_completed_by_the_inner_instructions_beside_them() -> None:
    events = [CREATE, Curve().buy(TOKEN)]
    whole = logs_of(events)
    frame = parse_frame(transaction_notification(5, "sig", [*whole[:3], "Log truncated"], events))
    assert isinstance(frame, Notification)
    assert frame.lines is not None
    assert not frame.is_truncated
    found = Decoder().decode_lines(5, frame.lines).events
    assert len(found) == 2
    assert found == Decoder().decode(5, whole).events


@pytest.mark.parametrize("inner", ["null", "17", '[{"instructions": [{"programId": 1}]}]', None])
def test_cut_logs_stay_cut_where_helius_sends_no_inner_instructions(inner) -> None:
    text = json.loads(transaction_notification(5, "sig", ["Log truncated"]))
    meta = text["params"]["result"]["transaction"]["meta"]
    del meta["innerInstructions"]
    if inner is not None:
        meta["innerInstructions"] = json.loads(inner)
    frame = parse_frame(json.dumps(text))
    assert isinstance(frame, Notification)
    assert frame.is_truncated


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
        '{"method":"transactionNotification","params":{"result":{"slot":1,"signature":"s"}}}',
        '{"method":"transactionNotification","params":{"result":{"transaction":{"meta":{"err":null,"logMessages":[]}}}}}',
        '{"method":"transactionNotification","params":{"result":{"slot":1,"signature":"s","transaction":{"meta":null}}}}',
        transaction_notification(2**32, "slot beyond a record", []),
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
