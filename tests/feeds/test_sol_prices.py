"""The price of SOL from Pyth and from Jupiter: what is accepted, and why the rest is rejected."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from memesnipe.feeds.base import IDLE, Feed
from memesnipe.feeds.decoded import UnusableError
from memesnipe.feeds.jupiter import JupiterDecoder, jupiter_feed
from memesnipe.feeds.pyth import SOL_USD_ID, PythDecoder, pyth_feed
from memesnipe.feeds.sol_price import COMPARED_S, SOL_MINT, LastSolPrice, sol_price_message
from memesnipe.market.record_rules import error_of
from memesnipe.testing.event_stream_server import EventStreamServer
from memesnipe.testing.polled_server import PolledServer
from tests.feeds.harness import wait_until

NOW_S = 1_793_000_000
NOW_NS = NOW_S * 10**9
RECORDED = Path(__file__).parents[3] / "shared/data/wire/jupiter/price_v3.json"


def pyth(price: Any = "14312345678", conf: Any = "5000000", expo: Any = -8, at: Any = NOW_S, feed: str = SOL_USD_ID):
    value = {"price": price, "conf": conf, "expo": expo, "publish_time": at}
    return json.dumps(
        {"binary": {"encoding": "hex", "data": []}, "parsed": [{"id": feed, "price": value, "ema_price": value}]}
    )


def jupiter(price: Any = 143.12, block: Any = 430_544_445, mint: str = SOL_MINT) -> str:
    return json.dumps({mint: {"usdPrice": price, "blockId": block, "decimals": 9, "priceChange24h": 1.9}})


def test_an_update_of_pyth_is_a_price_of_its_time() -> None:
    [message] = PythDecoder(lambda: NOW_NS)(pyth())
    assert message == sol_price_message(NOW_NS, 143.12345678)
    assert error_of(message) is None


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("", "malformed"),
        (b"\xff", "malformed"),
        ("[" * 100_000, "malformed"),
        ("{}", "malformed"),
        (pyth(price=14312345678), "malformed"),
        (pyth(price="1e9"), "malformed"),
        (pyth(price="9" * 5000), "malformed"),
        (pyth(expo=10**9), "malformed"),
        (pyth(expo=-400), "malformed"),
        (pyth(at="now"), "malformed"),
        (pyth(feed="72b0"), "without SOL"),
        ('{"parsed": []}', "without SOL"),
        (pyth(price="0"), "implausible price"),
        (pyth(price="-14312345678"), "implausible price"),
        (pyth(expo=0), "implausible price"),
        (pyth(conf="-1"), "implausible price"),
        (pyth(conf="143200000"), "uncertain price"),
        (pyth(at=NOW_S - 11), "old price"),
        (pyth(at=NOW_S + 11), "price of the future"),
    ],
)
def test_an_update_of_pyth_without_a_usable_price_has_a_reason(payload, reason) -> None:
    with pytest.raises(UnusableError) as caught:
        PythDecoder(lambda: NOW_NS)(payload)
    assert str(caught.value) == reason


def test_updates_of_pyth_that_are_repeated_or_out_of_order_are_rejected() -> None:
    decode = PythDecoder(lambda: NOW_NS)
    assert decode(pyth())
    assert decode(pyth(price="14312345679")), "another price in the same second"
    for payload, reason in ((pyth(price="14312345679"), "repeated"), (pyth(at=NOW_S - 1), "out of order")):
        with pytest.raises(UnusableError, match=reason):
            decode(payload)
    assert decode(pyth(at=NOW_S + 1))


def test_a_response_of_jupiter_is_a_price_of_now() -> None:
    [message] = JupiterDecoder(lambda: NOW_NS)(jupiter())
    assert message == sol_price_message(NOW_NS, 143.12, 430_544_445)
    assert error_of(message) is None


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded responses are not here")
def test_the_recorded_response_of_jupiter_is_decoded() -> None:
    body = json.loads(RECORDED.read_text())["body"]
    [message] = JupiterDecoder(lambda: NOW_NS)(json.dumps(body))
    assert (message["sol_usd"], message["slot"]) == (body[SOL_MINT]["usdPrice"], body[SOL_MINT]["blockId"])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("<html>", "malformed"),
        ("[]", "malformed"),
        (jupiter(price="143"), "malformed"),
        (jupiter(block=-1), "malformed"),
        (jupiter(block=1 << 32), "malformed"),
        ("{}", "without SOL"),
        (jupiter(mint="other"), "without SOL"),
        (json.dumps({SOL_MINT: None}), "without SOL"),
        (jupiter(price=1e300), "implausible price"),
        (jupiter(price=0), "implausible price"),
    ],
)
def test_a_response_of_jupiter_without_a_price_has_a_reason(payload, reason) -> None:
    with pytest.raises(UnusableError) as caught:
        JupiterDecoder(lambda: NOW_NS)(payload)
    assert str(caught.value) == reason


def test_a_price_of_jupiter_of_an_earlier_slot_is_no_new_one() -> None:
    decode = JupiterDecoder(lambda: NOW_NS)
    assert decode(jupiter(block=10))
    for block, reason in ((10, "repeated"), (9, "out of order")):
        with pytest.raises(UnusableError, match=reason):
            decode(jupiter(block=block))
    assert decode(jupiter(block=None))[0]["slot"] == 0


def poll(feed: Feed) -> list[Any]:
    while (polled := feed.poll(10, 10.0)) is IDLE:
        pass
    assert isinstance(polled, list)
    return [event.message for event in polled]


def test_the_feed_of_pyth_sends_its_key_and_keeps_the_last_price() -> None:
    last = LastSolPrice()
    with EventStreamServer() as server:
        feed = pyth_feed(server.url, "key8", lambda decode: last.noting("pyth", PythDecoder(lambda: NOW_NS)))
        feed.open(None)
        try:
            assert last.usd() == 0.0
            server.send(pyth(), "nonsense", pyth(price="14400000000", at=NOW_S + 1))
            found = poll(feed)
            while len(found) < 2:
                found += poll(feed)
            assert last.usd() == found[-1]["sol_usd"] == 144.0
            assert feed.statuses()[0].rejected == {"malformed": 1}
            path, headers = server.requests[0]
            assert headers["authorization"] == "Bearer key8"
            assert path.startswith("/v2/updates/price/stream?")
            assert f"={SOL_USD_ID}&parsed=true" in path
            assert "key8" not in repr(feed.statuses())
        finally:
            feed.close()


@pytest.mark.parametrize(("key", "sent"), [(None, None), ("key9", "key9")])
def test_the_feed_of_jupiter_sends_a_key_if_there_is_one(key, sent) -> None:
    with PolledServer() as server:
        server.send(jupiter())
        feed = jupiter_feed(server.url, key)
        feed.open(None)
        try:
            assert poll(feed)[0]["sol_usd"] == 143.12
        finally:
            feed.close()
    path, headers = server.requests[0]
    assert path == f"/price/v3?ids={SOL_MINT}"
    assert headers.get("x-api-key") == sent


def test_an_old_price_of_sol_is_not_used() -> None:
    now = [50.0]
    last = LastSolPrice(max_age_s=10.0, clock=lambda: now[0])
    assert last.usd() == 0.0
    last.noting("jupiter", JupiterDecoder(lambda: NOW_NS))(jupiter())
    now[0] += 10.0
    assert last.usd() == 143.12
    now[0] += 0.1
    assert last.usd() == 0.0


def test_a_price_far_from_that_of_another_source_is_put_aside_and_said() -> None:
    now = [50.0]
    last = LastSolPrice(clock=lambda: now[0])
    one, two = last.noting("pyth", PythDecoder(lambda: NOW_NS)), last.noting("jupiter", JupiterDecoder(lambda: NOW_NS))
    assert one(pyth(price="14000000000"))
    assert two(jupiter(price=142.7, block=1)), "less than the limit"
    assert last.usd() == 142.7
    with pytest.raises(UnusableError, match=r"^deviates from another source$"):
        two(jupiter(price=143.0, block=2))
    assert last.usd() == 142.7
    assert last.warning("jupiter") == "prices are put aside: 143.00 USD is 2.1% from the 140.00 of pyth"
    assert last.warning("pyth") == ""
    assert one(pyth(price="14200000000", at=NOW_S + 1)), "it is compared with the last price that was accepted"
    assert two(jupiter(price=143.0, block=3))
    assert last.warning("jupiter") == ""
    now[0] += COMPARED_S + 0.1
    assert two(jupiter(price=200.0, block=4)), "nothing recent contradicts it"


def test_a_deviation_is_in_the_status_of_its_feed() -> None:
    last = LastSolPrice()
    last.noting("pyth", PythDecoder(lambda: NOW_NS))(pyth(price="10000000000"))
    with PolledServer() as server:
        server.send(jupiter())
        feed = jupiter_feed(server.url, None, partial(last.noting, "jupiter"), partial(last.warning, "jupiter"))
        feed.open(None)
        try:
            wait_until(lambda: feed.poll(1, 0.01) is IDLE and feed.statuses()[0].warning)
            [status] = feed.statuses()
            assert status.rejected == {"deviates from another source": 1}
            assert status.warning.startswith("prices are put aside: 143.12 USD is 43.1% from the 100.00 of pyth")
            assert status.error == ""
        finally:
            feed.close()
