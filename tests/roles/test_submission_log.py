"""Log lines about a live order's submission have its ids; polling is logged only where it changes something."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from memesnipe.engine.orders import Order
from memesnipe.execution.submission import Submission
from memesnipe.execution.submission_events import (
    BlockHeight,
    Built,
    Observation,
    SendFinished,
    SigningRefused,
    StatusSeen,
)
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.roles.submission_log import log_submission
from memesnipe.solana.submission.ports import SubmissionStep
from memesnipe.telemetry.logs import open_log

ORDER = Order("a1", 4, 2, 1, "signal", 10, 9, 20, 0.1, 1_000, 0, 50)
SENT = Submission(OrderStatus.SUBMITTED, b"message", 7, b"transaction", "5Sig")


def logged(folder: Path, observation: Observation, before: Submission, after: Submission) -> list[dict[str, object]]:
    log = open_log(folder, "venue", "INFO").bind(run=5)
    log_submission(log, SubmissionStep("live-a1-4", ORDER, "MintA", observation, before, after))
    return [json.loads(line) for line in (folder / "venue.jsonl").read_text().splitlines()]


def test_a_send_has_the_ids_its_lanes_and_their_errors(tmp_path: Path) -> None:
    (line,) = logged(tmp_path, SendFinished(("rpc",), ("jito: 429",)), replace(SENT, status=OrderStatus.SIGNED), SENT)
    ids = ("run", "seq", "order_id", "side", "mint", "signature", "status", "observed")
    assert [line[name] for name in ids] == [5, 9, "live-a1-4", "buy", "MintA", "5Sig", "submitted", "SendFinished"]
    assert (line["lanes"], line["errors"], line["level"]) == (["rpc"], ["jito: 429"], "info")


@pytest.mark.parametrize("polled", [StatusSeen(None, 3), BlockHeight(1, 2)])
def test_polling_is_logged_where_the_status_changes(tmp_path: Path, polled: Observation) -> None:
    assert logged(tmp_path, polled, SENT, SENT) == []
    (line,) = logged(tmp_path, polled, SENT, replace(SENT, status=OrderStatus.EXPIRED))
    assert line["status"] == "expired"


def test_a_refusal_is_a_warning_with_its_reason_and_without_the_bytes(tmp_path: Path) -> None:
    built = Submission(message=b"message")
    (line,) = logged(tmp_path, SigningRefused("halted"), built, replace(built, status=OrderStatus.FAILED))
    assert (line["level"], line["reason"], line["status"]) == ("warning", "halted", "failed")
    (_, after) = logged(tmp_path, Built(b"message", 9), Submission(), built)
    assert "message" not in after and "signature" not in after


def test_a_contradiction_is_an_error(tmp_path: Path) -> None:
    gone = replace(SENT, contradiction="a confirmed transaction has disappeared")
    (line,) = logged(tmp_path, StatusSeen(None, 3), SENT, gone)
    assert (line["level"], line["detail"]) == ("error", "a confirmed transaction has disappeared")
