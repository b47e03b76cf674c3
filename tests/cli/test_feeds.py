"""`memesnipe feeds check`: what it says of feeds that deliver, and of those that do not."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memesnipe.feeds.pumpfun.coins import base58
from memesnipe.feeds.pumpfun.lookups import GET_ACCOUNTS
from memesnipe.feeds.pyth import SOL_USD_ID
from memesnipe.feeds.sol_price import SOL_MINT
from memesnipe.testing.event_stream_server import EventStreamServer
from memesnipe.testing.polled_server import PolledServer
from memesnipe.testing.pumpfun_frames import logs_of, notification, transaction_notification
from memesnipe.testing.rpc_server import RpcServer
from memesnipe.testing.websocket_server import WebsocketServer
from tests.cli.in_process import memesnipe
from tests.feeds.pumpfun.chain import MINT, POOL, SOL, TOKEN, Curve, changed, pool_buy
from tests.feeds.pumpfun.node import Accounts

KEY = "hunter2"


@pytest.fixture
def hermes() -> Iterator[EventStreamServer]:
    with EventStreamServer() as server:
        price = {"price": "14312345678", "conf": "5000000", "expo": -8, "publish_time": int(time.time())}
        server.send(json.dumps({"parsed": [{"id": SOL_USD_ID, "price": price}]}), "garbage", '{"parsed": []}')
        yield server


@pytest.fixture
def jupiter() -> Iterator[PolledServer]:
    with PolledServer() as server:
        server.send(json.dumps({SOL_MINT: {"usdPrice": 143.12, "blockId": 5}}))
        yield server


def check(folder: Path, hermes: Any, jupiter: Any, *arguments: str, key: str = KEY):
    urls = {"PYTH_URL": hermes.url, "JUPITER_API_URL": jupiter.url, "PYTH_API_KEY": key}
    done = memesnipe(folder, "feeds", "check", "--seconds", "0.6", *arguments, **urls)
    assert KEY not in done.stdout + done.stderr
    return done


def test_feeds_that_deliver_are_described(tmp_path, hermes, jupiter) -> None:
    done = check(tmp_path, hermes, jupiter, "--feed", "pyth,jupiter", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    result = json.loads(done.stdout)
    assert list(result["feeds"]) == ["pyth", "jupiter"]
    assert result["delivered_nothing"] == []
    pyth = result["feeds"]["pyth"]
    assert (pyth["events"], pyth["kinds"], pyth["invalid"]) == (1, {"sol_price": 1}, {})
    assert pyth["delay_s"]["median"] < 10
    [endpoint] = pyth["endpoints"]
    assert endpoint["connected"]
    assert endpoint["rejected"] == {"malformed": 1, "without SOL": 1}


def test_a_feed_without_an_event_ends_the_command_with_1(tmp_path, hermes, jupiter) -> None:
    hermes.refuse(401)
    done = check(tmp_path, hermes, jupiter, "--feed", "jupiter,pyth", "--json")
    assert done.returncode == 1
    assert done.stderr == (
        "memesnipe: error: no event in 0.6 s from pyth: 127.0.0.1: HTTP 401 Unauthorized "
        "(the key is missing, wrong, or not allowed this: check PYTH_API_KEY)\n"
    )
    result = json.loads(done.stdout)
    assert result["delivered_nothing"] == ["pyth"]
    [endpoint] = result["feeds"]["pyth"]["endpoints"]
    assert not endpoint["connected"]
    assert endpoint["error"] == "127.0.0.1: HTTP 401 Unauthorized"
    assert result["feeds"]["jupiter"]["events"] == 1


def test_without_json_each_feed_is_a_table(tmp_path, hermes, jupiter) -> None:
    jupiter.refuse(429, {"Retry-After": "60"})
    done = check(tmp_path, hermes, jupiter, "--feed", "pyth,jupiter")
    assert done.returncode == 1
    assert "sol_price 1" in done.stdout
    assert "127.0.0.1: HTTP 429 Too Many Requests; failures 1" in done.stdout
    assert "connected; rejected as malformed 1; rejected as without SOL 1" in done.stdout


@pytest.mark.parametrize("command", [["feeds", "check"], ["up"], ["record", "-o", "tapes"]])
def test_a_feed_that_lacks_a_setting_is_refused_before_anything_starts(tmp_path, command) -> None:
    done = memesnipe(tmp_path, *command, "--feed", "signals", SIGNALS_FILE="")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("memesnipe: input: --feed signals: SIGNALS_FILE is not set; name the file")


def test_a_recording_says_why_its_feed_delivers_nothing(tmp_path, jupiter) -> None:
    jupiter.refuse(403)
    arguments = ("record", "--feed", "jupiter", "-o", "tapes", "--hours", "0.001")
    process = subprocess.Popen(
        [sys.executable, "-m", "memesnipe", *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"JUPITER_API_URL": jupiter.url, "JUPITER_API_KEY": KEY},
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 0, rest
    assert line == "Feed jupiter fails, and is tried again: 127.0.0.1: HTTP 403 Forbidden\n"
    assert KEY not in rest


def pool_trade_frame(number: int) -> str:
    """Return the frame of a trade of this second in a pool from before the connection."""
    trade = changed(pool_buy(TOKEN, 10**14, 30 * SOL), timestamp=int(time.time()))
    return notification(number, f"signature{number}", logs_of([trade]))


def check_pumpfun(folder: Path, jupiter: PolledServer, websocket: WebsocketServer, rpc: RpcServer, *arguments: str):
    urls = {
        "SOLANA_WS_URL": f"{websocket.url}?api-key={KEY}",
        "SOLANA_RPC_URL": f"{rpc.url}?api-key={KEY}",
        "JUPITER_API_URL": jupiter.url,
    }
    done = memesnipe(folder, "feeds", "check", "--feed", "pumpfun", "--seconds", "2.5", *arguments, **urls)
    assert KEY not in done.stdout + done.stderr
    return done


def test_helius_is_checked_like_the_public_websockets(tmp_path, jupiter) -> None:
    trade = Curve().buy(TOKEN, at_s=int(time.time()))
    with WebsocketServer() as websocket:
        websocket.send(*(transaction_notification(n, f"s{n}", logs_of([trade]), [trade]) for n in range(1, 200)))
        urls = {"HELIUS_WS_URL": websocket.url, "HELIUS_API_KEY": KEY, "JUPITER_API_URL": jupiter.url}
        arguments = ("feeds", "check", "--feed", "helius", "--seconds", "1.5", "--json")
        done = memesnipe(tmp_path, *arguments, SOLANA_RPC_URL="http://127.0.0.1:9", **urls)
    assert KEY not in done.stdout + done.stderr
    found = json.loads(done.stdout)["feeds"]["helius"]
    assert found["endpoints"][0]["name"] == "helius"
    assert found["endpoints"][0]["connected"]
    assert set(found["kinds"]) == {"price"}
    assert done.returncode == 0, done.stderr


def test_a_pool_from_before_the_connection_is_looked_up(tmp_path, jupiter) -> None:
    accounts = Accounts()
    accounts.add_pool(POOL)
    with WebsocketServer() as websocket, RpcServer() as rpc:
        later = threading.Timer(0.2, websocket.send, [pool_trade_frame(2)])

        def answer(keys: list[str], options: dict[str, Any]) -> Any:
            if base58(MINT) in keys:  # the last question
                later.start()  # once the answer has arrived, which only the process that is tested knows
            return accounts(keys, options)

        rpc.results[GET_ACCOUNTS] = answer
        websocket.send(pool_trade_frame(1))
        done = check_pumpfun(tmp_path, jupiter, websocket, rpc, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    pumpfun = json.loads(done.stdout)["feeds"]["pumpfun"]
    assert (pumpfun["kinds"], pumpfun["invalid"]) == ({"price": 1}, {})
    reading = pumpfun["endpoints"][-1]
    assert (reading["rejected"], reading["warning"]) == ({"pool not known": 1}, "")


def test_failed_lookups_are_a_warning(tmp_path, jupiter) -> None:
    with WebsocketServer() as websocket, RpcServer() as rpc:
        rpc.refuse(429, {"Retry-After": "60"})
        websocket.send(pool_trade_frame(1))
        done = check_pumpfun(tmp_path, jupiter, websocket, rpc)
    assert done.returncode == 1  # no event
    shown = " ".join(done.stdout.split())  # without the breaks of lines
    assert "rejected as pool not known 1; 127.0.0.1: HTTP 429 Too Many Requests" in shown
