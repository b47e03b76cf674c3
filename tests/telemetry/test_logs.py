"""Logs are JSON lines with the actor's name and without passwords."""

import json
from pathlib import Path

import pytest

from memesnipe.telemetry.logs import open_log, without_secrets


def test_a_line_is_json_with_the_actor_and_no_password(tmp_path: Path) -> None:
    log = open_log(tmp_path, "executor", "INFO")
    log.debug("not at this level")
    log.info("connecting", url="postgresql://me:secret@host/db", seq=3)
    try:
        raise RuntimeError("redis://:hidden@host refused")
    except RuntimeError as error:
        log.error("recovering", exc_info=error)
    text = (tmp_path / "executor.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in lines] == ["connecting", "recovering"]
    assert {line["actor"] for line in lines} == {"executor"}
    assert lines[0]["seq"] == 3
    assert "RuntimeError" in lines[1]["exception"]
    assert "secret" not in text
    assert "hidden" not in text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("wss://host/?api-key=secret refused", "wss://host/?api-key=*** refused"),
        ("GET /v1?a=b&API_KEY=secret#x", "GET /v1?a=b&API_KEY=***#x"),
        ("('https://host/?x-token=secret', 1)", "('https://host/?x-token=***', 1)"),
        ("wss://me:secret@host/?apikey=secret&client_secret=secret", "wss://me:***@host/?apikey=***&client_secret=***"),
        ("https://host/price?ids=a&ids=b", "https://host/price?ids=a&ids=b"),
    ],
)
def test_passwords_and_keys_of_urls_are_masked(text: str, masked: str) -> None:
    assert without_secrets(text) == masked
