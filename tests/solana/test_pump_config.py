"""The global accounts of the programs, at the places of the IDLs."""

import json
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey

from memesnipe.solana.pump_accounts import PumpAccountError
from memesnipe.solana.pump_config import PoolConfig, PumpGlobal

SPECS = Path(__file__).resolve().parents[3] / "shared/reference/specs/pump"
SIZES = {"bool": 1, "u8": 1, "u64": 8, "pubkey": 32}
KEYS = [Pubkey.from_bytes(bytes([number]) * 32) for number in range(1, 4)]


def data_by_idl(name: str, account: str, values: dict[str, bytes]) -> bytes:
    """Return the data of an account as the IDL lays it out, with some fields set."""
    path = SPECS / name
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    idl: dict[str, Any] = json.loads(path.read_text())
    (kind,) = [one for one in idl["types"] if one["name"] == account]
    (listed,) = [one for one in idl["accounts"] if one["name"] == account]
    data = bytes(listed["discriminator"])
    for field in kind["type"]["fields"]:
        of = field["type"]
        size = SIZES[of] if isinstance(of, str) else SIZES[of["array"][0]] * of["array"][1]
        data += values.get(field["name"], b"").ljust(size, b"\0")
    return data


def test_the_global_account_of_pump_fun_is_read_and_written() -> None:
    values = {
        "fee_recipient": bytes(KEYS[0]), "buyback_fee_recipients": bytes(KEYS[1]) + bytes(KEYS[2]),
        "fee_basis_points": (95).to_bytes(8, "little"), "creator_fee_basis_points": (30).to_bytes(8, "little"),
        "pool_migration_fee": (15_000_001).to_bytes(8, "little"),
    }  # fmt: skip
    data = data_by_idl("pump.pump-sdk-2.0.0.json", "Global", values)
    known = PumpGlobal(KEYS[0], KEYS[1], 95, 30, 15_000_001)
    assert PumpGlobal.decode(data) == known
    assert PumpGlobal.decode(known.encode()) == known


def test_the_global_account_of_pumpswap_is_read_and_written() -> None:
    values = {"buyback_fee_recipients": bytes(KEYS[1]), "disable_flags": b"\x08"}
    data = data_by_idl("pump_amm.sdk-1.20.0.json", "GlobalConfig", values)
    assert PoolConfig.decode(data) == PoolConfig(KEYS[1], 8)
    assert PoolConfig.decode(PoolConfig(KEYS[1], 8).encode()) == PoolConfig(KEYS[1], 8)


@pytest.mark.parametrize("data", [b"", bytes(2_000), PumpGlobal(*KEYS[:2], 1, 2, 3).encode()[:500]])
def test_another_account_is_refused(data: bytes) -> None:
    with pytest.raises(PumpAccountError):
        PumpGlobal.decode(data)
    with pytest.raises(PumpAccountError):
        PoolConfig.decode(data)
