"""The wallet: only its owner can read it, and errors never contain its key."""

import json
from pathlib import Path

import pytest

from memesnipe.errors import InputError
from memesnipe.solana.wallet import load_wallet, make_wallet


def test_an_existing_wallet_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "wallet" / "keypair.json"
    make_wallet(path)
    pubkey = load_wallet(path).pubkey()
    make_wallet(path)
    assert load_wallet(path).pubkey() == pubkey
    assert len(json.loads(path.read_text())) == 64


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keypair.json"
    make_wallet(path)
    path.chmod(mode)
    with pytest.raises(InputError, match="can be read by others"):
        load_wallet(path)


@pytest.mark.parametrize("content", ["", "[1, 2, 3]", '"text"', "[" + "999, " * 63 + "999]", "{}"])
def test_an_invalid_keypair_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keypair.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(InputError, match="is not a keypair") as caught:
        load_wallet(path)
    assert "999" not in str(caught.value)


def test_links_and_missing_files_are_refused(tmp_path: Path) -> None:
    make_wallet(tmp_path / "keypair.json")
    (tmp_path / "link.json").symlink_to(tmp_path / "keypair.json")
    for name in ("link.json", "missing.json"):
        with pytest.raises(InputError, match="not a regular file"):
            load_wallet(tmp_path / name)
