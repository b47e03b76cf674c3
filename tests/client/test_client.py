"""The client against the API on a real port: typed responses, all pages, unchanged data, and errors of one line."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pandas
import pytest

from memesnipe.api import schemas
from memesnipe.client import (
    ApiError,
    BusyError,
    Client,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    UnexpectedResponseError,
    UnreachableError,
)
from memesnipe.errors import InputError
from memesnipe.secret_file import create_secret
from memesnipe.servers.process import free_port
from memesnipe.storage import schema
from tests.api.conftest import TOKEN, backend, bus, market, serve, signer  # noqa: F401 - fixtures


@pytest.fixture
def client(backend, serve, tmp_path, monkeypatch):  # noqa: F811
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port(0)}")
    (tmp_path / "secrets").mkdir(mode=0o700)
    create_secret(tmp_path / "secrets" / "token", TOKEN)
    with Client(serve(backend).url, token_file=tmp_path / "secrets" / "token") as client:
        yield client


def add_trades(insert, *numbers: int) -> None:
    for number in numbers:
        insert(schema.TradeRow, order_id=f"a/{number:03}", spec_id="a", mint="M", seq=number, ts=number, side="buy")


def test_every_read_returns_the_declared_type(client, new_run, insert):
    insert(schema.StrategyRow, spec_id="abc:1", mode="paper", genome={"signals": []})
    add_trades(insert, 1)
    for name in ("report", "learned", "portfolio", "risk", "equity", "settings", "market"):
        found = getattr(client, name)()
        assert type(found).__module__.startswith("memesnipe.api.schemas"), name
    for name in ("families", "lifecycle", "generations", "positions", "commands"):
        assert isinstance(getattr(client, name)(), list)
    assert [list(rows) for rows in (client.refusals(), client.actions(), client.tokens())] == [[], [], []]
    assert client.health().status in ("degraded", "unhealthy")  # without heartbeats
    assert client.strategy("abc:1").strategy.mode == "paper" and client.genome("abc:1")["spec_id"] == "abc:1"
    assert [strategy.spec_id for strategy in client.strategies(mode="paper")] == ["abc:1"]
    assert list(client.strategies(mode="live")) == [] and client.verdicts("M") == []
    (trade,) = client.trades(spec_id="a", side="buy", since_ts=1)
    assert isinstance(trade, schemas.Trade) and trade.order_id == "a/001"


def test_a_list_has_every_row_once_although_rows_arrive_meanwhile(client, new_run, insert):
    add_trades(insert, *range(10))
    rows = client.trades(page_size=4)
    found = [next(rows).order_id]
    add_trades(insert, *range(10, 16))  # more than a page
    found += [trade.order_id for trade in rows]
    assert found == [f"a/{number:03}" for number in range(9, -1, -1)]


def test_what_has_not_changed_is_not_transferred(client, new_run, insert, monkeypatch):
    add_trades(insert, 1)
    statuses: list[int] = []
    send = client._transport._send
    monkeypatch.setattr(
        client._transport, "_send", lambda request: [found := send(request), statuses.append(found.status_code)][0]
    )
    assert list(client.trades()) == list(client.trades()) and statuses == [200, 304]
    add_trades(insert, 2)
    assert len(list(client.trades())) == 2 and statuses == [200, 304, 200]


def test_lists_are_saved_as_files(client, new_run, insert, tmp_path):
    add_trades(insert, 1, 2)
    saved = client.save("trades", tmp_path / "t.parquet", spec_id="a")
    assert list(pandas.read_parquet(saved)["order_id"]) == ["a/002", "a/001"]
    assert client.save("equity", str(tmp_path / "e.csv"), account="live").read_text().startswith("seq,ts,equity_usd")
    with pytest.raises(InputError, match=r"t\.xlsx: end its name with \.csv or \.parquet"):
        client.save("trades", tmp_path / "t.xlsx")


def test_a_command_needs_the_token(client, new_run, backend, serve):  # noqa: F811
    recorded = client.halt("from a test")
    assert client.commands()[0].command_id == recorded.command_id
    assert [action.name for action in client.actions()] == ["halt"]
    assert client.reset_risk("again").command_id == recorded.command_id + 1
    with Client(client.url) as without, pytest.raises(NotAllowedError, match="send the token") as raised:
        without.halt("without a token")
    assert (raised.value.status, raised.value.exit_code) == (401, 3)


def test_errors_are_typed_and_of_one_line(client, new_run, tmp_path):
    with pytest.raises(NotFoundError, match="there is no strategy nobody in the newest run"):
        client.strategy("nobody")
    with pytest.raises(InvalidRequestError, match="sort: Input should be"):
        list(client.strategies(sort="profit"))
    with pytest.raises(NotFoundError):
        client.strategy("../../report?x=1")
    with pytest.raises(NotFoundError):
        client.promote("nobody", "")
    with pytest.raises(InputError, match=r"ftp://x: is no address of the API"):
        Client("ftp://x")
    nowhere = f"http://127.0.0.1:{free_port(0)}"
    with Client(nowhere) as unreachable, pytest.raises(UnreachableError, match=f"{nowhere} does not respond: "):
        unreachable.report()
    open_to_all = tmp_path / "open"
    open_to_all.write_text(TOKEN)
    open_to_all.chmod(0o644)
    with Client(client.url, token_file=open_to_all) as careless, pytest.raises(InputError, match="chmod 600"):
        careless.halt("")


class Scripted(BaseHTTPRequestHandler):
    status, body = 200, b""

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.send_header("Retry-After", "7")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def scripted() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Scripted) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (503, {"detail": "too many\nrequests"}, BusyError, "too many requests"),
        (500, None, UnexpectedResponseError, "/api/learned: 500 Internal Server Error"),
        (200, {"in_words": 3}, UnexpectedResponseError, "unexpected response at /api/learned: in_words: Input should"),
        (200, None, UnexpectedResponseError, "unexpected response at /api/learned: Invalid JSON"),
    ],
)
def test_a_response_that_is_none_of_the_api_is_one_line(scripted, monkeypatch, status, body, kind, words):
    monkeypatch.setattr(Scripted, "status", status)
    monkeypatch.setattr(Scripted, "body", json.dumps(body).encode() if body is not None else b"<html>")
    with Client(f"http://127.0.0.1:{scripted.server_port}") as client, pytest.raises(kind) as raised:
        client.learned()
    assert str(raised.value).startswith(words) and "\n" not in str(raised.value)
    assert isinstance(raised.value, ApiError) and raised.value.status == status


def test_fields_of_a_later_version_are_left_out(scripted, monkeypatch):
    later = {"state": "up", "detail": "", "later": 1}
    answer = {"status": "healthy", "version": "99", "detail": "", "parts": {"redis": later}, "started_at": "", "new": 2}
    monkeypatch.setattr(Scripted, "body", json.dumps(answer).encode())
    with Client(f"http://127.0.0.1:{scripted.server_port}/") as client:
        assert client.health().parts == {"redis": schemas.Part(state="up", detail="")}


def test_the_example_of_the_documents_runs(client, new_run, insert, monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    example = text.split("```python\n", 1)[1].split("```", 1)[0]
    add_trades(insert, 1)
    printed: list[object] = []
    here = example.replace('"http://127.0.0.1:8080"', f'"{client.url}"').replace(
        '".memesnipe/secrets/api_token"', f'"{client._transport._token_file}"'
    )
    exec(here, {"print": lambda *words: printed.append(words)})
    assert len(printed) >= 3 and client.commands()[0].reason == "looking into a loss"
