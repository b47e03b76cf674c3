"""Notifications arrive at a real webhook through Apprise: each fact once, a limited number, and no secret."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from memesnipe.config.settings import settings_from
from memesnipe.errors import InputError
from memesnipe.runtime.notice_sources import AlertNotices, HealthNotices, RecordNotices, SignerNotices
from memesnipe.runtime.notifications import open_sender, start_notifier
from memesnipe.runtime.notifier import Notifier
from memesnipe.servers.process import free_port
from memesnipe.storage.schema import BreakerRow, LifecycleRow
from memesnipe.telemetry.apprise_sender import AppriseSender
from memesnipe.telemetry.logs import open_log
from memesnipe.telemetry.notices import Notice, Outbox
from tests.webhook import TOKEN, Webhook

TIMEOUT_S = 20.0


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    yield server
    server.close()


@pytest.fixture
def urls(tmp_path: Path, webhook: Webhook) -> Path:
    path = tmp_path / "urls"
    path.write_text(f"# services\n\n{webhook.url}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def start(urls: Path, tmp_path: Path) -> Iterator[Callable[..., None]]:
    started: list[Notifier] = []

    def start_one(max_per_hour: int = 20, **sources: Any) -> None:
        log = open_log(tmp_path / "logs", "up", "INFO")
        started.append(Notifier(sources, AppriseSender(urls), max_per_hour, log, poll_s=0.01))
        started[-1].start()

    yield start_one
    for notifier in started:
        notifier.stop()


def test_a_notice_arrives_once_and_neither_text_nor_log_has_a_secret(
    start: Callable[..., None], webhook: Webhook, tmp_path: Path
) -> None:
    polls = threading.Semaphore(0)

    def source() -> list[Notice]:
        polls.release()
        return [Notice("feed", "feed fails", "wss://host/?api-key=hidden-key refused", "failure")]

    start(feed=source)
    path, body = webhook.posted.get(timeout=TIMEOUT_S)
    for _ in range(5):
        assert polls.acquire(timeout=TIMEOUT_S)
    assert path == f"/{TOKEN}"
    assert (body["title"], body["type"]) == ("MemeSnipe: feed fails", "failure")
    assert body["message"] == "wss://host/?api-key=*** refused"
    assert webhook.posted.empty()
    log = (tmp_path / "logs" / "up.jsonl").read_text()
    assert "notification sent" in log and "hidden" not in log


def test_a_run_with_the_setting_sends_what_is_recorded(
    urls: Path, webhook: Webhook, tmp_path: Path, database_url: str, new_run: int, insert: Callable[..., None]
) -> None:
    insert(BreakerRow, account="paper", level="emergency", drawdown=0.16)
    given = {"memesnipe_home": tmp_path, "database_url": database_url, "dashboard_port": free_port(0)}
    assert open_sender(settings_from(given, env_file=None)) is None, "off by default"
    settings = settings_from(given | {"notify_urls_filename": urls}, env_file=None)
    sender = open_sender(settings)
    assert sender is not None
    log = open_log(tmp_path / "logs", "up", "INFO")
    with ExitStack() as stack:
        start_notifier(sender, settings, new_run, lambda: "", log, stack)
        body = webhook.posted.get(timeout=TIMEOUT_S)[1]
    assert body["message"] == "paper account: level emergency, 16.0% below its peak (was: level normal)."
    assert TOKEN not in (tmp_path / "logs" / "up.jsonl").read_text()


def test_a_service_that_refuses_is_an_error_in_the_log_without_its_url(
    start: Callable[..., None], webhook: Webhook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    webhook.status = 500
    done = threading.Event()

    def source() -> list[Notice]:
        if not webhook.posted.empty():
            done.set()
        return [Notice("a", "t", "x")]

    start(one=source)
    assert done.wait(TIMEOUT_S)
    log = (tmp_path / "logs" / "up.jsonl").read_text()
    assert "notification failed" in log and TOKEN not in log + caplog.text


def test_a_source_that_fails_does_not_stop_the_others(
    start: Callable[..., None], webhook: Webhook, tmp_path: Path
) -> None:
    def broken() -> list[Notice]:
        raise RuntimeError("postgresql://me:hidden@host does not respond")

    start(broken=broken, works=lambda: [Notice("a", "t", "x")])
    assert webhook.posted.get(timeout=TIMEOUT_S)[1]["message"] == "x"
    log = (tmp_path / "logs" / "up.jsonl").read_text()
    assert "no notices from a source" in log and "hidden" not in log


def test_the_number_an_hour_is_limited_and_the_rest_is_counted() -> None:
    outbox = Outbox(2)
    sent = [outbox.choose(Notice(str(i), "t", "x"), float(i)) for i in range(5)]
    assert [notice is not None for notice in sent] == [True, True, False, False, False]
    later = outbox.choose(Notice("later", "t", "x"), 3_600.5)
    assert later is not None and later.text == "x\n(3 earlier notifications were held back.)"
    assert outbox.choose(Notice("0", "t", "x"), 3_601.5) is None, "sent already"
    changed = outbox.choose(Notice("0", "t", "y"), 3_602.0)
    assert changed is not None and changed.text == "y"


def test_a_long_text_is_cut() -> None:
    sent = Outbox(2).choose(Notice("a", "t", "x" * 5_000), 0.0)
    assert sent is not None and len(sent.text) == 1_003


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        ("", 0o600, "has no URL"),
        ("# none\n", 0o600, "has no URL"),
        (f"json://localhost\nnonsense:{TOKEN}\n", 0o600, ":2: is not a URL that Apprise knows"),
        ("json://localhost\n", 0o644, "can be read by others: make it yours alone with `chmod 600"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, mode: int, message: str) -> None:
    (tmp_path / "urls").write_text(text)
    (tmp_path / "urls").chmod(mode)
    with pytest.raises(InputError, match=message) as raised:
        AppriseSender(tmp_path / "urls")
    assert TOKEN not in str(raised.value)


def test_promotions_and_the_breaker_are_told_when_they_change(
    database: sa.Engine, new_run: int, insert: Callable[..., None]
) -> None:
    def promote(number: int, spec_id: str, to_mode: str) -> None:
        row = {"number": number, "spec_id": spec_id, "from_mode": "simulating", "to_mode": to_mode, "reason": "proof"}
        insert(LifecycleRow, **row)

    insert(BreakerRow, account="paper", level="normal")
    promote(1, "before", "paper")
    source = RecordNotices(database, new_run)
    assert source() == []
    promote(2, "a1", "paper")
    promote(3, "b2", "retired")
    promote(4, "c3", "live")
    (paper, live) = source()
    assert (paper.title, paper.text) == ("1 promoted to paper", "a1 (from simulating): proof")
    assert (live.title, live.text) == ("1 promoted to live", "c3 (from simulating): proof")
    with database.begin() as connection:
        of_run = BreakerRow.run_id == new_run
        connection.execute(sa.update(BreakerRow).where(of_run).values(level="critical", drawdown=0.11))
    (risk,) = source()
    assert risk.text == "paper account: level critical, 11.0% below its peak (was: level normal)."
    assert risk.severity == "failure" and source() == []
    with database.begin() as connection:
        connection.execute(sa.update(BreakerRow).where(of_run).values(level="normal", halted=True))
    assert "trading is halted by a command" in source()[0].text
    with database.begin() as connection:
        connection.execute(sa.update(BreakerRow).where(of_run).values(halted=False))
    assert source()[0].severity == "success"


def test_health_is_told_after_half_a_minute_and_at_its_end() -> None:
    bad, good = {"status": "degraded", "detail": "market_data stalled"}, {"status": "healthy", "detail": ""}
    answers = [good, *[bad] * 8, good, good]
    source = HealthNotices(lambda: answers.pop(0), lambda: "")
    told = [source() for _ in range(11)]
    assert [len(notices) for notices in told] == [0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0]
    assert told[6][0].text == "degraded: market_data stalled"
    assert told[9][0].title == "healthy again"


def test_an_api_that_does_not_answer_and_a_dead_server_are_problems() -> None:
    def refuses() -> dict[str, Any]:
        raise ConnectionRefusedError

    source = HealthNotices(refuses, lambda: "")
    told = [source() for _ in range(60)]  # a start may take minutes
    assert not any(told[:59]) and told[59][0].text == "the API does not respond (ConnectionRefusedError)"
    source = HealthNotices(refuses, lambda: "PostgreSQL has not restarted")
    assert [source() for _ in range(60)][-1][0].text == "PostgreSQL has not restarted"


def test_refusals_of_the_signer_are_told_by_reason(tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    source = SignerNotices(log)
    assert source() == []
    log.write_text('{"decision": "refused", "reason": "limit"}\n{"decision": "signed"}\n{"decision": "refu')
    assert [notice.text for notice in source()] == ["1 transactions were not signed: limit."]
    with log.open("a") as file:
        file.write('sed", "reason": "program"}\n')
    assert [notice.text for notice in source()] == ["1 transactions were not signed: program."]
    assert SignerNotices(log)() == [], "those before the start are no news"


def test_alerts_of_prometheus_are_told_when_they_begin_and_end() -> None:
    def alert(name: str, state: str) -> dict[str, Any]:
        annotations = {"summary": f"{name} is bad", "runbook_url": f"docs/operations.md#{name.lower()}"}
        return {"labels": {"alertname": name, "actor": "executor"}, "annotations": annotations, "state": state}

    answers = [[alert("ActorDown", "pending")], [alert("ActorDown", "firing")], [alert("ActorDown", "firing")], []]
    source = AlertNotices("http://host/", lambda _: json.dumps({"data": {"alerts": answers.pop(0)}}).encode())
    told = [source() for _ in range(4)]
    assert [[notice.text for notice in notices] for notices in told] == [
        [], ["ActorDown is bad docs/operations.md#actordown"], [],
        ["Resolved: ActorDown is bad docs/operations.md#actordown"],
    ]  # fmt: skip
