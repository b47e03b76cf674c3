"""The report at the end of `up` as text: accounts apart, live orders and wallet in plain words, within 80 columns."""

from typing import Any

import pytest

from memesnipe.cli.account_figures import AccountReport
from memesnipe.cli.final_report import print_report, print_verdict

WALLET = "7" * 44
COUNTS = {"orders": 2_345, "refusals": 12, "fills": 2_301, "failed_orders": 44, "trades": 1_140, "open_positions": 21}
ACCOUNT: AccountReport = {
    **{"capital_usd": 10_000.0, "equity_usd": 9_905.39, "equity_lamports": 1, "change_usd": -94.61},
    **{"change_ratio": -0.0095, "trading_usd": 10.67, "realised_sol": 0.06, "unrealised_sol": -0.01, **COUNTS},
    **{"level": "warning", "halted": False, "drawdown": 0.06, "size_multiplier": 0.5},
}  # type: ignore[typeddict-item]
REPORT: dict[str, Any] = {"run_id": 3, "status": "stopped", "equity_usd": 9_905.39, "trades": 1_140, "live": None}
AGREES = {"wallet": WALLET, "source": "chain", "lamports": 7_123_456_789, "open_orders": 0, "differences": []}


def shown(capsys: pytest.CaptureFixture[str], **result: Any) -> list[str]:
    print_report(REPORT | result)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    return [" ".join(line.split()) for line in lines]


def test_the_figures_of_a_run_on_paper_are_in_the_column_of_its_account(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, accounts={"paper": ACCOUNT}, seconds=5.0)
    assert lines[:4] == ["report", "run_id 3", "status stopped", "seconds 5.00"]
    assert lines[4:6] == ["", "account paper"]
    assert {"change_usd -94.61 (-0.95%)", "trading_usd +10.67", "level warning, new positions 0.5x"} <= {*lines}
    assert lines[-1] == "change_usd: equity less capital: trading_usd, and what the price of SOL did"


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (AGREES, ["holds 7.123456789 SOL on the chain", "records agree to the lamport"]),
        (
            AGREES | {"source": "record"},
            ["holds 7.123456789 SOL when it was last read", "records agree to the lamport"],
        ),
        (AGREES | {"open_orders": 1}, ["records not compared: 1 order open, whose outcome is not known yet"]),
        (AGREES | {"differences": ["wallet: 1", "wallet: 2"]}, ["records 2 differences: wallet: 1; wallet: 2"]),
        (
            AGREES | {"lamports": None, "source": "not compared: the node is of another chain"},
            ["records not compared: the node is of another chain"],
        ),
        (None, ["wallet not compared: the database did not answer"]),
    ],
)
def test_a_live_run_has_its_accounts_apart_and_its_wallet_in_words(
    capsys: pytest.CaptureFixture[str], verdict: Any, words: list[str]
) -> None:
    live = ACCOUNT | {"equity_usd": 1_496.55, "trades": 3, "outcomes": {"expired": 1, "landed": 43}}
    lines = shown(capsys, accounts={"paper": ACCOUNT, "live": live}, live=COUNTS, wallet=verdict)
    assert {
        "account paper live",
        "equity_usd 9,905.39 1,496.55",
        "round trips 1,140 3",
        "orders 1 expired, 43 landed",
    } <= {*lines}
    assert lines[-len(words) :] == words


def test_without_the_database_at_the_end_the_last_figures_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys) == [
        "report",
        "run_id 3",
        "status stopped",
        "equity_usd 9,905.39",
        "round trips 1140",
        "live -",
    ]


COUNTED = {"orders": 2, "refusals": 0, "fills": 2, "failed_orders": 0, "trades": 1, "positions": 1, "equity_marks": 100}
VERDICT: dict[str, Any] = {"run_id": 3, "clean": True, "events": 9, "messages": 4, **COUNTED, "differences": []}


def verified(capsys: pytest.CaptureFixture[str], **verdict: Any) -> list[str]:
    print_verdict(VERDICT | verdict)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    return [" ".join(line.split()) for line in lines]


def test_the_verdict_on_a_run_on_paper_is_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = verified(capsys)
    assert lines[0] == "verify" and {"orders 2", "fills 2", "round trips 1"} <= {*lines}


def test_the_verdict_on_a_live_run_has_its_accounts_apart(capsys: pytest.CaptureFixture[str]) -> None:
    lines = verified(capsys, live=COUNTED | {"orders": 15, "trades": 7}, wallet=AGREES)
    assert {"account paper live", "orders 2 15", "round trips 1 7", "records agree to the lamport"} <= {*lines}
    assert "orders 2" not in lines
    wrong = ["orders live-a-1: missing", "wallet: 5 raw tokens of M, the records say 0"]
    lines = verified(capsys, live=COUNTED, wallet=AGREES, differences=wrong, difference_count=2)
    assert lines[-1] == "records 1 difference: wallet: 5 raw tokens of M, the records say 0"
