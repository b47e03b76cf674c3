"""The token: only its owner can read its file, and only the token itself is accepted."""

import stat
from pathlib import Path

import pytest

from memesnipe.api.token import is_allowed, load_token, make_token
from memesnipe.errors import InputError


def test_an_existing_token_is_kept_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "api_token"
    make_token(path)
    token = load_token(path)
    make_token(path)
    assert load_token(path) == token
    assert len(token) > 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_an_invalid_token_file_is_refused_without_showing_it(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with pytest.raises(InputError, match="not a regular file"):
        load_token(path)
    path.write_text("short secret")
    path.chmod(0o600)
    with pytest.raises(InputError, match="too short") as refused:
        load_token(path)
    assert "secret" not in str(refused.value)
    path.write_bytes(b"\xff" * 40)
    with pytest.raises(InputError, match="not a text file"):
        load_token(path)
    path.write_text("long enough to be a token")
    path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        load_token(path)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [("abc", True), (" abc ", True), ("abd", False), ("ab\u0107", False), ("", False), (None, False)],
)
def test_only_the_token_is_accepted(given: str | None, allowed: bool) -> None:
    assert is_allowed(given, "abc") is allowed
    assert not is_allowed(given, "")
