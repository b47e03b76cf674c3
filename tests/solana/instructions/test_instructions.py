"""Instructions: decoding inverts encoding, accounts are those of the IDL, known addresses are derived."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from memesnipe.solana import addresses
from memesnipe.solana.instructions import jupiter, pumpfun, pumpswap, pumpswap_cashback
from memesnipe.solana.instructions.layout import DecodeError, InstructionFormat
from memesnipe.solana.instructions.pumpfun_accounts import GLOBAL_VOLUME_ACCUMULATOR

SPECS = Path(__file__).parents[4] / "shared/reference/specs/pump"
MODULES: Any = {"pumpfun": pumpfun, "pumpswap": pumpswap, "jupiter": jupiter}
CASES = [(name, one) for name, module in MODULES.items() for one in module.FORMATS]
CASES += [("pumpswap", one) for one in pumpswap.CASHBACK_FORMATS]
KEYS = st.binary(min_size=32, max_size=32).map(Pubkey)
METAS = st.builds(AccountMeta, KEYS, st.booleans(), st.booleans())


def instructions(one: InstructionFormat[Any]) -> st.SearchStrategy[Any]:
    names = [field.name for field in dataclasses.fields(one.kind)]
    layout = one.accounts
    values = {name: KEYS | st.none() if "o" in flags else KEYS for name, flags in layout.roles}
    arguments: dict[str, st.SearchStrategy[Any]] = {"accounts": st.builds(layout._kind, **values)}
    for name in one.arguments:
        bits = 8 if name == "id" else 16 if name.endswith("_bps") else 64
        arguments[name] = st.integers(0, 2**bits - 1)
    if "partial_fill" in names:
        arguments["partial_fill"] = st.none() | st.booleans()
    if one._tail_name == "track_volume":
        arguments["track_volume"] = st.none() | st.booleans()
    if "plan" in names:
        arguments |= {"plan": st.binary(max_size=60), "remaining_accounts": st.lists(METAS, max_size=5).map(tuple)}
    return st.builds(one.kind, **arguments)


@pytest.mark.parametrize(
    ("module", "one"), CASES, ids=lambda case: getattr(getattr(case, "kind", None), "__name__", "")
)
@settings(max_examples=30)
@given(data=st.data())
def test_decoding_inverts_encoding(module: str, one: InstructionFormat[Any], data: st.DataObject) -> None:
    original = data.draw(instructions(one))
    encoded = MODULES[module].encode(original)
    assert MODULES[module].decode(bytes(encoded.data), list(encoded.accounts)) == original
    assert encoded.program_id == one.program


@pytest.mark.parametrize(
    ("module", "one"), CASES, ids=lambda case: getattr(getattr(case, "kind", None), "__name__", "")
)
@settings(max_examples=30)
@given(data=st.data())
def test_shorter_data_and_missing_accounts_are_refused(
    module: str, one: InstructionFormat[Any], data: st.DataObject
) -> None:
    encoded = MODULES[module].encode(data.draw(instructions(one)))
    accounts = list(encoded.accounts)
    fixed = 8 + one._struct.size
    with pytest.raises(DecodeError):
        MODULES[module].decode(bytes(encoded.data)[: data.draw(st.integers(0, fixed - 1))], accounts)
    with pytest.raises(DecodeError):
        MODULES[module].decode(bytes(encoded.data), accounts[: len(one.accounts.roles) - 1])


@pytest.mark.parametrize("name", ["buy_v2", "buy_exact_quote_in_v2", "sell_v2"])
def test_v2_accounts_of_the_curve_are_those_of_the_idl(name: str) -> None:
    found = idl("pump.pump-sdk-2.0.0.json")["instructions"]
    expected = next(one for one in found if one["name"] == name)
    mine = next(one for one in pumpfun.FORMATS if snake(one.kind.__name__) == name)
    roles = [
        (one["name"].replace("global", "global_config") if one["name"] == "global" else one["name"], flags_of(one))
        for one in expected["accounts"]
    ]
    assert mine.accounts.roles == roles
    assert mine.discriminator == bytes(expected["discriminator"])
    assert mine.arguments == [argument["name"] for argument in expected["args"]]


def test_writable_accounts_of_v3_are_those_of_the_same_names_in_the_idl() -> None:
    expected = {
        one["name"]: flags_of(one)
        for found in idl("pump.pump-sdk-2.0.0.json")["instructions"]
        if found["name"] == "buy_v2"
        for one in found["accounts"]
    }
    for name, flags in pumpfun.FORMATS[0].accounts.roles:
        assert flags == expected["global" if name == "global_config" else name], name


def test_writable_accounts_of_pools_are_those_of_the_same_names_in_the_idl() -> None:
    found = idl("pump_amm.sdk-1.20.0.json")["instructions"]
    expected = {one["name"]: flags_of(one) for buy in found if buy["name"] == "buy" for one in buy["accounts"]}
    for name, flags in pumpswap.FORMATS[0].accounts.roles:
        assert flags == expected.get(name, "w"), name  # a buyback recipient is paid


@pytest.mark.parametrize("name", ["buy", "buy_exact_quote_in", "sell"])
def test_v1_accounts_of_pools_are_those_of_the_idl_and_those_of_cashback(name: str) -> None:
    found = idl("pump_amm.sdk-1.20.0.json")["instructions"]
    expected = next(one for one in found if one["name"] == name)
    kinds = {"buy": "PoolBuy", "buy_exact_quote_in": "PoolBuyExactQuoteIn", "sell": "PoolSell"}
    mine = next(one for one in pumpswap.CASHBACK_FORMATS if one.kind.__name__ == kinds[name])
    cashback = [("cashback_token_account", "w"), ("user_volume_accumulator", "w")][: 2 if name == "sell" else 1]
    tail = [("pool_v2", ""), ("buyback_wallet", ""), ("buyback_token_account", "w")]
    assert mine.accounts.roles == [(one["name"], flags_of(one)) for one in expected["accounts"]] + cashback + tail
    assert mine.discriminator == bytes(expected["discriminator"])
    assert [*mine.arguments, *[mine._tail_name] * bool(mine._tail_name)] == [one["name"] for one in expected["args"]]


def test_the_accumulator_is_created_as_the_idl_says() -> None:
    found = idl("pump_amm.sdk-1.20.0.json")["instructions"]
    expected = next(one for one in found if one["name"] == "init_user_volume_accumulator")
    created = pumpswap_cashback.create_accumulator(Pubkey.from_bytes(bytes(range(32))))
    assert bytes(created.data) == bytes(expected["discriminator"])
    flags = [("w" if one.is_writable else "") + ("s" if one.is_signer else "") for one in created.accounts]
    assert flags == [flags_of(one) for one in expected["accounts"]]


def test_known_addresses_are_derived() -> None:
    assert str(addresses.PUMP_GLOBAL) == "4wTV1YmiEkRvAtNtsSGPtUrqRYQMe5SKy2uB4Jjaxnjf"
    assert str(addresses.PUMP_EVENT_AUTHORITY) == "Ce6TQqeHC9p8KetsN6JsjHK7UTZk7nasjjnr7XxXp9F1"
    assert str(addresses.PUMP_FEE_CONFIG) == "8Wf5TiAheLUqBrKXeYg2JtAFFMWtKdG2BSFgqUcPVwTt"
    assert str(addresses.PUMP_AMM_GLOBAL_CONFIG) == "ADyA8hdefvWN2dbGGWFotbzWxrAvLW83WG6QCVXvJKqw"
    assert str(addresses.PUMP_AMM_FEE_CONFIG) == "5PHirr8joyTMp9JMm6nW7hNDVyEYdkzDqazxPD7RaTjx"
    assert len(set(addresses.JITO_TIP_ACCOUNTS)) == 8


def test_a_sale_has_the_default_accumulator() -> None:
    key = Pubkey.from_bytes(bytes(range(32)))
    accounts = pumpfun.trade_v2_accounts(key, addresses.TOKEN_2022, key, key, key, key)
    assert accounts.global_volume_accumulator == GLOBAL_VOLUME_ACCUMULATOR
    sale = pumpfun.SellV2(accounts, 1, 2)
    encoded = pumpfun.encode(sale)
    assert len(encoded.accounts) == 26
    assert pumpfun.decode(bytes(encoded.data), list(encoded.accounts)) == sale


@given(st.integers(0, 2**64 - 1), st.integers(0, 10_000))
def test_the_least_output_of_a_route_is_rounded_up(quoted: int, slippage_bps: int) -> None:
    key = Pubkey.default()
    accounts = jupiter.RouteAccounts(key, key, key, key, key, key, key, None, key, key)
    least = jupiter.min_out(jupiter.RouteV2(accounts, 1, quoted, slippage_bps, 0, 0, b""))
    assert least * 10_000 >= quoted * (10_000 - slippage_bps) > (least - 1) * 10_000


def idl(name: str) -> Any:
    path = SPECS / name
    if not path.exists():
        pytest.skip(f"{name} is not there")
    return json.loads(path.read_text())


def flags_of(account: dict[str, Any]) -> str:
    return ("w" if account.get("writable") else "") + ("s" if account.get("signer") else "")


def snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)[1:]
