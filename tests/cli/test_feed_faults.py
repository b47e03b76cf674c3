"""`memesnipe feeds check` of services that cannot be read: one line that says what, where, and what to do."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from memesnipe.feeds.advice import SETTINGS, advice, silence_of
from memesnipe.feeds.choice import LIVE_FEEDS
from memesnipe.testing.polled_server import PolledServer
from memesnipe.testing.websocket_server import WebsocketServer
from tests.cli.in_process import memesnipe

KEY = "hunter2-of-every-service"
URLS = ("JUPITER_API_URL", "HELIUS_WS_URL", "FARCASTER_URL", "X_URL")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Yield a port whose connections are accepted by the system and read by nobody."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield listening.getsockname()[1]


def lines(folder: Path, feed: str, port: int, scheme: str = "", **more: str) -> str:
    """Return what `feeds check` prints as its error, with every service at a port of this machine."""
    urls = {name: f"{'ws' if 'WS' in name else 'http'}{scheme}://127.0.0.1:{port}/" for name in URLS}
    keys = dict.fromkeys(("HELIUS_API_KEY", "NEYNAR_API_KEY", "X_BEARER_TOKEN"), KEY)
    done = memesnipe(folder, "feeds", "check", "--seconds", "0.5", "--feed", feed, **urls, **keys, **more)
    assert done.returncode == 1
    assert KEY not in done.stdout + done.stderr
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.parametrize(
    ("feed", "url"),
    [
        ("jupiter", "JUPITER_API_URL"),
        ("farcaster", "FARCASTER_URL"),
        ("x", "X_URL"),
        ("helius,jupiter", "HELIUS_WS_URL"),
    ],
)
def test_a_server_that_is_absent_silent_or_without_tls_is_told_apart(tmp_path, silent_port, feed, url) -> None:
    name = feed.partition(",")[0]
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        refused = lines(tmp_path, feed, unused.getsockname()[1])
    assert f"{name}: 127.0.0.1: " in refused
    assert f"Connection refused (nothing listens there: check host and port in {url})" in refused
    silent = lines(tmp_path, feed, silent_port)
    assert f"{name}: no answer in 0.5 s: a firewall, or a stalled server in {url}; read longer" in silent
    with PolledServer() as plain:
        no_tls = lines(tmp_path, feed, int(plain.url.rpartition(":")[2].strip("/")), scheme="s")
    assert f"it does not speak TLS: check scheme and port in {url}" in no_tls


@pytest.mark.parametrize(
    ("status", "what_to_do"),
    [
        (401, "check {key})"),
        (404, "check the path in {url})"),
        (429, "it is asked again after the time that it names"),
        (302, "redirects are not followed: check {url})"),
        (503, "the service itself fails"),
    ],
)
def test_a_refusal_says_what_to_change(tmp_path, status, what_to_do) -> None:
    with PolledServer() as http, WebsocketServer() as websocket:
        for server in (http, websocket):
            server.refuse(status, {"Location": f"/{KEY}"})
        both = {"HELIUS_WS_URL": websocket.url, "JUPITER_API_URL": http.url}
        keys = {"HELIUS_API_KEY": KEY, "JUPITER_API_KEY": KEY}
        done = memesnipe(tmp_path, "feeds", "check", "--seconds", "0.5", "--feed", "helius,jupiter", **both, **keys)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert KEY not in done.stdout + done.stderr
    for name, (url, key) in SETTINGS.items():
        if name in ("helius", "jupiter"):
            assert f"{name}: 127.0.0.1: " in done.stderr
            assert what_to_do.format(url=url, key=key) in done.stderr


def test_a_plan_without_the_subscription_and_a_node_without_news(tmp_path) -> None:
    with PolledServer() as http, WebsocketServer() as websocket:
        urls = {"HELIUS_WS_URL": websocket.url, "JUPITER_API_URL": http.url, "HELIUS_API_KEY": KEY}
        arguments = ("feeds", "check", "--seconds", "0.5", "--feed", "helius,jupiter")
        quiet = memesnipe(tmp_path, *arguments, **urls).stderr
        websocket.subscription_error = {"code": -32403, "message": f"not with the plan of {KEY}"}
        refused = memesnipe(tmp_path, *arguments, **urls).stderr
    assert "helius: connected, and nothing arrived in 0.5 s: it may have nothing new" in quiet
    assert "the subscription was refused: not with the plan of ... (-32403) (the node or the plan does not" in refused
    assert "check HELIUS_API_KEY" in refused


@pytest.mark.parametrize(
    ("error", "what_to_do"),
    [
        ("h: ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate", "its certificate is not trusted"),
        ("h: gaierror: [Errno -2] Name or service not known", "no such host: check HELIUS_WS_URL"),
        ("h: OSError: [Errno 101] Network is unreachable", "check this machine's network"),
        ("h: a ping was not answered in 20 s", "it is reached and silent"),
        ("h: no frame for 60 s", "it is reached and silent"),
        ("h: InvalidMessage: did not receive a valid HTTP response", "another kind of server"),
        ("h: something else", ""),
    ],
)
def test_other_errors(error, what_to_do) -> None:
    found = advice("helius", "helius", error)
    assert found.startswith(what_to_do) if what_to_do.endswith("WS_URL") else what_to_do in found
    assert bool(found) == bool(what_to_do)


def test_a_public_websocket_beside_helius_has_settings_of_its_own() -> None:
    assert "SOLANA_WS_URL" in advice("helius", "api.mainnet.solana.com", "Connection refused")
    assert "HELIUS_WS_URL" in advice("pumpfun", "helius", "Connection refused")
    assert "its access rules" in advice("pumpfun", "api.mainnet.solana.com", "HTTP 403 Forbidden")
    assert set(SETTINGS) == set(LIVE_FEEDS)
    assert "SIGNALS_FILE" in silence_of("signals", 1.0, is_connected=False)
