"""The market of a run, from its event log: counts, tokens and candles."""

import numpy as np
import pytest

from memesnipe.market import events as e
from memesnipe.storage import schema
from memesnipe.storage.candles import candles
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.market_summary import MarketSummary
from memesnipe.storage.market_view import Market, TokenSort
from memesnipe.storage.rows import Page

HOUR_NS = 3_600 * e.NS_PER_S


def recorded(count=2_000, tokens=40, seed=5):
    """Return events of tokens that appear in order; the last of them graduates."""
    rng = np.random.default_rng(seed)
    events = e.empty(count)
    events["seq"] = np.arange(1, count + 1)
    events["ts"] = np.sort(rng.integers(0, 30 * HOUR_NS, count))
    events["token"] = np.minimum(rng.integers(0, tokens, count), np.arange(count) // 10)
    events["kind"] = np.where(rng.random(count) < 0.8, e.PRICE, e.SOCIAL)
    prices = events["kind"] == e.PRICE
    events["price_usd"][prices] = rng.lognormal(size=prices.sum())
    events["volume_usd"][prices] = rng.integers(1, 100, prices.sum())
    events["kind"][0], events["token"][0] = e.SOL_PRICE, e.NO_TOKEN
    events["kind"][[-3, -2]], events["token"][[-3, -2]] = e.ONCHAIN, 0
    events["action"][[-3, -2]] = e.CURVE_COMPLETE, e.MIGRATION
    return events


@pytest.fixture
def log(tmp_path):
    written = EventLog(tmp_path / "events.bin")
    written.append(recorded())
    written.close()
    return tmp_path / "events.bin"


@pytest.mark.parametrize("step", [2_000, 700, 97])
def test_the_summary_is_the_same_in_any_steps(log, step):
    events = recorded()
    summary = MarketSummary()
    for last in range(step, 2_000 + step, step):
        summary.advance(log, min(last, 2_000))
    prices = events[events["kind"] == e.PRICE]
    assert summary.seq == 2_000
    for token in range(40):
        row, of, traded = summary.tokens[token], events[events["token"] == token], prices[prices["token"] == token]
        assert (row["first_seq"], row["last_seq"]) == (of["seq"][0], of["seq"][-1])
        assert (row["first_ts"], row["last_ts"], row["trades"]) == (of["ts"][0], of["ts"][-1], len(traded))
        assert row["volume_usd"] == traded["volume_usd"].sum() and row["price_usd"] == traded["price_usd"][-1]
    hours = summary.hours.values()
    assert sum(hour["launches"] for hour in hours) == 40
    assert sum(hour["graduations"] for hour in hours) == 1  # its completed curve and its migration are one
    assert sum(hour["trades"] for hour in hours) == len(prices)
    assert sum(hour["volume_usd"] for hour in hours) == prices["volume_usd"].sum()


def test_only_committed_events_are_counted(log):
    summary = MarketSummary()
    summary.advance(log, 500)
    assert summary.seq == 500
    summary.advance(log, 10_000)
    assert summary.seq == 2_000


def test_candles_hold_every_trade():
    events = recorded()
    prices = events[(events["token"] == 3) & (events["kind"] == e.PRICE)]
    length_s, found = candles(events, 3)
    assert length_s == 3_600  # the shortest of which 40 cover 30 hours: the token has few trades
    assert sum(candle["volume_usd"] for candle in found) == prices["volume_usd"].sum()
    assert (found[0]["open_usd"], found[-1]["close_usd"]) == (prices["price_usd"][0], prices["price_usd"][-1])
    assert max(candle["high_usd"] for candle in found) == prices["price_usd"].max()
    assert [candle["ts"] for candle in found] == sorted({candle["ts"] for candle in found})
    assert all(candle["ts"] % (3_600 * e.NS_PER_S) == 0 for candle in found)
    assert candles(events, 99) == (1, [])


def test_the_views_agree_with_the_log(database, new_run, insert, log):
    insert(schema.FeedCursorRow, seq=2_000)
    insert(schema.TokenRow, token=3, mint="MintThree")
    insert(schema.TradeRow, order_id="a/1", token=3, mint="MintThree", side="buy")
    market = Market(lambda run_id: log)
    with database.connect() as conn:
        overview = market.overview(conn, new_run)
        assert (overview["tokens"], overview["graduated"], overview["behind"]) == (40, 1, 0)
        found = market.tokens(conn, new_run, Page(5), TokenSort.VOLUME, alive_only=False)
        volumes = [row["volume_usd"] for row in found.rows]
        assert found.total == 40 and volumes == sorted(volumes, reverse=True)
        alive = market.tokens(conn, new_run, Page(50), TokenSort.VOLUME, alive_only=True)
        assert alive.total == overview["alive"] < 40
        token = market.token(conn, new_run, "MintThree", None)
        assert token is not None and token["candles"] and token["trades"][0]["side"] == "buy"
        assert market.token(conn, new_run, "nobody", None) is None


def test_a_run_without_a_log_has_an_empty_market(database, new_run, tmp_path):
    market = Market(lambda run_id: tmp_path / "none.bin")
    with database.connect() as conn:
        assert market.overview(conn, new_run)["tokens"] == 0
        assert market.tokens(conn, new_run, Page(5), TokenSort.LAST, alive_only=True).rows == []
