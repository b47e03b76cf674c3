"""The wallet: only its owner can read it, and errors never contain its key."""

import json
import os
from pathlib import Path

import pytest

from memesnipe.errors import InputError
from memesnipe.solana.wallet import load_wallet, make_wallet, new_wallet


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


@pytest.mark.parametrize(
    "content",
    ["", "[1, 2, 3]", '"text"', "[" + "999, " * 63 + "999]", "{}", "[" + "true, " * 63 + "true]", "[" * 60_000],
)
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
    (tmp_path / "folder.json").mkdir(mode=0o700)
    for name in ("link.json", "missing.json", "folder.json"):
        with pytest.raises(InputError, match="not a regular file"):
            load_wallet(tmp_path / name)


def test_a_folder_in_which_others_can_replace_the_file_is_refused(tmp_path: Path) -> None:
    make_wallet(tmp_path / "keypair.json")
    tmp_path.chmod(0o770)
    with pytest.raises(InputError, match="others can replace"):
        load_wallet(tmp_path / "keypair.json")


def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "keypair.json", 0o600)
    with pytest.raises(InputError, match="not a regular file"):
        load_wallet(tmp_path / "keypair.json")


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_wallet(tmp_path / "keypair.json")
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    with pytest.raises(InputError, match="can be read by others"):
        load_wallet(tmp_path / "keypair.json")


def test_halves_of_two_keys_are_refused_without_showing_them(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    make_wallet(one)
    make_wallet(two)
    mixed = json.loads(one.read_text())[:32] + json.loads(two.read_text())[32:]
    one.write_text(json.dumps(mixed))
    with pytest.raises(InputError, match="public half") as caught:
        load_wallet(one)
    assert str(mixed[0]) + ", " not in str(caught.value)


def test_a_new_wallet_never_overwrites_and_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "wallet" / "keypair.json"
    address = new_wallet(path)
    assert load_wallet(path).pubkey() == address
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    content = path.read_bytes()
    (tmp_path / "wallet" / "link.json").symlink_to("nowhere")
    for name in ("keypair.json", "link.json"):
        with pytest.raises(InputError, match="never overwritten"):
            new_wallet(path.with_name(name))
    assert path.read_bytes() == content
    assert sorted(file.name for file in path.parent.iterdir()) == ["keypair.json", "link.json"]
