"""The audit log: every change of it is found, and what a crash leaves is repaired and said."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.signer.audit import AuditLog, verify_audit


def write(path: Path, entries: int = 5) -> bytes:
    log = AuditLog(path, 0)
    for number in range(entries):
        log.append({"decision": "refused", "reason": "halted", "number": number, "text": "a\nb \u00e9"})
    log.close()
    return path.read_bytes()


def test_a_log_continues_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "signer" / "audit.jsonl"
    write(path)
    content = write(path)
    found = verify_audit(path)
    assert (found.entries, found.size, found.torn) == (10, len(content), b"")
    lines = [orjson.loads(line) for line in content.splitlines()]
    assert [line["seq"] for line in lines] == list(range(10))
    assert lines[-1]["hash"] == found.head
    assert path.stat().st_mode & 0o777 == 0o600


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_changed_line_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("log") / "audit.jsonl"
    lines = write(path).splitlines(keepends=True)
    at = data.draw(st.integers(0, 3))
    kind = data.draw(st.sampled_from(["remove", "repeat", "swap", "byte"]))
    changed = list(lines)
    if kind == "remove":
        del changed[at]
    elif kind == "repeat":
        changed.insert(at, changed[at])
    elif kind == "swap":
        changed[at], changed[at + 1] = changed[at + 1], changed[at]
    else:
        position = data.draw(st.integers(0, len(lines[at]) - 2))
        byte = data.draw(st.integers(1, 255))
        line = bytearray(lines[at])
        line[position] ^= byte
        changed[at] = bytes(line)
    path.write_bytes(b"".join(changed))
    with pytest.raises(InputError, match="was changed"):
        verify_audit(path)
    with pytest.raises(InputError, match="was changed"):
        AuditLog(path, 0)


@pytest.mark.parametrize("lost", [1, 2, 40, 10_000])
def test_a_torn_last_line_is_moved_aside_and_said(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "audit.jsonl"
    content = write(path)
    last = content.splitlines(keepends=True)[-1]
    torn = last[: -min(lost, len(last) - 1)]
    path.write_bytes(content[: -len(last)] + torn)
    assert verify_audit(path).torn == torn
    AuditLog(path, 77).close()
    found = verify_audit(path)
    assert (found.entries, found.torn) == (5, b"")
    said = orjson.loads(path.read_bytes().splitlines()[-1])
    assert (said["decision"], said["torn_bytes"], said["at_ms"]) == ("repaired", len(torn), 77)
    assert (tmp_path / "audit.jsonl.torn-4").read_bytes() == torn


def test_two_signers_do_not_share_a_log(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", 0)
    with pytest.raises(InputError, match="in use"):
        AuditLog(tmp_path / "audit.jsonl", 0, wait_s=0)
    log.close()
    AuditLog(tmp_path / "audit.jsonl", 0).close()


def test_an_entry_that_cannot_be_written_leaves_the_log_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audit.jsonl"
    content = write(path)
    log = AuditLog(path, 0)

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        with pytest.raises(MemeSnipeError, match="No space left"):
            log.append({"decision": "signed"})
    log.append({"decision": "refused"})
    log.close()
    assert verify_audit(path).entries == 6
    assert path.read_bytes().startswith(content)


def test_the_command_says_where_the_chain_breaks(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    content = write(path)
    command = [sys.executable, "-m", "memesnipe.signer.audit", str(path)]
    good = subprocess.run(command, capture_output=True, text=True, check=True)
    assert good.stdout.startswith("5 entries, unbroken; last hash ")
    path.write_bytes(content.replace(b'"number":2', b'"number":9'))
    bad = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "line 3 does not continue the chain" in bad.stderr
