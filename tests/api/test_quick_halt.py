"""`memesnipe halt` over HTTP where a run answers, and over the database where not."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from memesnipe.cli import halt_over_http as quick_halt
from memesnipe.cli import manual_commands as orders_by_hand
from memesnipe.config.settings import Settings, write_resolved
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.protocol.commands import MAX_REASON_BYTES
from memesnipe.runtime.lock import acquire
from memesnipe.servers.process import free_port
from memesnipe.storage.schema_control import CommandRow
from tests.api.conftest import TOKEN


@pytest.fixture
def home(tmp_path: Path, monkeypatch, server_urls):
    """The folder of a run, its settings, its token and its lock; its API is where a test says."""
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port(0)}")
    token = tmp_path / "token"
    token.write_text(TOKEN)

    def served_at(port: int, database_url: str = server_urls.database_url) -> None:
        settings = Settings(
            _env_file=None, dashboard_port=port, api_token_filename=token, database_url=SecretStr(database_url)
        )
        write_resolved(settings, tmp_path / "settings.json")

    with acquire(tmp_path):
        yield served_at


@pytest.fixture
def obedient(database, new_run):
    """Somebody who does what is asked of the run."""
    over = threading.Event()

    def obey() -> None:
        done = sa.update(CommandRow).where(CommandRow.run_id == new_run).values(outcome="done after event 7")
        while not over.wait(0.02):
            with database.begin() as connection:
                connection.execute(done)

    thread = threading.Thread(target=obey)
    thread.start()
    yield
    over.set()
    thread.join()


def commands(database, run_id):
    with database.connect() as connection:
        query = sa.select(CommandRow.name, CommandRow.reason).where(CommandRow.run_id == run_id)
        return [tuple(row) for row in connection.execute(query)]


def test_a_run_that_answers_is_halted_over_http(home, serve, backend, database, new_run, obedient):
    home(serve(backend).port)
    answer = quick_halt.halt("too hot & more=ü")
    assert answer is not None
    assert (answer["run_id"], answer["command"], answer["outcome"]) == (new_run, "halt", "done after event 7")
    assert commands(database, new_run) == [("halt", "too hot & more=ü")]


def test_without_an_outcome_it_says_that_it_waits(home, serve, backend, new_run, monkeypatch):
    monkeypatch.setattr(quick_halt, "_PATIENCE_S", 0.2)
    home(serve(backend).port)
    answer = quick_halt.halt("")
    assert answer is not None and answer["outcome"].startswith("waiting")


def test_an_api_that_does_not_answer_is_left_for_the_database(home, database, new_run, obedient, monkeypatch):
    monkeypatch.setattr(quick_halt, "_TIMEOUT_S", 0.2)
    with nonsense() as port:
        for dead in (free_port(0), port):
            home(dead)
            assert quick_halt.halt("why") is None
    answer = orders_by_hand.ask("halt", "", "why")
    assert answer["outcome"] == "done after event 7"
    assert commands(database, new_run) == [("halt", "why")]


def test_a_wrong_token_is_left_for_the_database(home, serve, backend, new_run):
    home(serve(backend, token="another token of the tests").port)
    assert quick_halt.halt("") is None


def test_nothing_runs_here(tmp_path, monkeypatch):
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    assert quick_halt.halt("") is None


def test_a_reason_that_is_too_long_is_refused_before_anyone_is_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    for refuse in (quick_halt.halt, lambda r: orders_by_hand.ask("halt", "", r)):
        with pytest.raises(InputError, match="100,000 bytes; it may have 1,024"):
            refuse("x" * 100_000)
    assert MAX_REASON_BYTES == 1_024


def test_a_database_that_says_nothing_fails_within_the_time(home, monkeypatch):
    monkeypatch.setattr(orders_by_hand, "_RECORD_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts for it, and nobody answers
        port = silent.getsockname()[1]
        home(free_port(0), f"postgresql://memesnipe:x@127.0.0.1:{port}/memesnipe")
        with pytest.raises(MemeSnipeError, match=r"does not answer within 0\.3 s, and nothing trades"):
            orders_by_hand.ask("halt", "", "")


@contextmanager
def nonsense() -> Iterator[int]:
    """The port of somebody who answers, but not in HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client:
                        client.sendall(b"not HTTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
