"""One system on the live synthetic market: how it shows itself, what people ask of it, and what it survives."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import redis

from benchmarks.halt import UNFINISHED, Crowd
from memesnipe import __version__
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.protocol.streams import ACTORS, EVENT_STREAMS, MAX_IN_FLIGHT
from memesnipe.roles.context import Context
from memesnipe.roles.executor import Executor
from memesnipe.storage.lease import LeaseLostError
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.testing.chaos.targets import Targets
from memesnipe.testing.live_market import LiveMarket
from tests.pages import commands_on_a_running_system, lines_in_a_shell
from tests.system.installation import COMMAND, Installation, open_to_others, processes_of, wait_for
from tests.system.key_scan import assert_nothing_found, scan_installation
from tests.system.live import (
    CALM,
    PROXIES,
    SPEED,
    LiveSystem,
    a_simulating_strategy,
    actors_of,
    bought_on_stale_events,
    consumed,
    controllers_of,
    get,
    http_get,
    kill_ray_and_await_another,
    orders_of,
    seq_of,
    stands_by,
    status_of,
    stopped_postgres,
    verified,
    wait_for_events,
    wait_until_healthy,
)
from tests.system.pumpfun import (
    PUMPFUN_SETTINGS,
    PUMPFUN_SPEED,
    PumpfunSystem,
    differences_of_a_replay,
    trades_recorded,
)
from tests.terminal import Terminal
from tests.webhook import Webhook

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    yield server
    server.close()


@pytest.fixture(scope="module")
def system(
    installations_of_module: Callable[..., Installation], webhook: Webhook, tmp_path_factory: pytest.TempPathFactory
) -> LiveSystem:
    urls = tmp_path_factory.mktemp("notify") / "urls"
    urls.write_text(webhook.url)
    urls.chmod(0o600)
    settings = {"DASHBOARD_MAX_STREAMS": "600", "MAX_DATA_AGE_MS": "2000", "RAY_DASHBOARD": "true"}
    settings |= {"NOTIFY_URLS_FILENAME": str(urls), "NOTIFY_MAX_PER_HOUR": "1000", "PROMETHEUS_URL": webhook.prometheus}
    settings["NO_PROXY"] = settings["no_proxy"] = "localhost"  # by this name the webhook is reached without the proxy
    settings["RAY_worker_niceness"] = "5"  # it works all the time; another that starts beside it goes first
    return LiveSystem(installations_of_module(**CALM, **PROXIES, **settings))


@pytest.fixture
def one(system: LiveSystem) -> Iterator[Installation]:
    """The shared installation, with a system that is healthy."""
    system.start()
    yield system.installation


def test_nobody_else_can_reach_it(one: Installation) -> None:
    assert open_to_others(one.folder) == []
    assert any("dashboard/dashboard.py" in command for command in processes_of(one.folder).values())
    assert stat.S_IMODE(one.ray_folder.stat().st_mode) == 0o700
    keypair = one.folder / ".memesnipe" / "wallet" / "keypair.json"
    assert stat.S_IMODE(keypair.stat().st_mode) == 0o600


@pytest.fixture(scope="module")
def other(system: LiveSystem, installations_of_module: Callable[..., Installation]) -> Iterator[PumpfunSystem]:
    """Another installation beside the shared one, on a live market; the last of its tests stops it."""
    system.start()
    undisturbed = set(actors_of(system.installation))
    with LiveMarket(SyntheticFeed(7).messages(0), PUMPFUN_SPEED) as market:
        yield PumpfunSystem(installations_of_module(**PUMPFUN_SETTINGS, **market.settings), market, undisturbed)


def test_another_installation_runs_beside_it(one: Installation, other: PumpfunSystem) -> None:
    assert other.installation.url != one.url
    keys = {get(each, "signer/pubkey")["pubkey"] for each in (one, other.installation)}
    assert len(keys) == 2, "each installation has a wallet of its own"


def test_it_takes_orders_about_its_strategies(one: Installation, other: PumpfunSystem) -> None:
    there = other.installation
    spec_id = wait_for("a strategy that has not traded", lambda: a_simulating_strategy(there))
    shown = _run_commands_of_pages(there, spec_id)
    assert f"{spec_id} is paper from event" in shown["promote"]
    assert "from_mode" in shown["sql"]  # of the last three steps, which may be later ones of others
    steps = f"SELECT reason FROM lifecycle WHERE spec_id = '{spec_id}' AND to_mode = 'paper'"
    assert "a look at it" in there.ask("sql", steps).stdout
    assert f"{spec_id} is simulating from event" in shown["demote"]
    promoted = there.ask("promote", spec_id, "--reason", "a test", "--json")
    assert promoted.returncode == 0, promoted.stderr
    assert json.loads(promoted.stdout)["outcome"].startswith(f"{spec_id} is paper from event")
    live = there.ask("promote", spec_id)
    assert live.returncode == 3
    assert "LIVE_TRADING_ENABLED is false" in live.stderr


def test_no_trade_of_a_market_is_lost_although_its_websockets_break(one: Installation, other: PumpfunSystem) -> None:
    wait_for_events(other.installation, 300)
    other.cut_each_websocket()
    wait_for("paper trades", other.paper_trades)
    sent = other.stop_the_market()
    assert trades_recorded(other.installation) == sent


def test_it_stops_although_its_database_stands_still_and_leaves_the_other_alone(
    one: Installation, other: PumpfunSystem, tmp_path: Path
) -> None:
    other.market.start()
    there, before = other.installation, consumed(other.installation)
    with stopped_postgres(there):
        there.interrupt(other.process)
        wait_for("the actors to end although it stands still", lambda: not actors_of(there))
    assert other.process.wait(120) == 0
    other.market.stop()
    # The last report that it could read is some seconds old; about 70 events a second are consumed.
    assert json.loads(there.stdout)["events"]["consumed"] > before - 700
    wait_for("no process to be left of it", lambda: not there.leftovers(), 30)
    verified(there)
    assert differences_of_a_replay(there, tmp_path) == []
    wait_until_healthy(one)
    assert set(actors_of(one)) == other.undisturbed


def _run_commands_of_pages(installation: Installation, spec_id: str) -> dict[str, str]:
    """Run all that the first pages tell a newcomer to run; return what each command printed last."""
    shown = {}
    for page in ("getting-started.md", "tutorial.md"):
        for command in commands_on_a_running_system(page):
            arguments = [spec_id if argument == "SPEC" else argument for argument in command]
            if command[0] in ("monitor", "status"):  # they fail while a part is late
                wait_until_healthy(installation)
            done = installation.ask(*arguments)
            assert done.returncode == 0, f"{arguments}: {done.stderr}"
            shown[command[0]] = done.stdout
    return shown


def test_a_newcomer_sees_it_trade_on_paper(one: Installation) -> None:
    health = get(one, "api/health")
    assert health["version"] == __version__
    assert {*ACTORS, "postgres", "redis", "signer"} <= set(health["parts"])
    assert "<html" in http_get(one.url).text
    wait_for("paper trades", lambda: any(trade["status"] == "PAPER" for trade in get(one, "api/trades")))
    assert isinstance(get(one, "api/positions"), list)
    asked = one.ask("sql", "SELECT count(*) FROM trades WHERE status = 'PAPER'", "--json")
    assert json.loads(asked.stdout)["rows"][0]["count"] > 0
    wait_for("`status` to call it healthy", lambda: status_of(one)["status"] == "healthy")
    refused = one.run("up")
    assert refused.returncode == 1
    assert "already running" in refused.stderr


def test_the_checks_after_a_start_succeed(one: Installation) -> None:
    """Those of `docs/operations.md`; clients that are not installed here are left out."""
    ports = {"8080": one.resolved["dashboard_port"]}
    ports |= {
        usual: urlsplit(one.resolved[name]).port for usual, name in (("6379", "redis_url"), ("5432", "database_url"))
    }
    path = {"PATH": f"{COMMAND.parent}:{os.environ['PATH']}"}
    run = 0
    for line in lines_in_a_shell("operations.md"):
        program = next(word for word in line.split() if "=" not in word and not word.endswith(")"))
        for usual, port in ports.items():
            line = re.sub(rf"(?<=[: ]){usual}\b", str(port), line)  # noqa: PLW2901
        if shutil.which(program, path=path["PATH"]):
            done = subprocess.run(
                ["bash", "-c", line], cwd=one.folder, env=one.env | path, capture_output=True, text=True, check=False
            )
            assert (done.returncode, bool(done.stdout)) == (0, True), f"{line}: {done.stderr}"
            run += 1
    assert run >= 3


def test_promotions_and_alerts_are_posted_to_a_webhook(one: Installation, webhook: Webhook) -> None:
    promoted = webhook.next_with("promoted to paper", 120)
    assert "(from simulating): " in promoted["message"]
    annotations = {"summary": "reader lags", "runbook_url": "operations.md#consumerlag"}
    webhook.alerts = [{"labels": {"alertname": "ConsumerLag"}, "annotations": annotations, "state": "firing"}]
    assert webhook.next_with("ConsumerLag", 60)["message"] == "reader lags operations.md#consumerlag"
    webhook.alerts = []
    assert webhook.next_with("ConsumerLag", 60)["message"].startswith("Resolved: ")


def test_running_actors_take_over_a_changed_env_file_and_log_it(one: Installation) -> None:
    env, logs = one.folder / ".env", one.folder / ".memesnipe" / "logs"

    def level_in(actor: str) -> str:
        lines = [json.loads(line) for line in (logs / f"{actor}_heartbeat.jsonl").read_text().splitlines()]
        return next((line["log_level"] for line in reversed(lines) if line["event"] == "settings reloaded"), "")

    def all_have(level: str) -> bool:
        return all(level_in(actor) == level for actor in ACTORS)

    env.write_text("LOG_LEVEL=DEBUG\nPOPULATION_SIZE=13\n")
    wait_for("every actor to log at DEBUG", lambda: all_have("DEBUG"))
    wait_for("a line at that level", lambda: any('"level": "debug"' in log.read_text() for log in logs.glob("*.jsonl")))
    env.unlink()
    wait_for("every actor to log at INFO again", lambda: all_have("INFO"))
    assert "LOG_LEVEL is DEBUG now." in one.stderr and "LOG_LEVEL is INFO now." in one.stderr
    # POPULATION_SIZE is a variable of the environment in these tests, which takes precedence.
    assert "POPULATION_SIZE was changed" not in one.stderr


def test_monitor_shows_it_in_a_terminal_until_ctrl_c(one: Installation) -> None:
    with Terminal(one.folder, one.env, "monitor", "--every", "0.5") as terminal:
        shown = terminal.read_until("healthy", "strategy_factory", "equity_usd")
        terminal.read_until("healthy")  # drawn again
        terminal.press_ctrl_c()
        assert terminal.wait() == 0
    assert "Traceback" not in shown + terminal.rest
    assert terminal.rest.rstrip().endswith("\x1b[?25h"), "the cursor is visible again"
    assert status_of(one)["status"] == "healthy"


def test_no_key_and_no_token_is_anywhere_but_in_its_file(one: Installation) -> None:
    wait_for("paper trades", lambda: get(one, "api/trades"))
    assert_nothing_found(scan_installation(one, one.folder / ".memesnipe" / "wallet" / "keypair.json"))


def test_a_flatten_sells_what_is_held_on_paper_and_a_reset_resumes(one: Installation) -> None:
    wait_for("an open position", lambda: any(each["open"] for each in get(one, "api/positions")))
    assert one.ask("flatten", "--yes").returncode == 2, "there is no live account"
    done = one.ask("flatten", "--account", "paper", "--yes", "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["left"]) == (0, []), answer
    assert not any(each["open"] for each in get(one, "api/positions?limit=1000"))
    assert get(one, "api/risk")["halted"]
    assert one.ask("risk", "reset").returncode == 0
    wait_for("the reset", lambda: not get(one, "api/risk")["halted"])


def _close_one(one: Installation) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Close an open position; return it and the answer, None where none is open or its strategy sells it first."""
    held = next((each for each in get(one, "api/positions") if each["open"]), None)
    if held is None:
        return None
    done = one.ask("close", f"{held['account']}/{held['spec_id']}/{held['mint']}", "--yes", "--json")
    if done.returncode == 2 and "not held" in done.stderr:
        return None
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    return None if answer["already_sold"] else (held, answer)


def test_a_close_sells_one_position_and_trading_goes_on(one: Installation) -> None:
    held, answer = wait_for("a position to close", lambda: _close_one(one))
    assert answer["left"] == []
    assert [(sold["spec_id"], sold["mint"]) for sold in answer["sold"]] == [(held["spec_id"], held["mint"])]
    assert not get(one, "api/risk")["halted"]
    action = get(one, "api/actions")[0]
    assert (action["name"], action["mint"], action["account"]) == ("close", held["mint"], held["account"])
    assert one.ask("close", "Nothing", "--yes").returncode == 2


def test_the_kill_file_halts_until_a_reset(one: Installation, webhook: Webhook) -> None:
    kill_file = one.folder / ".memesnipe" / "signer" / "halt"
    kill_file.touch()
    wait_for("the halt", lambda: get(one, "api/risk")["halted"])
    assert get(one, "api/commands")[0]["reason"] == "the file halt exists"
    assert get(one, "signer/health")["signing"].startswith(("halted", "disabled"))
    assert webhook.next_with("trading is halted by a command", 60)["type"] == "failure"
    assert one.ask("risk", "reset").returncode == 0
    assert not kill_file.exists()
    wait_for("the reset", lambda: not get(one, "api/risk")["halted"])


def test_a_halt_passes_a_crowd(one: Installation) -> None:
    """All at once: open streams of which a fifth is never read, headers that never end, bodies that never come."""
    token = (one.folder / ".memesnipe" / "secrets" / "api_token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    port = int(one.resolved["dashboard_port"])
    with Crowd(port) as crowd, socket.create_connection(("127.0.0.1", port), timeout=60) as unfinished:
        unfinished.sendall(UNFINISHED % port)
        crowd.stand_still(100)
        crowd.watch(400)
        crowd.leave_unfinished(50)
        # As they come, and again when every stream is open.
        assert httpx.post(f"{one.url}/api/halt", headers=headers, timeout=5).status_code == 202
        wait_for("every stream to be open", lambda: crowd.statuses["200"] == 400)
        for _ in range(3):
            assert httpx.post(f"{one.url}/api/halt", headers=headers, timeout=5).status_code == 202
            assert http_get(one.url).status_code == 200
            assert http_get(f"{one.url}/api/health").status_code == 200
        assert crowd.closed == 0, "the streams that are read are open"
        with contextlib.suppress(ConnectionResetError):
            assert unfinished.recv(1) == b"", "Serve's proxy cuts off what is never finished"
    wait_for("the halt", lambda: get(one, "api/risk")["halted"])
    assert httpx.post(f"{one.url}/api/risk/reset", headers=headers, timeout=5).status_code == 202
    wait_for("the reset", lambda: not get(one, "api/risk")["halted"])


def test_a_second_executor_takes_over_until_it_goes_quiet(one: Installation) -> None:
    second = Executor(Context(one.folder / ".memesnipe", 1), ActorMetrics("second"))
    second.open()
    began = second.seq
    wait_for("the second to have done some work", lambda: second.step() or second.seq > began + 100)
    wait_for("the first to stand by", lambda: stands_by(one))
    wait_for("the first to come back", lambda: seq_of(one) > second.seq)
    with pytest.raises((LeaseLostError, redis.ConnectionError), match=r"another executor"):
        second.step()
    second.close()


def test_serve_brings_its_controller_back(one: Installation) -> None:
    before = controllers_of(one)
    assert Targets(one.folder / ".memesnipe").kill("serve controller")
    wait_for("another controller", lambda: (now := controllers_of(one)) and not now & before)
    wait_until_healthy(one)


def test_it_goes_on_after_ray_has_died(one: Installation) -> None:
    kill_ray_and_await_another(one)
    wait_for_events(one, 200)
    assert "Traceback" not in one.stderr


def test_it_waits_for_a_database_that_does_not_answer_and_buys_nothing_late(one: Installation) -> None:
    wait_for("orders", lambda: orders_of(one))
    with stopped_postgres(one), redis.Redis.from_url(one.resolved["redis_url"]) as client:
        before = sum(client.xlen(stream) for stream in EVENT_STREAMS)
        # A step of a busy machine may have been slow before the stop, so a heartbeat alone is no proof.
        state = wait_for("an actor to say that it waits", lambda: (found := status_of(one)) and _waits(found) and found)
        assert state["parts"]["postgres"] == {"state": "down", "detail": "no response within 2 s"}
        assert state["status"] == "unhealthy" and "trading is paused" in state["detail"]
        assert "the database" in state["error"]  # where the figures would be
        assert sum(client.xlen(stream) for stream in EVENT_STREAMS) - before < MAX_IN_FLIGHT
        seq = seq_of(one, "market_data")
    wait_for("the executor to go on", lambda: seq_of(one) >= seq + 100)
    wait_until_healthy(one)
    # Whether a strategy decides to buy on what had waited depends on the market; the gate has tests of its own.
    assert not bought_on_stale_events(one)


def _waits(status: dict[str, Any]) -> bool:
    return "stalled" in {status["parts"].get(actor, {}).get("state") for actor in ACTORS}


def test_a_halt_outlives_a_kill_and_a_reset_ends_it(one: Installation, system: LiveSystem) -> None:
    process = system.start()
    pubkey, before = get(one, "signer/pubkey"), consumed(one)
    halt = one.run("halt", "--reason", "a test", "--json")
    assert halt.returncode == 0, halt.stderr
    assert json.loads(halt.stdout)["outcome"].startswith("done after event")
    nobody = one.ask("promote", "nobody")
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "there is no strategy 'nobody'" in nobody.stderr
    halted_orders = orders_of(one)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    wait_for("nothing to outlive it", lambda: not one.leftovers(), 150)

    started = one.run("up", "--detach", *SPEED, "--json")
    assert started.returncode == 0, started.stderr
    running = json.loads(started.stdout)
    assert http_get(running["dashboard"]).status_code == 200
    assert os.getsid(running["pid"]) == running["pid"], "no terminal reaches it"
    wait_until_healthy(one)
    assert status_of(one)["detached"] is True
    log = [json.loads(line) for line in (one.folder / ".memesnipe" / "logs" / "up.jsonl").read_text().splitlines()]
    resumed = [line["resumed"] for line in log if line["event"] == "run"]
    assert (resumed[0], resumed[-1]) == (False, True)
    assert get(one, "signer/pubkey") == pubkey
    wait_for_events(one, 400)
    wait_for("the report to have them", lambda: consumed(one) > before)
    assert orders_of(one) == halted_orders
    assert json.loads(one.ask("risk", "show", "--json").stdout)["halted"] is True
    reset = one.ask("risk", "reset", "--json")
    assert reset.returncode == 0, reset.stderr
    wait_for("orders after the reset", lambda: orders_of(one) > halted_orders)

    assert json.loads(one.run("down", "--json").stdout) == {"stopped": True}
    assert one.run("status", "--json").stdout == '{"running":false}\n'
    wait_for("no process to be left", lambda: not one.leftovers(), 30)
    verdict = verified(one)
    assert (verdict["events"] >= before, verdict["status"]) == (True, "stopped")
