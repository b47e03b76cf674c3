"""A command is taken up or refused within seconds, whatever the database does; what was refused is not done later."""

import asyncio
import socket
import threading
import time

import httpx
import pytest
import sqlalchemy as sa

from memesnipe.api import commands as commands_module
from memesnipe.api.border import Border
from memesnipe.api.commands import Commands, WholePaths, create_command_api
from memesnipe.errors import InputError
from memesnipe.protocol.commands import MAX_REASON_BYTES, CommandName
from memesnipe.servers.process import wait_until
from memesnipe.storage.asking import NoSuchStrategyError, TooLateError, ask, connect_to_ask
from memesnipe.storage.schema_control import CommandRow
from tests.api.conftest import TOKEN

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def locked(database):
    """The table of commands, locked until the test lets go."""
    with database.connect() as connection:
        connection.execute(sa.text("LOCK TABLE commands IN ACCESS EXCLUSIVE MODE"))
        yield connection


def asked(database, run_id):
    with database.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).where(CommandRow.run_id == run_id))


def test_halt_is_served_alone_below_its_own_prefix(database, new_run):
    """As Serve sends it: the whole path, and the prefix that found the application."""
    app = Border(WholePaths(create_command_api(Commands(database, TOKEN))))
    transport = httpx.ASGITransport(app, root_path="/api/halt")

    async def ask_it() -> list[int]:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            answers = [
                await client.post("/api/halt", headers=HEADERS),
                await client.post("/api/halt"),
                await client.get("/api/halt"),
                await client.post("/api/halt/nowhere", headers=HEADERS),
            ]
            assert all(set(answer.json()) == {"error"} for answer in answers[1:])
            return [answer.status_code for answer in answers]

    assert asyncio.run(ask_it()) == [202, 401, 405, 404]
    assert asked(database, new_run) == 1


def test_a_lock_on_the_table_is_an_error_within_seconds(backend, serve, new_run, locked, server_urls):
    engine = connect_to_ask(server_urls.database_url)
    served = serve(backend, asked=engine)
    began = time.monotonic()
    answer = httpx.post(f"{served.url}/api/halt", headers=HEADERS, timeout=20)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "lock timeout" in answer.json()["error"]
    assert time.monotonic() - began < 10
    engine.dispose()


def test_a_database_that_says_nothing_is_an_error_within_the_time(backend, serve, monkeypatch):
    monkeypatch.setattr(commands_module, "TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts for it, and nobody answers
        url = f"postgresql+psycopg://memesnipe:open-sesame@127.0.0.1:{silent.getsockname()[1]}/memesnipe"
        engine = connect_to_ask(url)
        served = serve(backend, asked=engine)
        answers = [
            httpx.post(f"{served.url}/api/halt", headers=HEADERS, timeout=20) for _ in range(6)
        ]  # more than threads
        for answer in answers:
            assert answer.status_code == 503
            assert answer.json()["error"].startswith("the database does not answer: no answer within 0.5 s")
            assert answer.elapsed.total_seconds() < 5
            assert "sesame" not in answer.text
        assert httpx.get(served.url, timeout=5).status_code == 200
    engine.dispose()


def test_what_was_given_up_is_not_committed_when_the_database_comes_back(database, new_run, locked):
    """Without a limit on locks: the statement waits, as it does for a server that stands still."""
    outcome: list[object] = []

    def late():
        try:
            outcome.append(ask(database, CommandName.HALT, reason="", deadline=time.monotonic() + 0.2))
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
    assert asked(database, new_run) == 0


@pytest.mark.parametrize("reason", ["x" * (MAX_REASON_BYTES + 1), "ü" * 513, "\udcff", "a\0b"])
def test_a_reason_that_cannot_be_recorded_is_refused(database, new_run, reason):
    with pytest.raises(InputError, match="the reason"):
        ask(database, CommandName.HALT, reason=reason, deadline=time.monotonic() + 10)
    assert asked(database, new_run) == 0


@pytest.mark.parametrize("spec_id", ["nobody", "a\0b", "\udcff", "x" * 5000, "a b", "a\n"])
def test_a_strategy_that_cannot_be_is_not_there(database, new_run, spec_id):
    with pytest.raises(NoSuchStrategyError):
        ask(database, CommandName.PROMOTE, spec_id=spec_id, reason="", deadline=time.monotonic() + 10)
