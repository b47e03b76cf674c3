"""The signer of an installation starts with signing off; with wrong files it runs, and says why it does not sign."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from memesnipe.errors import InputError
from memesnipe.signer.app import SIGN_PATH
from memesnipe.signer.policy import default_policy_text
from memesnipe.signer.startup import SignerFiles, open_signer_api
from memesnipe.solana.request_mac import load_secret, make_secret, sign_headers
from memesnipe.solana.wallet import new_wallet
from tests.signer.conftest import files_in
from tests.signer.served import serving

BODY = json.dumps(
    {
        "transaction": "AA==",
        "order_id": "one",
        "intent": {"side": "buy", "mint": "1" * 32, "max_in": 1, "min_out": 0, "decided_ms": 0},
    }
).encode()


@pytest.fixture
def files(tmp_path: Path) -> SignerFiles:
    folder = tmp_path / "signer"
    new_wallet(tmp_path / "wallet.json")
    make_secret(tmp_path / "token")
    return SignerFiles(tmp_path / "wallet.json", tmp_path / "token", folder / "policy.toml", folder, folder / "halt")


def ask(files: SignerFiles) -> tuple[httpx.Response, Any]:
    """Return the answer to a request to sign, and the health."""
    with serving(open_signer_api(files, "http://127.0.0.1:1/")) as client:
        headers = sign_headers(load_secret(files.token), "POST", SIGN_PATH, BODY) if files.token.exists() else {}
        return client.post("/sign", content=BODY, headers=headers), client.get("/health").json()


def test_signing_is_off_until_the_policy_enables_it(files: SignerFiles) -> None:
    answer, health = ask(files)
    assert (answer.status_code, answer.json()["reason"]) == (403, "disabled")
    assert health["signing"].startswith("disabled")
    assert b'"reason":"disabled"' in files_in(files.folder)


@pytest.mark.parametrize("broken", ["policy", "audit", "token", "spending"])
def test_with_a_wrong_file_nothing_is_signed(files: SignerFiles, broken: str) -> None:
    files.folder.mkdir(mode=0o700)
    if broken == "policy":
        files.policy.write_text(default_policy_text() + "\nmore = 1")
        files.policy.chmod(0o600)
    elif broken == "token":
        files.token.unlink()
    else:
        (files.folder / {"audit": "audit.jsonl", "spending": "spending.sqlite"}[broken]).write_text(
            "no such thing\n" * 200
        )
    answer, health = ask(files)
    assert (answer.status_code, answer.json()["reason"]) == (403, "unavailable")
    assert health["status"] == "healthy"
    assert str(files.folder.parent) in health["signing"]


def test_an_unsafe_wallet_is_an_error(files: SignerFiles) -> None:
    files.wallet.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        open_signer_api(files, "http://127.0.0.1:1/")
