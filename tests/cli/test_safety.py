"""`memesnipe safety`: a wrong address and a missing wallet are one line; an unsafe token has the exit code 3."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from memesnipe.cli.safety import lines, safety
from memesnipe.errors import InputError
from memesnipe.solana.wallet import new_wallet

MINT = "9BB6NFEcjBCtnNLFko2FqVQBq8HHM13kCyYcdQbgpump"
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SOLANA_RPC_URL", "JUPITER_API_URL", "RUGCHECK_API_URL"):
        monkeypatch.setenv(name, NOWHERE)
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("mint", "text"),
    [("nonsense", "is no address of a token"), (MINT, "`memesnipe wallet new` makes one")],
)
def test_a_wrong_address_and_a_missing_wallet_are_errors_of_the_user(home: Path, mint: str, text: str) -> None:
    result = CliRunner().invoke(safety, [mint])
    assert isinstance(result.exception, InputError)
    assert text in str(result.exception)


def test_where_nothing_answers_the_token_is_not_safe_and_each_check_says_so(home: Path) -> None:
    new_wallet(home / "wallet" / "keypair.json")
    result = CliRunner().invoke(safety, [MINT, "--json"])
    assert result.exit_code == 3, result.exception
    answer = json.loads(result.stdout)
    assert (answer["mint"], answer["safe"], answer["stored"]) == (MINT, False, "no: nothing is running")
    assert {reason["check"] for reason in answer["reasons"]} == {"mint", "holders", "sale", "rugcheck", "jupiter"}
    assert set(answer["sources"].values()) == {"no answer"}


def test_the_verdict_is_shown_in_words(home: Path) -> None:
    new_wallet(home / "wallet" / "keypair.json")
    result = CliRunner().invoke(safety, [MINT])
    lines = result.stdout.splitlines()
    assert lines[0] == f"{MINT} is not bought:"
    assert [line.split()[0] for line in lines[1:-1]] == ["mint", "holders", "sale", "rugcheck", "jupiter"]
    assert all("cannot be checked: " in line for line in lines[1:-1])
    assert re.fullmatch(r"Assessed at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC; not stored: nothing is running", lines[-1])


@pytest.mark.parametrize(
    ("sources", "reasons", "line"),
    [
        ({"mint": "checked"}, [], "  mint     no danger found"),
        ({"rugcheck": "not configured"}, [], "  rugcheck not configured"),
        ({"sale": "checked"}, [{"check": "sale", "detail": 'not sold: {"InstructionError":[1,{"Custom":6004}]}'}],
         "  sale     not sold: on PumpSwap: the price moved past the order's slippage limit "
         "(instruction 2 of the transaction, code 6004)"),
    ],
)  # fmt: skip
def test_each_check_is_a_line(sources: dict[str, str], reasons: list[dict[str, str]], line: str) -> None:
    answer = {"mint": MINT, "ts": 0, "safe": not reasons, "sources": sources, "reasons": reasons, "stored": "in run 1"}
    first, found, last = lines(answer)
    assert found == line
    assert first == f"{MINT} " + ("is not bought:" if reasons else "may be bought: no check speaks against it.")
    assert last == "Assessed at 1970-01-01 00:00:00 UTC; stored in run 1"
