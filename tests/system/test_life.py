"""The life of an installation: it starts from nothing, stops cleanly, goes on, and survives being killed."""

import contextlib
import json
import signal
import socket
import stat
from collections.abc import Callable

import httpx
import pytest

from benchmarks.halt import UNFINISHED, Crowd
from memesnipe import __version__
from memesnipe.protocol.streams import ACTORS
from tests.system.installation import Installation, open_to_others, wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

# Where nobody listens: what is on this machine is asked without a proxy, by us and by Ray.
PROXIES = {
    name: "http://127.0.0.1:9"
    for proxy in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
    for name in (proxy, proxy.upper())
}
LIVE = ("up", "--speed", "60", "--json")


def is_healthy(installation: Installation) -> bool:
    if not installation.resolved:
        return False
    try:
        answer = httpx.get(f"{installation.url}/api/health", timeout=10)
    except httpx.HTTPError:
        return False
    return answer.is_success and bool(answer.json()["status"] == "healthy")


def consumed(installation: Installation) -> int:
    return int(httpx.get(f"{installation.url}/api/report", timeout=10).json()["events"]["consumed"])


def assert_that_a_halt_passes_a_crowd(installation: Installation) -> None:
    """All at once: open streams of which a fifth is never read, headers that never end, bodies that never come."""
    token = (installation.folder / ".memesnipe" / "secrets" / "api_token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    port = int(installation.resolved["dashboard_port"])
    with Crowd(port) as crowd, socket.create_connection(("127.0.0.1", port), timeout=60) as unfinished:
        unfinished.sendall(UNFINISHED % port)
        crowd.stand_still(100)
        crowd.watch(400)
        crowd.leave_unfinished(50)
        # As they come, and again when every stream is open.
        assert httpx.post(f"{installation.url}/api/halt", headers=headers, timeout=5).status_code == 202
        wait_for("every stream to be open", lambda: crowd.statuses["200"] == 400)
        for _ in range(3):
            assert httpx.post(f"{installation.url}/api/halt", headers=headers, timeout=5).status_code == 202
            assert httpx.get(installation.url, timeout=10).status_code == 200
            assert httpx.get(f"{installation.url}/api/health", timeout=10).status_code == 200
        assert crowd.closed == 0, "the streams that are read are open"
        with contextlib.suppress(ConnectionResetError):
            assert unfinished.recv(1) == b"", "Serve's proxy cuts off what is never finished"
    wait_for("the halt", lambda: httpx.get(f"{installation.url}/api/risk", timeout=10).json()["halted"])
    assert httpx.post(f"{installation.url}/api/risk/reset", headers=headers, timeout=5).status_code == 202
    wait_for("the reset", lambda: not httpx.get(f"{installation.url}/api/risk", timeout=10).json()["halted"])


def assert_that_it_is_private(installation: Installation) -> None:
    assert open_to_others(installation.folder) == []
    assert stat.S_IMODE(installation.ray_folder.stat().st_mode) == 0o700
    keypair = installation.folder / ".memesnipe" / "wallet" / "keypair.json"
    assert stat.S_IMODE(keypair.stat().st_mode) == 0o600


def test_a_newcomer_starts_it_looks_at_it_stops_it_and_goes_on(installations: Callable[..., Installation]) -> None:
    # Calm enough for two of them, at a minute of the market a second, on one small machine.
    calm = {"GENERATION_INTERVAL_SECS": "300", "REBALANCE_INTERVAL_SECS": "60"}
    one, other = installations(**calm, **PROXIES, DASHBOARD_MAX_STREAMS="600"), installations(**calm)
    first = one.start(*LIVE)
    wait_for("the first to be healthy", lambda: is_healthy(one))
    second = other.start(*LIVE)
    wait_for("the second to be healthy beside it", lambda: is_healthy(other))
    assert one.url != other.url

    health = httpx.get(f"{one.url}/api/health").json()
    assert health["version"] == __version__
    assert {*ACTORS, "postgres", "redis", "signer"} <= set(health["parts"])
    assert "<html" in httpx.get(one.url).text
    assert_that_it_is_private(one)
    pubkeys = {httpx.get(f"{i.url}/signer/pubkey").json()["pubkey"] for i in (one, other)}
    assert len(pubkeys) == 2, "each installation has a wallet of its own"
    wait_for("paper trades", lambda: httpx.get(f"{one.url}/api/trades").json())
    assert httpx.get(f"{one.url}/api/strategies").json()
    assert isinstance(httpx.get(f"{one.url}/api/positions").json(), list)

    refused = one.run("up")
    assert refused.returncode == 1
    assert "already running" in refused.stderr
    asked = one.run("sql", "SELECT count(*) FROM trades WHERE status = 'PAPER'", "--json")
    assert json.loads(asked.stdout)["rows"][0]["count"] > 0
    assert json.loads(one.run("status", "--json").stdout)["status"] == "healthy"
    assert_that_a_halt_passes_a_crowd(one)

    other.interrupt(second)
    assert second.wait(60) == 0
    wait_for("no process to be left of the second", lambda: not other.leftovers(), 30)

    before = consumed(one)
    one.interrupt(first)
    assert first.wait(60) == 0
    assert json.loads(one.stdout)["events"]["consumed"] >= before
    wait_for("no process to be left of the first", lambda: not one.leftovers(), 30)

    third = one.start(*LIVE)
    wait_for("it to be healthy again", lambda: is_healthy(one))
    assert "continues" in one.stderr
    wait_for("it to go on", lambda: consumed(one) > before)
    assert httpx.get(f"{one.url}/signer/pubkey").json()["pubkey"] in pubkeys

    third.send_signal(signal.SIGKILL)
    third.wait(10)
    # Ray's own processes may look for their cluster for a minute before they give up.
    wait_for("nothing to outlive the killed one", lambda: not one.leftovers(), 150)
    fourth = one.start(*LIVE)
    wait_for("it to be healthy after being killed", lambda: is_healthy(one))
    went_on = consumed(one)
    wait_for("it to go on after being killed", lambda: consumed(one) > went_on)
    down = one.run("down", "--json")
    assert json.loads(down.stdout) == {"stopped": True}
    assert fourth.wait(10) == 0
    assert json.loads(one.run("status", "--json").stdout) == {"running": False}
    wait_for("no process to be left", lambda: not one.leftovers(), 30)
