"""`memesnipe halt` over HTTP if the API answers, and through the database if not."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from memesnipe.cli import halt_over_http, manual_commands
from memesnipe.cli.manual import manual
from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.halt_file import HaltLevel, halt_level
from memesnipe.protocol.commands import MAX_REASON_BYTES
from memesnipe.runtime.lock import acquire
from memesnipe.servers.process import free_port
from memesnipe.storage import schema
from memesnipe.storage.schema_control import CommandRow
from tests.api.conftest import TOKEN


@pytest.fixture
def home(tmp_path: Path, monkeypatch, server_urls):
    """Yield a function that sets the port of a run's API; the run has a locked folder, settings and a token."""
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port(0)}")
    token = tmp_path / "token"
    token.write_text(TOKEN)

    def served_at(port: int, database_url: str = server_urls.database_url) -> None:
        settings = settings_from(
            {"dashboard_port": port, "api_token_filename": token, "database_url": database_url}, env_file=None
        )
        write_resolved(settings, tmp_path / "settings.json")

    with acquire(tmp_path):
        yield served_at


@pytest.fixture
def executing(database, new_run):
    """Execute the run's commands in the background."""
    over = threading.Event()

    def execute() -> None:
        done = sa.update(CommandRow).where(CommandRow.run_id == new_run).values(outcome="done after event 7")
        while not over.wait(0.02):
            with database.begin() as connection:
                connection.execute(done)

    thread = threading.Thread(target=execute)
    thread.start()
    yield
    over.set()
    thread.join()


def commands(database, run_id):
    with database.connect() as connection:
        query = sa.select(CommandRow.name, CommandRow.reason).where(CommandRow.run_id == run_id)
        return [tuple(row) for row in connection.execute(query)]


def test_a_run_whose_api_answers_is_halted_over_http(home, serve, backend, database, new_run, executing):
    home(serve(backend).port)
    answer = halt_over_http.halt("too hot & more=ü")
    assert answer is not None
    assert (answer["run_id"], answer["command"], answer["outcome"]) == (new_run, "halt", "done after event 7")
    assert commands(database, new_run) == [("halt", "too hot & more=ü")]


def test_without_an_outcome_the_answer_is_waiting(home, serve, backend, new_run, monkeypatch):
    monkeypatch.setattr(halt_over_http, "_OUTCOME_WAIT_S", 0.2)
    home(serve(backend).port)
    answer = halt_over_http.halt("")
    assert answer is not None and answer["outcome"].startswith("waiting")


def test_without_an_answer_of_the_api_the_database_is_used(home, database, new_run, executing, monkeypatch):
    monkeypatch.setattr(halt_over_http, "_ACCEPT_S", 0.2)
    with nonsense() as port:
        for dead in (free_port(0), port):
            home(dead)
            assert halt_over_http.halt("why") is None
    answer = manual_commands.send_command("halt", "", "why")
    assert answer["outcome"] == "done after event 7"
    assert commands(database, new_run) == [("halt", "why")]


def test_with_a_wrong_token_the_database_is_used(home, serve, backend, new_run):
    home(serve(backend, token="another token of the tests").port)
    assert halt_over_http.halt("") is None


def test_without_a_run_there_is_no_answer(tmp_path, monkeypatch):
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    assert halt_over_http.halt("") is None


def test_a_too_long_reason_is_refused_before_any_request(tmp_path, monkeypatch):
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    for refuse in (halt_over_http.halt, lambda r: manual_commands.send_command("halt", "", r)):
        with pytest.raises(InputError, match="100,000 bytes; it may have 1,024"):
            refuse("x" * 100_000)
    assert MAX_REASON_BYTES == 1_024


def test_a_hanging_database_fails_within_the_timeout(home, monkeypatch):
    monkeypatch.setattr(manual_commands, "_RECORD_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts connections, and nothing answers
        port = silent.getsockname()[1]
        home(free_port(0), f"postgresql://memesnipe:x@127.0.0.1:{port}/memesnipe")
        with pytest.raises(MemeSnipeError, match=r"did not respond within 0\.3 s; trading is paused"):
            manual_commands.send_command("halt", "", "")


def test_the_kill_file_is_written_although_no_server_answers(home, tmp_path, monkeypatch):
    """The database accepts connections and answers nothing, and neither does the API."""
    monkeypatch.setattr(manual_commands, "_RECORD_S", 0.3)
    monkeypatch.setattr(halt_over_http, "_ACCEPT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        home(port, f"postgresql://memesnipe:x@127.0.0.1:{port}/memesnipe")
        result = CliRunner().invoke(manual, ["halt"])
    assert isinstance(result.exception, MemeSnipeError)
    assert "did not respond" in str(result.exception)
    assert halt_level(tmp_path / "signer" / "halt") is HaltLevel.ALL


def test_with_nothing_running_the_halt_waits_for_the_next_start(tmp_path, monkeypatch):
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    result = CliRunner().invoke(manual, ["halt", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["outcome"] == "nothing is running: the halt takes effect at the next start"
    assert halt_level(tmp_path / "signer" / "halt") is HaltLevel.ALL
    assert not (tmp_path / "postgres").exists(), "no server is started for it"


def test_a_flatten_needs_a_running_system_and_a_confirmation(home, tmp_path, monkeypatch, new_run, serve, backend):
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path / "other"))
    result = CliRunner().invoke(manual, ["flatten", "--yes"])
    assert type(result.exception) is MemeSnipeError and "nothing is running" in str(result.exception)
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    home(serve(backend).port)
    result = CliRunner().invoke(manual, ["flatten", "--account", "paper"])
    assert isinstance(result.exception, InputError)
    shown = "flatten stops all entries of the paper account; no position is held there: confirm with --yes"
    assert str(result.exception) == shown
    for given in ([], ["--yes"]):  # refused before it asks
        result = CliRunner().invoke(manual, ["flatten", *given])
        assert isinstance(result.exception, InputError)
        assert str(result.exception) == (
            f"run {new_run} has no live account; trading is on paper, and nothing was done; "
            "`memesnipe flatten --account paper` sells what is held there"
        )


def test_a_flatten_says_what_is_left_and_why(home, serve, backend, database, new_run, executing, insert):
    home(serve(backend).port)
    held = {"account": "paper", "token": 1, "mint": "mint-1", "token_raw": 5, "cost_lamports": 7, "value_lamports": 6}
    insert(schema.PositionRow, **held, spec_id="a", realised_lamports=0, opened_ts=1, seq=1)
    with database.begin() as connection:  # the run has given the command an event and failed to sell
        connection.execute(sa.text("ALTER TABLE commands ALTER COLUMN seq SET DEFAULT 5"))
    order = {"account": "paper", "order_id": "a--1", "spec_id": "a", "token": 1, "mint": "mint-1", "side": "sell"}
    insert(schema.OrderRow, **order, reason="flatten", status="failed", decided_seq=5, decided_ts=1, due_ts=1)
    insert(
        schema.TradeRow, **order, status="FAILED", reason="flatten", failure="slippage", seq=6, ts=1, token_raw=0,
        sol_lamports=0, pool_fee_lamports=0, network_fee_lamports=0, value_usd=0.0,
    )  # fmt: skip
    try:
        result = CliRunner().invoke(manual, ["flatten", "--account", "paper", "--yes", "--wait", "1", "--json"])
    finally:
        with database.begin() as connection:
            connection.execute(sa.text("ALTER TABLE commands ALTER COLUMN seq DROP DEFAULT"))
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["sold"] == []
    (left,) = answer["left"]
    assert left["reason"].startswith("not sold: the order ended as failed (slippage)")


@contextmanager
def nonsense() -> Iterator[int]:
    """Yield the port of a server that is no HTTP server."""
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
