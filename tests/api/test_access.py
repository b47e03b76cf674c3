"""From another machine, data is for holders of the token alone; pages without data are for all."""

import asyncio

import httpx
import pytest

from memesnipe.api.access import RemoteAccess
from memesnipe.api.app import create_api
from memesnipe.api.commands import Commands
from memesnipe.api.request_checks import RequestChecks
from tests.api.conftest import PROBLEM, TOKEN, describe

DATA = ("/api/report", "/api/trades", "/api/events", "/openapi.json", "/api/nowhere")


@pytest.fixture
def get(backend, database, market, new_run, tmp_path):
    """Return a function that sends a GET from an address and returns the response."""
    api = create_api(backend, Commands(database, TOKEN, tmp_path / "halt"), market, describe, 1)

    def get(path, address, headers=None, token=TOKEN):
        app = RequestChecks(RemoteAccess(api, token), ["memes.example"])
        client = (address, 50_000) if address else None
        transport = httpx.ASGITransport(app, client=client)

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://memes.example") as sender:
                return await sender.get(path, headers=headers)

        return asyncio.run(ask())

    return get


@pytest.mark.parametrize("address", ["10.0.0.7", "2001:db8::1", "::ffff:10.0.0.7", "somewhere", ""])
@pytest.mark.parametrize("path", DATA)
def test_another_machine_reads_nothing_without_the_token(get, address, path):
    answer = get(path, address)
    assert (answer.status_code, set(answer.json())) == (401, PROBLEM)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("sent", ["Bearer wrong", "Bearer", f"Basic {TOKEN}", TOKEN])
def test_a_wrong_token_reads_nothing(get, sent):
    assert get("/api/report", "10.0.0.7", {"Authorization": sent}).status_code == 401


def test_an_installation_without_a_token_answers_no_other_machine(get):
    assert get("/api/report", "10.0.0.7", {"Authorization": "Bearer"}, token="").status_code == 401


def test_the_token_opens_the_data(get):
    assert get("/api/report", "10.0.0.7", {"Authorization": f"bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_reads_without_a_token(get, address):
    assert get("/api/report", address).status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/static/style.css"])
def test_the_pages_have_no_data_and_are_for_all(get, path):
    assert get(path, "10.0.0.7").status_code == 200
