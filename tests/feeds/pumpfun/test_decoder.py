"""Events are decoded from recorded frames and samples; what is not understood is counted."""

import base64
import csv
import gzip
import json
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from memesnipe.feeds.pumpfun.chain_events import CompleteEvent, CreateEvent, SellEvent, TradeEvent
from memesnipe.feeds.pumpfun.decoder import UNDECODABLE, UNKNOWN, Decoder, Transaction
from memesnipe.feeds.pumpfun.frames import Notification, parse_frame
from memesnipe.feeds.pumpfun.layouts import LAYOUTS
from memesnipe.feeds.pumpfun.programs import OTHER_EVENTS, PUMP, PUMP_AMM
from memesnipe.testing.pumpfun_frames import data_line, encode_event, invocation, key_of, logs_of
from tests.feeds.pumpfun.recorded import (
    SAMPLES,
    TRADES,
    needs_frames,
    needs_samples,
    needs_trades,
    recorded_frames,
)

TRADE = TradeEvent(
    key_of("m"), 10**9, 10**12, True, key_of("u"), 1_790_000_000, 31 * 10**9, 10**15, 10**9, 7 * 10**14, 95
)
SELL = SellEvent(1_790_000_000, 10**9, 10**14, 80 * 10**9, 10**6, 20, 5, 10**6 - 2000, key_of("p"), key_of("u"))
LAYOUT_OF_TRADE = LAYOUTS[PUMP][bytes.fromhex("bddb7fd34ee661ee")]


def decoded(*data: bytes, program: str = PUMP) -> tuple[Transaction, Decoder]:
    decoder = Decoder()
    return decoder.decode(1, invocation(program, [data_line(one) for one in data])), decoder


@needs_frames
def test_recorded_frames_have_their_events_and_the_trades_follow_from_each_other() -> None:
    decoder = Decoder()
    last: dict[bytes, tuple[int, int]] = {}
    steps: Counter[tuple[bool, bool]] = Counter()
    for text in recorded_frames():
        frame = parse_frame(text)
        if not isinstance(frame, Notification) or frame.is_failed:
            continue
        transaction = decoder.decode(frame.slot, frame.logs)
        assert transaction.is_complete
        for event in transaction.events:
            if isinstance(event, CreateEvent):
                last[event.mint] = (event.virtual_sol_reserves, event.virtual_token_reserves)
            elif isinstance(event, TradeEvent):
                sign = 1 if event.is_buy else -1
                before = (
                    event.virtual_sol_reserves - sign * event.sol_amount,
                    event.virtual_token_reserves + sign * event.token_amount,
                )
                if event.mint in last:
                    steps[event.mayhem_mode, last[event.mint] == before] += 1
                last[event.mint] = (event.virtual_sol_reserves, event.virtual_token_reserves)
    assert decoder.counts["TradeEvent"] == 93
    assert decoder.counts["CreateEvent"] == 19
    assert sum(decoder.counts.values()) == 93 + 19 + 8  # the others are known events without a price
    assert not [name for name in decoder.counts if UNKNOWN in name or UNDECODABLE in name]
    # The recording is a selection of frames, so some trades between the others are missing.
    assert (steps[False, True], steps[False, False]) == (59, 4)


@needs_samples
def test_recorded_samples_of_all_lengths_decode() -> None:
    samples = {
        name: base64.b64decode(line.removeprefix("Program data: "))
        for name, line in json.loads(SAMPLES.read_text()).items()
    }
    transaction, decoder = decoded(*samples.values())
    mayhem, _, created, old, sold = transaction.events
    assert not transaction.unread
    assert decoder.counts == {"TradeEvent": 3, "CreateEvent": 2}
    assert isinstance(created, CreateEvent)
    assert created.token_total_supply == 10**15
    assert isinstance(mayhem, TradeEvent)
    assert mayhem.mayhem_mode and mayhem.quote_mint == bytes(32)
    assert isinstance(old, TradeEvent)
    assert (old.fee_basis_points, old.creator) == (-1, b"")  # had no fees yet
    assert isinstance(sold, TradeEvent)
    assert (sold.is_buy, sold.fee_basis_points, sold.creator_fee_basis_points) == (False, 95, 30)
    assert sold.sol_amount == 630_254_544


@needs_trades
def test_recorded_trades_come_back_from_their_frames() -> None:
    with gzip.open(TRADES, "rt") as file:
        rows = list(csv.DictReader(file))
    decoder = Decoder()
    for row in rows:
        event = TradeEvent(
            mint=bytes(Pubkey.from_string(row["token_address"])),
            sol_amount=int(row["amount_in_sol"]),
            token_amount=int(row["amount_in_token"]),
            is_buy=row["is_buy"] == "true",
            user=bytes(Pubkey.from_string(row["wallet_address"])),
            timestamp=int(row["block_time"]),
            virtual_sol_reserves=int(row["virtual_sol_reserves"]),
            virtual_token_reserves=int(row["virtual_token_reserves"]),
            real_sol_reserves=int(row["real_sol_reserves"]),
            real_token_reserves=int(row["real_token_reserves"]),
            fee_basis_points=int(row["fee_basis_points"]),
            creator=bytes(Pubkey.from_string(row["creator_address"])),
            creator_fee_basis_points=int(row["creator_fee_basis_points"]),
            quote_mint=bytes(32),
        )
        assert decoder.decode(1, logs_of([event])).events == [event]
    assert decoder.counts == {"TradeEvent": len(rows)}


def test_an_event_may_end_after_any_field_from_the_last_required_one_on() -> None:
    names = [name for name, _ in LAYOUT_OF_TRADE.fields]
    for name in names:
        transaction, _ = decoded(encode_event(TRADE, last=name))
        is_long_enough = names.index(name) >= names.index("real_token_reserves")
        assert bool(transaction.events) == is_long_enough, name
        assert bool(transaction.unread) != is_long_enough, name


def test_appended_bytes_are_skipped_and_a_cut_field_is_not_accepted() -> None:
    whole = encode_event(TRADE)
    assert decoded(whole + b"appended")[0].events == decoded(whole)[0].events
    transaction, decoder = decoded(whole[:-1])
    assert transaction.events == []
    assert transaction.unread[0].reason == f"TradeEvent of 34 known fields: {len(whole) - 1} bytes end within a field"
    assert decoder.counts == {"undecodable of pump.fun": 1}


def test_both_lengths_of_a_complete_event_decode() -> None:
    event = CompleteEvent(key_of("u"), key_of("m"), 1_790_000_000, key_of("q"))
    old, new = encode_event(event, last="timestamp"), encode_event(event)
    assert (len(old) - 8, len(new) - 8) == (104, 136)
    short, long = decoded(old, new)[0].events
    assert isinstance(short, CompleteEvent)
    assert short.quote_mint == b""
    assert long == event


def test_virtual_reserves_are_signed() -> None:
    negative = msgspec.structs.replace(SELL, virtual_quote_reserves=-5)
    (found,) = decoded(encode_event(negative), program=PUMP_AMM)[0].events
    assert isinstance(found, SellEvent)
    assert found.virtual_quote_reserves == -5


def test_a_foreign_program_with_the_same_discriminator_is_not_decoded() -> None:
    decoder = Decoder()
    logs = invocation("LanMV9sAd7wArD4vJFi2qDdfnVhFxYSUg6eADduJ3uj", [data_line(encode_event(TRADE))])
    assert decoder.decode(1, logs).events == []
    assert decoder.counts == {}


def test_an_unknown_discriminator_is_reported_with_its_program() -> None:
    transaction, decoder = decoded(bytes(range(64)), program=PUMP_AMM)
    assert transaction.unread == [(PUMP_AMM, UNKNOWN, "discriminator 0001020304050607")]
    assert decoder.counts == {"unknown discriminator of PumpSwap": 1}


@pytest.mark.parametrize("text", ["", "!", "AAAA", "AAAA BBBB", "é"])
def test_data_that_is_no_event_is_undecodable(text) -> None:
    decoder = Decoder()
    transaction = decoder.decode(1, invocation(PUMP, [f"Program data: {text}"]))
    assert [unread.category for unread in transaction.unread] == [UNDECODABLE]
    assert decoder.counts == {"undecodable of pump.fun": 1}


@settings(max_examples=300)
@given(st.sampled_from([d for layouts in LAYOUTS.values() for d in layouts] + [b"", bytes(8)]), st.binary(max_size=600))
def test_any_bytes_are_decoded_or_counted(discriminator, data) -> None:
    for program in LAYOUTS:
        transaction, decoder = decoded(discriminator + data, program=program)
        assert len(transaction.events) + len(transaction.unread) + len(transaction.others) == 1
        assert sum(decoder.counts.values()) == 1


def test_no_discriminator_has_two_meanings() -> None:
    for program, layouts in LAYOUTS.items():
        assert not {discriminator.hex() for discriminator in layouts} & OTHER_EVENTS[program].keys()
