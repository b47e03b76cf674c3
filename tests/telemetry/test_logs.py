"""Logs are JSON lines with the actor's name and without passwords."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from memesnipe.telemetry import logs
from memesnipe.telemetry.logs import copy_logs, open_log, set_level, start_copy, without_secrets


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    logging.getLogger("memesnipe").setLevel(logging.NOTSET)
    copy_logs(None)


def events(path: Path) -> list[str]:
    return [json.loads(line)["event"] for line in path.read_text().splitlines()]


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


def test_the_level_changes_in_logs_that_are_open_and_in_later_ones(tmp_path: Path) -> None:
    first = open_log(tmp_path, "executor", "INFO")
    first.debug("before")
    set_level("DEBUG")
    first.debug("after")
    open_log(tmp_path, "position", "INFO").debug("opened later")
    set_level("ERROR")
    first.warning("too low")
    assert events(tmp_path / "executor.jsonl") == ["after"]
    assert events(tmp_path / "position.jsonl") == ["opened later"]


def test_a_log_is_rotated_and_no_line_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_MAX_BYTES", 1_000)
    log = open_log(tmp_path, "executor", "INFO")
    for number in range(30):
        log.info("line", number=number)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["executor.jsonl", "executor.jsonl.1", "executor.jsonl.2", "executor.jsonl.3"]
    kept = [
        json.loads(line)["number"] for name in reversed(names) for line in (tmp_path / name).read_text().splitlines()
    ]
    assert kept == list(range(kept[0], 30)) and all((tmp_path / name).stat().st_size <= 1_000 for name in names)


def test_lines_are_copied_to_the_standard_output_of_another_process(tmp_path: Path) -> None:
    script = "import sys; sys.stdin.read()"  # as the first process of a container, which only holds the pipe
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as container:
        copy_logs(Path(f"/proc/{container.pid}/fd/1"))
        open_log(tmp_path, "executor", "INFO").info("order", order_id="a-1")
        open_log(tmp_path, "position", "INFO").info("mark")
        assert container.stdin is not None and container.stdout is not None
        container.stdin.close()
        lines = [json.loads(container.stdout.readline()) for _ in range(2)]
    assert [(line["actor"], line["event"]) for line in lines] == [("executor", "order"), ("position", "mark")]
    assert events(tmp_path / "executor.jsonl") == ["order"]


def test_a_pipe_that_nobody_reads_loses_lines_and_never_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    copy_logs(tmp_path / "pipe")
    log = open_log(tmp_path, "executor", "INFO")
    for number in range(300):
        log.info("line", text="x" * 1_000, number=number)
    read = os.read(reader, 1 << 20)
    log.info("after")
    *_, notice, last = os.read(reader, 1 << 20).decode().splitlines()
    os.close(reader)
    lost = json.loads(notice)["lines"]
    assert json.loads(last)["event"] == "after" and lost == 300 - read.count(b"\n") > 100
    assert len(events(tmp_path / "executor.jsonl")) == 301


def test_a_copy_that_cannot_be_written_is_an_error_in_the_log(tmp_path: Path) -> None:
    log = open_log(tmp_path, "executor", "INFO")
    start_copy(tmp_path / "missing" / "out", log)
    assert events(tmp_path / "executor.jsonl") == ["logs are not copied"]
