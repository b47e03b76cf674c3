"""A changed protocol is noticed, said with its program and reason, and forgiven only when it has passed."""

import pytest

from memesnipe.feeds.pumpfun.decoder import UNDECODABLE, UNKNOWN, Decoder, Transaction, Unread
from memesnipe.feeds.pumpfun.frames import Notification, parse_frame
from memesnipe.feeds.pumpfun.programs import PUMP, PUMP_AMM
from memesnipe.feeds.pumpfun.rules import is_exact
from memesnipe.feeds.pumpfun.sentinel import MAX_COINS, MIN_EVENTS, WINDOW, Sentinel
from memesnipe.testing.pumpfun_frames import data_line, encode_event, invocation, key_of
from tests.feeds.pumpfun.chain import CREATE, MINT, SOL, TOKEN, Curve, changed, pool_buy, pool_sell, transaction
from tests.feeds.pumpfun.recorded import needs_frames, recorded_frames

OTHER_NAME = Unread(PUMP, UNKNOWN, "discriminator 0102030405060708")


def observe(sentinel: Sentinel, count: int, curve: Curve | None = None) -> None:
    """Let the sentinel see so many good trades."""
    curve = curve or Curve(key_of("good"))
    for _ in range(count):
        sentinel.observe(transaction(curve.buy(TOKEN)))


@needs_frames
def test_recorded_frames_are_trusted_and_their_ordinary_trades_are_exact() -> None:
    decoder, sentinel, exact = Decoder(), Sentinel(), []
    for text in recorded_frames() * 5:  # a repetition contradicts the reserves before
        frame = parse_frame(text)
        if isinstance(frame, Notification) and not frame.is_failed:
            found = decoder.decode(frame.slot, frame.logs)
            sentinel.observe(found)
            exact += [is_exact(e) for e in found.events if hasattr(e, "mayhem_mode") and not e.mayhem_mode]
    assert (len(exact), sum(exact)) == (85 * 5, 85 * 5)
    assert not sentinel.is_untrusted
    assert sentinel.message == ""


def test_exact_market_is_trusted() -> None:
    sentinel = Sentinel()
    curve = Curve()
    sentinel.observe(transaction(CREATE))
    for n in range(2 * WINDOW):
        sentinel.observe(transaction(curve.buy(3 * TOKEN) if n % 3 else curve.sell(TOKEN)))
        sentinel.observe(transaction(pool_buy(TOKEN, 10**14, 80 * SOL, -SOL), pool_sell(TOKEN, 10**14, 80 * SOL, SOL)))
    assert not sentinel.is_untrusted


def test_a_new_discriminator_in_place_of_a_trade_is_noticed() -> None:
    sentinel = Sentinel()
    observe(sentinel, WINDOW)
    renamed = Transaction(1, [], [OTHER_NAME], [], is_complete=True)
    for _ in range(WINDOW // 20):
        sentinel.observe(renamed)
    assert not sentinel.is_untrusted
    sentinel.observe(renamed)
    assert sentinel.is_untrusted
    assert sentinel.message == (
        "protocol changed: pump.fun: 21 of the last 400 events are unknown discriminator, "
        "mostly discriminator 0102030405060708 (21)"
    )


def test_it_is_trusted_again_when_the_share_is_far_below_the_limit() -> None:
    sentinel = Sentinel()
    for _ in range(WINDOW):
        sentinel.observe(Transaction(1, [], [OTHER_NAME], [], is_complete=True))
    observe(sentinel, WINDOW - 6)
    assert sentinel.is_untrusted  # at 6 of 400: below the limit of 5 %, above a quarter of it
    observe(sentinel, 2)
    assert not sentinel.is_untrusted


def test_few_events_are_not_judged() -> None:
    sentinel = Sentinel()
    unread = Transaction(
        1, [], [Unread(PUMP_AMM, UNDECODABLE, "BuyEvent: 9 bytes end before pool")], [], is_complete=True
    )
    for _ in range(MIN_EVENTS - 1):
        sentinel.observe(unread)
    assert not sentinel.is_untrusted
    sentinel.observe(unread)
    assert "PumpSwap" in sentinel.message
    assert "BuyEvent: 9 bytes end before pool" in sentinel.message


def test_an_inserted_field_is_noticed_although_the_bytes_decode() -> None:
    """Eight bytes inserted after the mint shift every later field."""
    sentinel, decoder, curve = Sentinel(), Decoder(), Curve()
    for _ in range(MIN_EVENTS):
        data = encode_event(curve.buy(TOKEN))
        shifted = data[:40] + bytes(8) + data[40:]
        found = decoder.decode(1, invocation(PUMP, [data_line(shifted)]))
        assert found.events
        sentinel.observe(found)
    assert sentinel.is_untrusted
    assert "TradeEvent: sol_amount and virtual reserves" in sentinel.message


@pytest.mark.parametrize("trade", [pool_buy, pool_sell])
def test_a_pool_trade_that_contradicts_its_reserves_is_noticed(trade) -> None:
    sentinel = Sentinel()
    for _ in range(MIN_EVENTS):
        event = trade(10**12, 10**14, 80 * SOL)
        sentinel.observe(transaction(changed(event, quote_amount=event.quote_amount * 102 // 100)))
    assert "contradict their own reserves" in sentinel.message


def test_trades_that_do_not_continue_are_noticed_but_not_across_a_gap() -> None:
    gapped, noticed = Sentinel(), Sentinel()
    for n in range(2 * MIN_EVENTS):
        curve = Curve()
        curve.sol += n
        event = curve.buy(TOKEN)
        noticed.observe(transaction(event))
        gapped.observe(Transaction(1, [event], [], [], is_complete=False))
    assert noticed.is_untrusted
    assert "TradeEvent: virtual reserves" in noticed.message
    assert not gapped.is_untrusted


def test_mayhem_coins_are_not_judged() -> None:
    sentinel = Sentinel()
    for _ in range(WINDOW):
        sentinel.observe(transaction(changed(Curve().buy(TOKEN), mayhem_mode=True, sol_amount=1)))
    assert not sentinel.is_untrusted


def test_remembered_reserves_are_bounded() -> None:
    sentinel = Sentinel()
    for n in range(MAX_COINS + 5):
        sentinel.observe(transaction(changed(CREATE, mint=MINT[:28] + n.to_bytes(4, "big"))))
    assert len(sentinel._last) == MAX_COINS


def test_a_trade_that_arrives_late_is_not_compared_with_later_ones() -> None:
    sentinel, curve = Sentinel(), Curve()
    trades = [curve.buy(TOKEN) for _ in range(2 * MIN_EVENTS)]
    for n, trade in enumerate(trades[1:], start=1):
        sentinel.observe(transaction(trade, slot=n))
        sentinel.observe(transaction(trades[0], slot=0))
    assert not any(share.reasons for share in sentinel._shares.values())


def test_what_follows_a_cut_transaction_is_not_compared_with_its_events() -> None:
    sentinel, curve = Sentinel(), Curve()
    first, _, third = (curve.buy(TOKEN) for _ in range(3))
    sentinel.observe(transaction(CREATE, first)._replace(is_complete=False))
    sentinel.observe(transaction(third))
    assert not any(share.reasons for share in sentinel._shares.values())
