"""What is known of coins and pools outlasts a restart, and a file that cannot be used is named."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.pumpfun.coins import FORGET_AFTER_NS, Coin, Coins, KnownPool, base58
from memesnipe.feeds.pumpfun.feed import PumpfunFeed
from memesnipe.feeds.pumpfun.saved import SAVE_EVERY_S, VERSION, SavedCoins, _digest
from memesnipe.testing.live_source import ScriptedSource
from memesnipe.testing.pumpfun_frames import key_of, logs_of, notification
from tests.feeds.pumpfun.chain import (
    CREATE,
    MIGRATION,
    MINT,
    NOW_NS,
    POOL,
    SOL,
    SOL_USD,
    TOKEN,
    USER,
    Curve,
    pool_buy,
)
from tests.feeds.pumpfun.test_feed import drain


def messages_of(path, *frames):
    """Return the messages of a process that reads these frames and ends."""
    source = ScriptedSource(frames)
    source.end()
    feed = PumpfunFeed({"a": LiveFeed("a", source)}, lambda: SOL_USD, lambda: NOW_NS, saved=SavedCoins(path))
    feed.open(None)
    return drain(feed), feed.counts()


def test_a_restart_keeps_pools_holders_and_developers(tmp_path) -> None:
    curve = Curve()
    path = tmp_path / "run" / "state"
    frames = [[CREATE], [curve.buy(TOKEN)], [curve.buy(TOKEN, key_of("second"))], [MIGRATION]]
    before, _ = messages_of(path, *(notification(10 + n, f"s{n}", logs_of(one)) for n, one in enumerate(frames)))
    assert before[-1]["holders"] == 2
    after, counts = messages_of(path, notification(20, "s9", logs_of([pool_buy(TOKEN, 10**14, 30 * SOL)])))
    assert [message["mint"] for message in after if message["kind"] == "price"] == [base58(MINT)]
    assert after[0]["supply_raw"] == CREATE.token_total_supply
    assert "pool not known" not in counts
    assert [one.name for one in path.parent.iterdir()] == ["state"]  # no temporary file is left


COINS = st.builds(
    Coin,
    st.text(max_size=44),
    st.frozensets(st.binary(min_size=32, max_size=32), max_size=2),
    st.integers(0, 2**64 - 1),
    st.booleans(),
    st.booleans(),
    st.sampled_from([b"", POOL]),
    st.none() | st.tuples(st.integers(0, 2**63), st.integers(0, 2**63)),
    st.integers(0, 10**6),
    st.integers(0, 2**63 - 1),
    st.integers(0, 2**32 - 1),
    st.dictionaries(st.integers(-(2**63), 2**64 - 1), st.integers(1, 2**64 - 1), max_size=3),
)
KEYS = st.binary(min_size=32, max_size=32)


@given(
    st.dictionaries(KEYS, COINS, max_size=4), st.dictionaries(KEYS, st.builds(KnownPool, KEYS, st.text()), max_size=4)
)
def test_everything_is_read_back_in_the_order_of_use(tmp_path_factory, coins, pools) -> None:
    path = tmp_path_factory.mktemp("saved") / "state"
    known, again = Coins(), Coins()
    for ts, (mint, coin) in enumerate(coins.items()):
        known.coins.put(mint, coin, ts)
    for ts, (pool, one) in enumerate(pools.items()):
        known.pools.put(pool, one, ts)
    SavedCoins(path).save(known)
    saved = SavedCoins(path)
    saved.load(again, 0)
    assert saved.warning == ""
    assert again.coins.latest(9) == known.coins.latest(9)
    assert again.pools.latest(9) == known.pools.latest(9)


def content(version: int) -> bytes:
    raw = msgspec.msgpack.encode([version, [], [], "more"])
    return _digest(raw) + raw


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "is damaged"),
        (content(VERSION)[:-1], "is damaged"),
        (content(VERSION)[:-1] + b"x", "is damaged"),
        (content(VERSION - 1), f"has version {VERSION - 1}, not {VERSION}"),
        (_digest(b"\xc1") + b"\xc1", "MessagePack data is malformed"),
        (_digest(b"\x93\x01\x01\x90") + b"\x93\x01\x01\x90", "Expected `array`"),
    ],
)
def test_a_file_that_cannot_be_used_is_ignored_with_the_reason(tmp_path, raw, reason) -> None:
    path = tmp_path / "state"
    path.write_bytes(raw)
    source = ScriptedSource()
    feed = PumpfunFeed({"a": LiveFeed("a", source)}, lambda: SOL_USD, saved=SavedCoins(path))
    feed.open(None)
    warning = feed.statuses()[-1].warning
    assert warning.startswith("coins and pools of the last process are not known: ")
    assert reason in warning
    feed.close()
    again = SavedCoins(path)
    again.load(Coins(), 0)  # closing has written a good one
    assert again.warning == ""


def test_it_is_written_every_minute_and_at_the_end(tmp_path) -> None:
    now = 0.0
    path = tmp_path / "state"
    saved = SavedCoins(path, lambda: now)
    source = ScriptedSource([notification(10, "s", logs_of([CREATE, Curve().buy(TOKEN, USER)]))])
    feed = PumpfunFeed({"a": LiveFeed("a", source)}, lambda: SOL_USD, lambda: NOW_NS, saved=saved)
    feed.open(None)
    while not feed.counts().get("price messages"):
        feed.poll(9, 0.01)
    now = SAVE_EVERY_S - 1
    feed.poll(9, 0.0)
    assert not path.exists()
    now = SAVE_EVERY_S
    while not path.exists():
        feed.poll(9, 0.01)
    first = path.read_bytes()
    feed.learn_pool(base58(key_of("pool 2")), base58(MINT))
    feed.poll(9, 0.0)
    assert path.read_bytes() == first
    feed.close()
    assert path.read_bytes() != first


def test_it_is_made_in_parts_between_which_events_go_on(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memesnipe.feeds.pumpfun.saved._PART", 2)
    now, path = 0.0, tmp_path / "state"
    known, again = Coins(), Coins()
    for n in range(5):
        known.coin(key_of(str(n)), n).trade(key_of("a"), 1)
        known.pools.put(key_of(f"pool {n}"), KnownPool(MINT), n)
    saved = SavedCoins(path, lambda: now)
    now = SAVE_EVERY_S
    parts = 0
    while saved._writing is None:
        saved.save_if_due(known)
        known.coin(key_of("new"), 10).trade(key_of(str(parts)), 1)  # the next file has it
        parts += 1
    assert parts == 8  # five coins with a holder each, twice two pools, and the rest
    saved._finish_writing()
    SavedCoins(path).load(again, 0)
    assert again.coins.latest(9) == [entry for entry in known.coins.latest(9) if entry[0] != key_of("new")]
    assert again.pools.latest(9) == known.pools.latest(9)
    saved.save_if_due(known)
    assert saved._encoding is None  # it is not due yet


def test_what_is_saved_last_is_what_remains(tmp_path) -> None:
    now, path = 0.0, tmp_path / "state"
    known, again = Coins(), Coins()
    for n in range(3_000):
        known.coin(n.to_bytes(32), n).trade(key_of("a"), 1)
    saved = SavedCoins(path, lambda: now)
    now = SAVE_EVERY_S
    while saved._writing is None:
        saved.save_if_due(known)
    known.coin(key_of("last"), 9_999)
    saved.save(known)
    SavedCoins(path).load(again, 0)
    assert again.coins.latest(1)[0][0] == key_of("last")
    assert [one.name for one in path.parent.iterdir()] == ["state"]


def test_a_folder_that_cannot_be_written_is_named_and_the_feed_goes_on(tmp_path) -> None:
    (tmp_path / "file").write_text("no folder")
    saved = SavedCoins(tmp_path / "file" / "state")
    saved.save(Coins())
    assert saved.warning.startswith("coins and pools are not saved: ")


def test_the_last_used_are_saved_up_to_the_limits(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memesnipe.feeds.pumpfun.saved.MAX_HOLDERS", 5)
    known, again = Coins(), Coins()
    for n in range(4):
        coin = known.coin(key_of(str(n)), n)
        coin.trade(key_of("a"), 1), coin.trade(key_of("b"), 1)
    SavedCoins(tmp_path / "state").save(known)
    SavedCoins(tmp_path / "state").load(again, 0)
    assert [key for key, _, _ in again.coins.latest(9)] == [key_of("3"), key_of("2")]


def test_what_would_have_been_forgotten_is_not_read_back(tmp_path) -> None:
    known, again = Coins(), Coins()
    known.coin(key_of("old"), NOW_NS), known.coin(key_of("new"), NOW_NS + 1)
    known.pools.put(key_of("pool"), KnownPool(MINT), NOW_NS)
    SavedCoins(tmp_path / "state").save(known)
    SavedCoins(tmp_path / "state").load(again, NOW_NS + 1 + FORGET_AFTER_NS)
    assert [key for key, _, _ in again.coins.latest(9)] == [key_of("new")]
    assert len(again.pools) == 0


def test_a_feed_that_was_not_opened_keeps_the_file(tmp_path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"of the last process")
    PumpfunFeed({"a": LiveFeed("a", ScriptedSource())}, lambda: SOL_USD, saved=SavedCoins(path)).close()
    assert path.read_bytes() == b"of the last process"


def test_the_largest_amounts_can_be_saved(tmp_path) -> None:
    known, again = Coins(), Coins()
    coin = known.coin(MINT, NOW_NS)
    for _ in range(3):
        coin.trade(USER, 2**64 - 1)
    SavedCoins(tmp_path / "state").save(known)
    SavedCoins(tmp_path / "state").load(again, NOW_NS)
    assert again.coin(MINT, NOW_NS).holders == 1
