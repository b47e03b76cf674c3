"""The policy file: complete, strict, and wrong ones named in one line."""

from pathlib import Path

import pytest

from memesnipe.errors import InputError
from memesnipe.signer.policy import default_policy_text, load_policy, make_policy, parse_policy

DEFAULT = default_policy_text()


def test_the_default_signs_nothing() -> None:
    policy = parse_policy(DEFAULT, "default")
    assert not policy.enabled
    assert len(policy.tip_keys) == 8
    assert policy.spend.per_transaction <= policy.spend.per_hour <= policy.spend.per_day


def test_it_is_written_once_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "signer" / "signer-policy.toml"
    make_policy(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(DEFAULT.replace("enabled = false", "enabled = true"))
    make_policy(path)
    assert load_policy(path).enabled


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("enabled = false", "", "enabled is missing"),
        ("enabled = false", "enabled = 1", "enabled is 1: must be a valid boolean"),
        ("enabled = false", "enabled = false\nenable = true", "enable is unknown"),
        ("per_hour = 100_000_000", "per_hour = -1", "spend.per_hour is -1"),
        ("per_hour = 100_000_000", "per_hour = 0.1", "spend.per_hour is 0.1: must be a valid integer"),
        ("per_hour = 100_000_000", "per_hour = true", "spend.per_hour is True"),
        ("per_hour = 100_000_000", "per_hour = 100_000_000\nper_week = 1", "spend.per_week is unknown"),
        ('"pumpswap"', '"raydium"', "venues.1 is 'raydium'"),
        ("96gYZ", "06gYZ", "tip_accounts.0 is '06gYZ"),
        ("[spend]", "[spend", "is not TOML"),
    ],
)
def test_a_wrong_policy_is_refused_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "policy.toml"
    assert old in DEFAULT
    path.write_text(DEFAULT.replace(old, new, 1))
    path.chmod(0o600)
    with pytest.raises(InputError) as caught:
        load_policy(path)
    assert message in str(caught.value)
    assert str(caught.value).isprintable()
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o640])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(DEFAULT)
    path.chmod(mode)
    with pytest.raises(InputError, match="others"):
        load_policy(path)


def test_links_folders_and_binary_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link.toml").symlink_to(tmp_path / "policy.toml")
    (tmp_path / "folder.toml").mkdir(mode=0o700)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for name in ("link.toml", "folder.toml", "binary.toml", "missing.toml"):
        with pytest.raises(InputError):
            load_policy(tmp_path / name)
