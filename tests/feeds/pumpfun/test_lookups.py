"""What the logs do not say is looked up at a real server, and the feed goes on with it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from memesnipe.feeds.base import Signal
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.pumpfun.chain_events import ChainEvent
from memesnipe.feeds.pumpfun.coins import base58
from memesnipe.feeds.pumpfun.feed import PumpfunFeed
from memesnipe.feeds.pumpfun.invocations import TRUNCATED
from memesnipe.feeds.pumpfun.lookups import GET_ACCOUNTS, GET_TRANSACTION, MAX_TRANSACTIONS, Lookups
from memesnipe.feeds.pumpfun.programs import PUMP_AMM, USDC
from memesnipe.feeds.pumpfun.quotes import USDC_KEY
from memesnipe.feeds.rpc import RpcClient
from memesnipe.testing.live_source import ScriptedSource
from memesnipe.testing.pumpfun_frames import data_line, encode_event, invocation, key_of, logs_of, notification
from memesnipe.testing.rpc_server import RpcFailureError, RpcServer
from tests.feeds.pumpfun.chain import CREATE, MAKER, MINT, NOW_NS, POOL, SOL, SOL_USD, TOKEN, Curve, changed, pool_buy
from tests.feeds.pumpfun.chain import pool_sell as sell_to_pool
from tests.feeds.pumpfun.node import SUPPLY, TOKEN_2022, Accounts, account, authority_of, mint_data, transaction_result

SOON_S = 20.0
KEY = "hunter2secret"
OTHER_POOL = key_of("other pool")


class Session:
    """A feed that reads one source and asks one node."""

    def __init__(self, server: RpcServer) -> None:
        self.source = ScriptedSource()
        self.lookups = Lookups(RpcClient(f"{server.url}?api-key={KEY}", interval_s=0.001, read_s=5.0))
        live = {"a": LiveFeed("a", self.source)}
        self.feed = PumpfunFeed(live, lambda: SOL_USD, lambda: NOW_NS, lookups=self.lookups)
        self.messages: list[Any] = []
        self._slot = 10

    def deliver(self, *events: ChainEvent, slot: int | None = None) -> None:
        self._slot += 1
        slot = slot or self._slot
        self.source.deliver(notification(slot, f"sig{self._slot}", logs_of(events)))

    def poll_until(self, condition: Callable[[], object]) -> None:
        deadline_s = time.monotonic() + SOON_S
        while not condition():
            assert time.monotonic() < deadline_s, self.feed.counts()
            polled = self.feed.poll(10, 0.01)
            self.messages += [] if isinstance(polled, Signal) else [event.message for event in polled]

    def count(self, name: str) -> int:
        return self.feed.counts().get(name, 0)


@contextmanager
def session(server: RpcServer) -> Iterator[Session]:
    with server:
        one = Session(server)
        one.feed.open(None)
        try:
            yield one
        finally:
            one.feed.close()
            assert not one.lookups._thread.is_alive()


def pool_trade(pool: bytes = POOL, **fields: Any) -> ChainEvent:
    return changed(pool_buy(TOKEN, 10**14, 80 * SOL), pool=pool, **fields)


def accounts_server(accounts: Accounts) -> RpcServer:
    return RpcServer(**{GET_ACCOUNTS: accounts})


def test_trades_of_a_pool_become_messages_once_its_coin_is_looked_up() -> None:
    accounts = Accounts()
    accounts.add_pool(POOL)
    with session(accounts_server(accounts)) as one:
        one.deliver(pool_trade())
        one.poll_until(lambda: one.count("pools looked up"))
        assert (one.messages, one.count("pool not known")) == ([], 1)
        assert one.feed.unknown_pools() == []
        sale = changed(sell_to_pool(TOKEN, 10**14, 30 * SOL), user=MAKER)
        one.deliver(sale)
        one.poll_until(lambda: one.messages)
        price, sold = one.messages
        assert (price["kind"], price["mint"], price["venue"]) == ("price", base58(MINT), "pumpswap")
        assert price["supply_raw"] == SUPPLY  # of the mint; the event has none, and its fees are those of the tier
        assert (sold["kind"], sold["amount_usd"]) == ("onchain", price["volume_usd"])  # the creator is its developer
        assert one.feed.statuses()[-1].warning == ""


def test_an_unknown_pool_is_asked_for_once_with_its_mint_after_it() -> None:
    accounts = Accounts()
    pools = [key_of(f"pool {n}") for n in range(150)]
    for n, pool in enumerate(pools):
        accounts.add_pool(pool, key_of(f"mint {n}"))
    server = accounts_server(accounts)
    with session(server) as one:
        for pool in [*pools, *pools]:
            one.deliver(pool_trade(pool))
        one.poll_until(lambda: one.count("pools looked up") == 150)
        asked = [key for _, (keys, _) in server.asked for key in keys]
        assert sorted(asked) == sorted(accounts.accounts)
        assert max(len(keys) for _, (keys, _) in server.asked) <= 100


@pytest.mark.parametrize(
    ("pool", "mint", "reason"),
    [
        ({"owner": TOKEN_2022}, {}, "account is no pool"),
        ({"data": ["", "base64"]}, {}, "account is no pool"),
        ({}, {"owner": PUMP_AMM}, "mint of the pool is no mint"),
        ({}, account(TOKEN_2022, mint_data(9)), "coin without 6 decimals"),
    ],
)
def test_a_pool_that_cannot_be_used_is_put_aside_with_the_reason(pool: Any, mint: Any, reason: str) -> None:
    accounts = Accounts()
    accounts.add_pool(POOL)
    accounts.accounts[base58(POOL)] |= pool
    accounts.accounts[base58(MINT)] |= mint
    server = accounts_server(accounts)
    with session(server) as one:
        one.deliver(pool_trade())
        one.poll_until(lambda: one.count("pools looked up"))
        requests = len(server.asked)
        one.deliver(pool_trade())
        one.poll_until(lambda: one.count(reason))
        assert one.messages == []
        assert len(server.asked) == requests


def test_a_pool_quoted_in_another_coin_needs_no_mint() -> None:
    accounts = Accounts()
    accounts.add_pool(POOL, quote=USDC_KEY)
    server = accounts_server(accounts)
    with session(server) as one:
        one.deliver(pool_trade())
        one.poll_until(lambda: one.count("pools looked up"))
        one.deliver(pool_trade())
        one.poll_until(lambda: one.count("quoted in USDC"))
        assert len(server.asked) == 1
        assert base58(USDC_KEY) == USDC


def test_the_pool_of_the_migration_is_the_market_of_its_coin() -> None:
    accounts = Accounts()
    accounts.add_pool(OTHER_POOL)
    accounts.add_pool(POOL, creator=authority_of(MINT))
    with session(accounts_server(accounts)) as one:
        one.deliver(pool_trade(OTHER_POOL))
        one.poll_until(lambda: one.count("pools looked up") == 1)
        one.deliver(pool_trade(POOL))
        one.poll_until(lambda: one.count("pools looked up") == 2)
        one.deliver(pool_trade(OTHER_POOL))
        one.deliver(pool_trade(POOL))
        one.poll_until(lambda: one.messages)
        assert one.count("not the pool of its coin") == 1


def test_an_account_that_the_node_lacks_is_asked_for_again() -> None:
    accounts = Accounts()
    server = accounts_server(accounts)
    with session(server) as one:
        one.deliver(pool_trade())
        one.poll_until(lambda: one.count("pool lookups without an account"))
        accounts.add_pool(POOL)
        one.poll_until(lambda: one.count("pools looked up"))


def test_a_rate_limit_is_kept_counted_and_shown_and_the_feed_goes_on() -> None:
    accounts = Accounts()
    accounts.add_pool(POOL)
    server = accounts_server(accounts)
    server.refuse(429, {"Retry-After": "0.3"})
    with session(server) as one:
        one.deliver(pool_trade())
        one.poll_until(lambda: one.count("failed lookups"))
        refused_s = time.monotonic()
        server.refuse(None)
        status = one.feed.statuses()[-1]
        assert (status.error, status.warning) == ("", "127.0.0.1: HTTP 429 Too Many Requests")
        one.deliver(Curve().buy(TOKEN))
        one.poll_until(lambda: one.messages)
        one.poll_until(lambda: one.count("pools looked up"))
        assert time.monotonic() - refused_s > 0.2
        assert one.count("failed lookups") == 1
        assert one.feed.statuses()[-1].warning == ""


def test_a_server_that_answers_something_else_is_asked_again_later() -> None:
    accounts = Accounts()
    accounts.add_pool(POOL)
    server = RpcServer(**{GET_ACCOUNTS: lambda *_: {"value": []}})
    with session(server) as one:
        one.deliver(pool_trade())
        one.poll_until(lambda: one.count("failed lookups") >= 2)
        assert one.feed.statuses()[-1].warning == "getMultipleAccounts: 0 accounts instead of 1"
        server.results[GET_ACCOUNTS] = accounts
        one.poll_until(lambda: one.count("pools looked up"))


def cut_frame(events: Sequence[ChainEvent], slot: int, signature: str = "cut") -> str:
    """Return the frame of a transaction whose logs are cut after the first events."""
    lines = [line for event in events for line in invocation(program(event), [data_line(encode_event(event))])]
    return notification(slot, signature, [*lines, f"Program {PUMP_AMM} invoke [1]", TRUNCATED])


def program(event: ChainEvent) -> str:
    from memesnipe.testing.pumpfun_frames import program_of

    return program_of(event)


def transactions(**results: Any) -> Callable[..., Any]:
    """Return the function of `getTransaction` for results by signature."""

    def get(signature: str, options: dict[str, Any]) -> Any:
        assert options == {"commitment": "confirmed", "encoding": "json", "maxSupportedTransactionVersion": 1}
        found = results[signature]
        if isinstance(found, Exception):
            raise found
        return found

    return get


def transactions_server(**results: Any) -> RpcServer:
    return RpcServer(**{GET_TRANSACTION: transactions(**results)})


def amounts(messages: list[Any]) -> list[int]:
    return [message["token_raw"] for message in messages if message["kind"] == "price"]


def test_only_the_missing_events_are_translated() -> None:
    curve, other = Curve(), Curve(key_of("other mint"))
    first, second, third, unrelated = curve.buy(TOKEN), curve.buy(2 * TOKEN), curve.buy(3 * TOKEN), other.buy(9 * TOKEN)
    server = transactions_server(cut=None)
    with session(server) as one:
        one.source.deliver(cut_frame([CREATE, first], 10))
        one.poll_until(lambda: len(one.messages) == 1 and server.asked)  # the node has no such transaction yet
        one.deliver(third, slot=11)
        one.poll_until(lambda: len(one.messages) == 2)
        server.results[GET_TRANSACTION] = transactions(cut=transaction_result([CREATE, first, second, unrelated]))
        one.poll_until(lambda: len(one.messages) == 3)
        # The second buy is older than the last trade of its coin, whose reserves it would undo.
        assert amounts(one.messages) == [TOKEN, 3 * TOKEN, 9 * TOKEN]
        assert one.count("older than the last event of its coin") == 1
        assert (one.count("TradeEvent"), one.count("CreateEvent")) == (4, 1)
        assert (one.count("truncated logs repaired"), one.count("truncated logs")) == (1, 1)
        assert [message["ts"] for message in one.messages] == sorted(message["ts"] for message in one.messages)


def test_a_late_trade_is_no_break_in_the_reserves() -> None:
    curve = Curve()
    trades = [curve.buy(TOKEN) for _ in range(100)]
    server = transactions_server(cut=None)
    with session(server) as one:
        one.source.deliver(cut_frame([CREATE], 10))
        one.poll_until(lambda: server.asked)
        one.deliver(*trades[1:50])
        one.poll_until(lambda: len(amounts(one.messages)) == 49)
        server.results[GET_TRANSACTION] = transactions(cut=transaction_result([CREATE, trades[0]]))
        one.poll_until(lambda: one.count("truncated logs repaired"))
        one.deliver(*trades[50:])
        one.poll_until(lambda: len(amounts(one.messages)) == 99)
        assert not any(share.reasons for share in one.feed._sentinel._shares.values())


def test_a_whole_copy_from_another_endpoint_completes_a_cut_one() -> None:
    curve = Curve()
    trades = [curve.buy(TOKEN), curve.buy(2 * TOKEN)]
    server = transactions_server(cut=None)  # the node has no such transaction yet
    with session(server) as one:
        one.source.deliver(cut_frame(trades[:1], 10), notification(10, "cut", logs_of(trades)))
        one.poll_until(lambda: len(one.messages) == 2)
        assert amounts(one.messages) == [TOKEN, 2 * TOKEN]
        assert (one.count("TradeEvent"), one.count("duplicate transactions")) == (2, 1)
        assert one.count("truncated logs repaired") == 1
        server.results[GET_TRANSACTION] = transactions(cut=transaction_result(trades))
        one.deliver(curve.buy(3 * TOKEN))
        one.poll_until(lambda: len(one.messages) == 3)
        assert one.count("truncated logs repaired") == 1, "nothing is left to complete"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (RpcFailureError(-32015, "Transaction version (1) is not supported"), "refused"),
        ({"transaction": 1}, "answer not understood"),
        (transaction_result([CREATE], innerInstructions=None), "node without inner instructions"),
        (transaction_result([CREATE], err="AccountInUse"), "transaction failed"),
    ],
)
def test_a_transaction_that_cannot_be_completed_is_counted(result: Any, reason: str) -> None:
    with session(transactions_server(cut=result)) as one:
        one.source.deliver(cut_frame([Curve().buy(TOKEN)], 10))
        one.poll_until(lambda: one.count(f"truncated logs not repaired: {reason}"))
        one.poll_until(lambda: one.messages)
        assert (amounts(one.messages), one.count("truncated logs")) == ([TOKEN], 1)


def test_more_cut_transactions_than_may_be_asked_for_are_counted() -> None:
    server = transactions_server()
    server.refuse(429, {"Retry-After": "3600"})
    with session(server) as one:
        one.source.deliver(cut_frame([], 10, "first"))
        one.poll_until(lambda: one.count("failed lookups"))
        one.source.deliver(*(cut_frame([], 10, f"cut{n}") for n in range(MAX_TRANSACTIONS + 4)))
        one.poll_until(lambda: one.count("truncated logs") == MAX_TRANSACTIONS + 5)
        assert one.count("truncated logs not repaired: too many") == 5
        assert server.attempts == 1


def test_a_transaction_that_is_not_found_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memesnipe.feeds.pumpfun.lookups.GIVE_UP_S", 0.2)
    with session(transactions_server(cut=None)) as one:
        one.source.deliver(cut_frame([], 10))
        one.poll_until(lambda: one.count("truncated logs not repaired: not in time"))


def test_a_node_that_cannot_be_asked_at_all_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "nonsense://127.0.0.1")
    with session(accounts_server(Accounts())) as one:
        one.poll_until(lambda: one.feed.statuses()[-1].warning)
        assert one.feed.statuses()[-1].warning.startswith("nothing is looked up: ValueError: ")
        assert one.count("failed lookups") == 1


def test_closing_ends_a_request_in_progress() -> None:
    server = RpcServer(**{GET_ACCOUNTS: lambda *_: server.take(None)})  # type: ignore[arg-type]
    with session(server) as one:
        one.deliver(pool_trade())
        one.poll_until(lambda: server.attempts)
        started_s = time.monotonic()
        one.feed.close()
        assert time.monotonic() - started_s < 1.0
