"""`memesnipe safety`: a wrong address and a missing wallet are one line; an unsafe token has the exit code 3."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from memesnipe.cli.safety import safety
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


@pytest.mark.parametrize(("mint", "text"), [("nonsense", "is no address of a token"), (MINT, "regular file")])
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
