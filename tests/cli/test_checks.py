"""`memesnipe verify` names the orders in flight, which are no differences."""

import json
from pathlib import Path

import pytest

from tests.cli.in_process import memesnipe


def verdict(open_orders: int) -> dict[str, object]:
    wallet = {"wallet": "a", "source": "chain", "lamports": 5, "open_orders": open_orders}
    return {"run_id": 3, "clean": True, "wallet": wallet, "difference_count": 0, "differences": []}


def test_orders_in_flight_are_named_and_are_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memesnipe.cli.verify.verify", lambda _: verdict(2))
    done = memesnipe(tmp_path, "verify")
    assert done.returncode == 0
    assert done.stderr == (
        "2 live orders in flight, so the wallet was not compared: verify again when they are settled\n"
    )
    assert json.loads(memesnipe(tmp_path, "verify", "--json").stdout)["wallet"]["open_orders"] == 2


def test_with_settled_orders_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memesnipe.cli.verify.verify", lambda _: verdict(0))
    assert memesnipe(tmp_path, "verify").stderr == ""
