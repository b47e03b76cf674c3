"""Log lines of the order path have the ids that join them."""

import json
from pathlib import Path

from memesnipe.engine.orders import Fill, Order
from memesnipe.protocol.account import Account
from memesnipe.roles.order_log import log_steps
from memesnipe.telemetry.logs import open_log
from memesnipe.trading.steps import DeskFill, Step

ORDER = Order("a1", 4, 2, 1, "signal", 10, 9, 20, 0.1, 1_000, 0, 50)


def test_an_order_and_its_trade_have_the_same_order_id(tmp_path: Path) -> None:
    log = open_log(tmp_path, "executor", "INFO").bind(run=5)
    fill = Fill(ORDER, 21, 12, 50, 990, 5, 5, 985, "")
    failed = Fill(ORDER, 21, 12, 0, 0, 0, 5, 0, "slippage")
    log_steps(log, [Step(9, 10, Account.PAPER, orders=[ORDER])], {2: "MintA"})
    log_steps(log, [Step(12, 21, Account.PAPER, fills=[DeskFill(fill, 200.0), DeskFill(failed, 200.0)])], {2: "MintA"})
    lines = [json.loads(line) for line in (tmp_path / "executor.jsonl").read_text().splitlines()]
    assert [(line["event"], line["seq"], line.get("outcome")) for line in lines] == [
        ("order", 9, None), ("trade", 12, "landed"), ("trade", 12, "slippage"),
    ]  # fmt: skip
    assert {(line["run"], line["order_id"], line["side"], line["mint"]) for line in lines} == {
        (5, "a1-4", "buy", "MintA")
    }
