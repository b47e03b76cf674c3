"""A planted secret is found in every place and encoding; what is no secret is not."""

import base64
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
import sqlalchemy as sa
from solders.keypair import Keypair

from memesnipe.storage import schema
from memesnipe.testing.secret_scan import Secret, SecretScan, keypair_secret, text_secret

KEYPAIR = Keypair.from_seed(bytes(range(100, 132)))
WHOLE = bytes(KEYPAIR)
TOKEN = "a-token-of-the-api-0123456789"


def secrets() -> list[Secret]:
    return [keypair_secret("wallet", WHOLE), text_secret("token", TOKEN)]


def scan_of(content: bytes) -> list[str]:
    scan = SecretScan(secrets())
    scan.bytes("file", "x", content)
    return [finding.secret for finding in scan.findings]


@pytest.mark.parametrize("count", [32, 64])
@pytest.mark.parametrize(
    "write",
    [
        bytes,
        lambda raw: raw.hex().encode(),
        lambda raw: raw.hex().upper().encode(),
        lambda raw: json.dumps(list(raw)).encode(),
        lambda raw: json.dumps(list(raw), separators=(",", ":")).encode(),
        lambda raw: json.dumps(list(raw), indent=0).replace(",", "").encode(),
        lambda raw: repr(list(raw)).encode(),
        lambda raw: repr(raw).encode(),
        lambda raw: json.dumps({"error": f"bad key {raw!r}"}).encode(),
        pickle.dumps,
        lambda raw: pickle.dumps(list(raw)),
        lambda raw: msgspec.msgpack.encode(list(raw)),
    ],
)
def test_every_encoding_is_found(write: Callable[[bytes], bytes], count: int) -> None:
    assert "wallet" in scan_of(b"before " + write(WHOLE[:count]) + b" after")
    assert scan_of(b"before " + write(bytes(range(count))) + b" after") == []


@pytest.mark.parametrize("count", [32, 64])
@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abcd"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_is_found_at_every_alignment(encode: Callable[[bytes], bytes], before: bytes, count: int) -> None:
    assert "wallet" in scan_of(encode(before + WHOLE[:count] + b"xyz"))
    assert "token" in scan_of(encode(before + TOKEN.encode() + b"xyz"))


def test_the_formats_of_wallets_are_found() -> None:
    assert scan_of(str(KEYPAIR).encode()) == ["wallet"], "base58 of 64 bytes"
    assert scan_of(KEYPAIR.to_json().encode()) != []
    assert scan_of(TOKEN.encode()) == ["token"]
    assert scan_of(str(KEYPAIR.pubkey()).encode()) == [], "the address is no secret"
    assert scan_of(bytes(KEYPAIR.pubkey())) == []


def test_files_are_searched_except_for_those_of_the_secret(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "log").write_bytes(b"x" * 5_000 + WHOLE)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "wallet.json").write_text(KEYPAIR.to_json())
    (tmp_path / f"name-{TOKEN}").write_bytes(b"1")
    scan = SecretScan(secrets())
    scan.folder("file", tmp_path, except_for=[tmp_path / "wallet.json"])
    assert {(found.secret, found.place.split()[0]) for found in scan.findings} == {
        ("wallet", "file"),
        ("token", "file"),
    }
    assert not any("wallet.json" in found.place for found in scan.findings)
    assert scan.looked["file"] > 5_000


def test_command_lines_and_environments_are_searched() -> None:
    script = "import sys; sys.stdin.read()"
    environment = os.environ | {"KEY": WHOLE[:32].hex()}
    command = [sys.executable, "-c", script, TOKEN]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as process:
        scan = SecretScan(secrets())
        scan.processes([process.pid])
        assert process.stdin is not None
        process.stdin.close()
    assert {(found.secret, found.place.split()[0]) for found in scan.findings} == {
        ("wallet", "environment"), ("token", "command"),
    }  # fmt: skip
    scan.processes([process.pid])  # it has ended


PLANTS: dict[str, Callable[[Any, bytes], object]] = {
    "string": lambda client, raw: client.set("k", b"x" + raw),
    "hash": lambda client, raw: client.hset("k", mapping={raw: b"1"}),
    "list": lambda client, raw: client.rpush("k", b"1", raw),
    "set": lambda client, raw: client.sadd("k", raw),
    "zset": lambda client, raw: client.zadd("k", {raw: 1.0}),
    "stream": lambda client, raw: client.xadd("k", {"f": raw}),
    "key": lambda client, raw: client.set(raw, b"1"),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_every_type_of_redis_is_searched(
    plant: str, empty_redis: Callable[[], str], as_operator: Callable[[str], str]
) -> None:
    with redis.Redis.from_url(as_operator(empty_redis())) as client:
        PLANTS[plant](client, WHOLE[:32])
        scan = SecretScan(secrets())
        scan.redis(client)
        client.flushdb()
    assert [found.secret for found in scan.findings] == ["wallet"]


@pytest.mark.parametrize("column", ["reason", "genome", "bytes"])
def test_text_json_and_bytes_of_postgres_are_searched(
    column: str, database: sa.Engine, insert: Callable[..., None], new_run: int
) -> None:
    whole = bytes(Keypair())  # another one each time: the rows stay
    scan = SecretScan([keypair_secret("wallet", whole)])
    scan.postgres(database)
    assert scan.findings == [] and scan.looked["postgres"] > 0
    if column == "reason":
        insert(schema.LifecycleRow, number=1, reason=f"key {whole.hex()}")
    elif column == "genome":
        insert(schema.StrategyRow, spec_id="a", genome={"key": [int(byte) for byte in whole]})
    else:
        with database.begin() as connection:
            connection.execute(sa.text("CREATE TABLE planted (content bytea)"))
            connection.execute(sa.text("INSERT INTO planted VALUES (:raw)"), {"raw": b"ab" + whole})
    try:
        scan.postgres(database)
        assert {found.secret for found in scan.findings} == {"wallet"}
    finally:
        with database.begin() as connection:
            connection.execute(sa.text("DROP TABLE IF EXISTS planted"))


def test_what_is_too_short_to_be_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        text_secret("token", "short")
    with pytest.raises(ValueError, match="64 bytes"):
        keypair_secret("wallet", bytes(32))
