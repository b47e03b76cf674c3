"""A command is recorded or refused within seconds, even if the database hangs; a refused one is not recorded later."""

import asyncio
import socket
import threading
import time

import httpx
import pytest
import sqlalchemy as sa

from memesnipe.api import commands as commands_module
from memesnipe.api.commands import Commands, FullPaths, create_command_api
from memesnipe.api.request_checks import RequestChecks
from memesnipe.errors import InputError
from memesnipe.halt_file import HaltLevel, halt_level
from memesnipe.protocol.commands import MAX_REASON_BYTES, CommandName
from memesnipe.servers.process import wait_until
from memesnipe.storage.command_submission import NoSuchStrategyError, TooLateError, connect_for_commands, submit
from memesnipe.storage.schema_control import CommandRow
from tests.api.conftest import PROBLEM, TOKEN

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def locked(database):
    """Yield a connection that locks the table of commands until its rollback."""
    with database.connect() as connection:
        connection.execute(sa.text("LOCK TABLE commands IN ACCESS EXCLUSIVE MODE"))
        yield connection


def count_commands(database, run_id):
    with database.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).where(CommandRow.run_id == run_id))


def test_a_separate_application_serves_halt_below_its_prefix(database, new_run, tmp_path):
    """Serve passes the full path, and the prefix of the application."""
    app = RequestChecks(FullPaths(create_command_api(Commands(database, TOKEN, tmp_path / "halt"))))
    transport = httpx.ASGITransport(app, root_path="/api/halt")

    async def request_all() -> list[int]:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            answers = [
                await client.post("/api/halt", headers=HEADERS),
                await client.post("/api/halt"),
                await client.get("/api/halt"),
                await client.post("/api/halt/nowhere", headers=HEADERS),
            ]
            assert all(set(answer.json()) == PROBLEM for answer in answers[1:])
            return [answer.status_code for answer in answers]

    assert asyncio.run(request_all()) == [202, 401, 405, 404]
    assert count_commands(database, new_run) == 1


def test_a_halt_writes_the_kill_file_before_anything_can_wait(backend, serve, new_run, locked, server_urls, tmp_path):
    kill_file = tmp_path / "halt"
    engine = connect_for_commands(server_urls.database_url)
    served = serve(backend, commands_database=engine)
    assert httpx.post(f"{served.url}/api/halt", headers={"Authorization": "Bearer x"}, timeout=20).status_code == 401
    assert httpx.post(f"{served.url}/api/halt?reason={'x' * 2000}", headers=HEADERS, timeout=20).status_code == 422
    assert not kill_file.exists(), "it is not for those without the token"
    waiting = threading.Thread(target=lambda: httpx.post(f"{served.url}/api/halt", headers=HEADERS, timeout=20))
    began = time.monotonic()
    waiting.start()
    assert wait_until(kill_file.exists, 1.0), "the table is locked"
    assert time.monotonic() - began < 1.0
    waiting.join()
    engine.dispose()


def test_a_halt_is_recorded_although_its_file_cannot_be_written(backend, serve, new_run, database, tmp_path):
    halt_of_nobody = Commands(database, TOKEN, tmp_path / "no folder" / "halt")
    (tmp_path / "no folder").write_text("")
    transport = httpx.ASGITransport(create_command_api(halt_of_nobody))

    async def post(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            return await client.post(path, headers=HEADERS)

    answer = asyncio.run(post("/api/halt"))
    assert answer.status_code == 503
    assert answer.json()["error"].endswith("the run halts, and the signer does not stop")
    assert count_commands(database, new_run) == 1
    assert asyncio.run(post("/api/risk/reset")).status_code == 503
    assert count_commands(database, new_run) == 1, "nothing is resumed while the file may exist"


def test_a_flatten_allows_exits_and_a_reset_removes_the_kill_file(backend, serve, new_run, database, tmp_path):
    kill_file = tmp_path / "halt"
    served = serve(backend)

    def post(path: str) -> httpx.Response:
        return httpx.post(f"{served.url}/api/{path}", headers=HEADERS, timeout=20)

    assert post("flatten?account=paper").status_code == 202
    assert not kill_file.exists(), "there was nothing to relax"
    assert post("halt").status_code == 202
    assert halt_level(kill_file) is HaltLevel.ALL
    missing = post("flatten")
    assert (missing.status_code, missing.json()["detail"]) == (
        404, f"run {new_run} has no live account; trading is on paper",
    )  # fmt: skip
    assert post("flatten?account=nobody").status_code == 422
    assert halt_level(kill_file) is HaltLevel.ALL, "what is refused changes nothing"
    assert post("flatten?account=all").status_code == 202
    assert halt_level(kill_file) is HaltLevel.ENTRIES
    assert post("risk/reset").status_code == 202
    assert halt_level(kill_file) is None
    listed = httpx.get(f"{served.url}/api/commands", timeout=20).json()
    assert [(each["name"], each["account"]) for each in reversed(listed)] == [
        ("flatten", "paper"), ("halt", ""), ("flatten", ""), ("risk_reset", ""),
    ]  # fmt: skip


def test_a_lock_on_the_table_is_an_error_within_seconds(backend, serve, new_run, locked, server_urls):
    engine = connect_for_commands(server_urls.database_url)
    served = serve(backend, commands_database=engine)
    began = time.monotonic()
    answer = httpx.post(f"{served.url}/api/halt", headers=HEADERS, timeout=20)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "lock timeout" in answer.json()["detail"]
    assert time.monotonic() - began < 10
    engine.dispose()


def test_a_hanging_database_is_an_error_within_the_timeout(backend, serve, monkeypatch):
    monkeypatch.setattr(commands_module, "TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts connections, and nothing answers
        url = f"postgresql+psycopg://memesnipe:open-sesame@127.0.0.1:{silent.getsockname()[1]}/memesnipe"
        engine = connect_for_commands(url)
        served = serve(backend, commands_database=engine)
        answers = [
            httpx.post(f"{served.url}/api/halt", headers=HEADERS, timeout=20) for _ in range(6)
        ]  # more than threads
        for answer in answers:
            assert answer.status_code == 503
            assert answer.json()["detail"].startswith("the database does not respond: no response within 0.5 s")
            assert answer.elapsed.total_seconds() < 5
            assert "sesame" not in answer.text
        assert httpx.get(served.url, timeout=5).status_code == 200
    engine.dispose()


def test_an_abandoned_command_is_not_committed_later(database, new_run, locked):
    """Without a lock timeout the statement waits, as it does for a hanging server."""
    outcome: list[object] = []

    def late():
        try:
            outcome.append(submit(database, CommandName.HALT, reason="", deadline=time.monotonic() + 0.2))
        except TooLateError as error:
            outcome.append(error)

    thread = threading.Thread(target=late)
    thread.start()
    waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'commands'::regclass")
    assert wait_until(lambda: locked.scalar(waits) == 1, 20)
    deadline_is_over = time.monotonic() + 0.3
    assert wait_until(lambda: time.monotonic() > deadline_is_over, 5)
    locked.rollback()
    thread.join(20)
    assert isinstance(outcome[0], TooLateError)
    assert count_commands(database, new_run) == 0


@pytest.mark.parametrize("reason", ["x" * (MAX_REASON_BYTES + 1), "ü" * 513, "\udcff", "a\0b"])
def test_a_reason_that_cannot_be_recorded_is_refused(database, new_run, reason):
    with pytest.raises(InputError, match="the reason"):
        submit(database, CommandName.HALT, reason=reason, deadline=time.monotonic() + 10)
    assert count_commands(database, new_run) == 0


@pytest.mark.parametrize("spec_id", ["nobody", "a\0b", "\udcff", "x" * 5000, "a b", "a\n"])
def test_an_invalid_strategy_is_not_found(database, new_run, spec_id):
    with pytest.raises(NoSuchStrategyError):
        submit(database, CommandName.PROMOTE, spec_id=spec_id, reason="", deadline=time.monotonic() + 10)
