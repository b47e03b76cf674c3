"""`doctor` says what is wrong with a machine and what to do, and ends with 1 where the system could not run."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from memesnipe.config.settings import load_settings
from memesnipe.runtime import doctor, doctor_servers
from memesnipe.runtime.doctor import check_machine, guarded, overall
from memesnipe.runtime.doctor_servers import check_servers
from memesnipe.servers.process import free_port
from tests.cli.in_process import memesnipe


def named(checks: list[Any]) -> dict[str, Any]:
    return {check.name: check for check in checks}


def test_a_machine_is_checked_without_a_running_system(tmp_path: Path) -> None:
    done = memesnipe(tmp_path, "doctor", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert found["verdict"] in ("ok", "warning")  # the ports may be those of another system
    verdicts = {check["name"]: check["verdict"] for check in found["checks"]}
    assert [verdicts[name] for name in ("Python", "Ray", "mode", "PostgreSQL", "Redis")] == ["ok"] * 5
    shown = memesnipe(tmp_path, "doctor")
    assert "ok       mode         paper money" in shown.stdout
    assert not (tmp_path / ".memesnipe").exists()


def test_servers_are_checked_where_they_are(
    tmp_path: Path, database: sa.Engine, database_url: str, redis_url: str
) -> None:
    done = memesnipe(tmp_path, "doctor", "--json", DATABASE_URL=database_url, REDIS_URL=redis_url)
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert checks["PostgreSQL"]["detail"].startswith("version 1") and checks["PostgreSQL"]["verdict"] == "ok"
    assert checks["Redis"]["verdict"] == "ok" and "append-only" in checks["Redis"]["detail"]


def test_servers_that_do_not_respond_are_failures_without_their_passwords(tmp_path: Path) -> None:
    port = free_port(0)
    urls = {
        "DATABASE_URL": f"postgresql://me:hidden@127.0.0.1:{port}/db",
        "REDIS_URL": f"redis://:hidden@127.0.0.1:{port}",
    }
    done = memesnipe(tmp_path, "doctor", "--json", **urls)
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert (checks["PostgreSQL"]["verdict"], checks["Redis"]["verdict"]) == ("failed", "failed")
    assert "hidden" not in done.stdout + done.stderr


def test_production_asks_for_private_secrets_and_more_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    token = tmp_path / ".memesnipe" / "secrets" / "api_token"
    token.parent.mkdir(parents=True)
    token.write_text("x" * 40)
    token.chmod(0o644)
    checks = named(list(check_machine(load_settings(), production=True)))
    assert checks["secrets"].verdict == "failed" and checks["secrets"].do == f"chmod 600 {token.resolve()}"
    token.chmod(0o600)
    assert named(list(check_machine(load_settings(), production=True)))["secrets"].verdict == "ok"
    assert "secrets" not in named(list(check_machine(load_settings(), production=False)))
    monkeypatch.setattr(doctor, "_PRODUCTION_DISK_GIB", 1 << 30)
    checks = named(list(check_machine(load_settings(), production=True)))
    assert checks["disk"].verdict == "failed" and "set MEMESNIPE_HOME" in checks["disk"].do


def test_a_taken_port_is_named_with_its_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("DASHBOARD_PORT", str(taken.getsockname()[1]))
        found = [check for check in check_machine(load_settings(), production=False) if check.name == "ports"]
    assert any("(DASHBOARD_PORT) is taken by python" in check.detail for check in found)


def test_production_reads_live_feeds_and_a_silent_one_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port(0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOLANA_WS_URL", f"ws://127.0.0.1:{port}")
    monkeypatch.setenv("JUPITER_API_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(doctor_servers, "_FEED_S", 0.3)
    feeds = named(list(check_servers(load_settings(), production=True)))["feeds"]
    assert feeds.verdict == "warning" and feeds.detail == "nothing from jupiter, pumpfun in 0.3 s"
    assert "feeds" not in named(list(check_servers(load_settings(), production=False)))


def test_a_check_that_raises_has_failed() -> None:
    def broken() -> Any:
        raise OSError("postgresql://me:hidden@host is gone")

    found = guarded("disk", broken)
    assert (found.verdict, found.detail) == ("failed", "postgresql://me:***@host is gone")
    assert overall([found]) == "failed"
