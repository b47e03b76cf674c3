"""``create_v2`` of pump.fun: a coin and its curve.

The mint is one of Token-2022 without extensions; on mainnet it has its metadata in two. The accounts of mayhem mode are
not used.
"""

import struct
from collections.abc import Sequence
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.feeds.pumpfun.chain_events import CreateEvent
from memesnipe.localnet.event_encoding import event_line
from memesnipe.localnet.programs import Expansion, MarketAccounts, ProgramError
from memesnipe.localnet.programs.state import INSTRUCTION_FALLBACK_NOT_FOUND, anchor_error, create, pay, rent, write
from memesnipe.localnet.programs.vault import sol_vault
from memesnipe.market.pump import (
    CURVE_START_SOL_LAMPORTS,
    CURVE_START_TOKEN_RAW,
    CURVE_UNSOLD_TOKEN_RAW,
    PUMP_SUPPLY_RAW,
)
from memesnipe.solana.addresses import (
    ASSOCIATED_TOKEN,
    PUMP,
    PUMP_EVENT_AUTHORITY,
    PUMP_GLOBAL,
    SYSTEM,
    TOKEN_2022,
    pda,
    token_address,
)
from memesnipe.solana.instructions.pumpfun import bonding_curve
from memesnipe.solana.instructions.spl import create_token_account, mint_to
from memesnipe.solana.pump_accounts import BondingCurve

CREATE_V2: Final = bytes.fromhex("d6904cec5f8b31b4")
_ACCOUNTS: Final = 16
_MINT, _USER = 0, 5  # positions
_DECIMALS: Final = 6
_MINT_BYTES: Final = 82
_INITIALIZE_MINT: Final = struct.Struct("<BB32s?")
_SET_AUTHORITY_NONE: Final = bytes([6, 0, 0])  # of kind MintTokens
_MINT_AUTHORITY: Final = pda(PUMP, b"mint-authority")


def create_coin(
    mint: Pubkey, user: Pubkey, name: str, symbol: str, uri: str = "", is_cashback: bool = False
) -> Instruction:
    """Return the creation of a coin, signed by its mint and its creator."""
    data = CREATE_V2
    for text in (name, symbol, uri):
        data += struct.pack("<I", len(text.encode())) + text.encode()
    data += bytes(user) + bytes([False, is_cashback])
    curve = bonding_curve(mint)
    keys = [mint, _MINT_AUTHORITY, curve, token_address(curve, mint, TOKEN_2022), PUMP_GLOBAL, user]
    keys += [SYSTEM, TOKEN_2022, ASSOCIATED_TOKEN, *[SYSTEM] * 5, PUMP_EVENT_AUTHORITY, PUMP]
    signers, written = {mint, user}, {mint, curve, keys[3], user}
    return Instruction(PUMP, data, [AccountMeta(key, key in signers, key in written) for key in keys])


def expand_creation(data: bytes, accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
    """Return what a creation causes.

    Raises:
        ProgramError: it is malformed.
    """
    try:
        name, symbol, uri, creator, is_cashback = _decode(data)
        mint, user = accounts[_MINT].pubkey, accounts[_USER].pubkey
        if len(accounts) < _ACCOUNTS:
            raise IndexError
    except (struct.error, IndexError, ValueError):
        code = INSTRUCTION_FALLBACK_NOT_FOUND
        raise ProgramError(code, anchor_error("InstructionDidNotDeserialize", code, "create_v2")) from None
    curve_address = bonding_curve(mint)
    curve = BondingCurve(
        CURVE_START_TOKEN_RAW,
        CURVE_START_SOL_LAMPORTS,
        CURVE_START_TOKEN_RAW - CURVE_UNSOLD_TOKEN_RAW,
        0,
        PUMP_SUPPLY_RAW,
        creator=creator,
        is_cashback_coin=is_cashback,
    )
    event = event_line(
        CreateEvent,
        name=name,
        symbol=symbol,
        uri=uri,
        mint=bytes(mint),
        bonding_curve=bytes(curve_address),
        user=bytes(user),
        creator=bytes(creator),
        timestamp=state.unix_timestamp,
        virtual_token_reserves=curve.virtual_token_reserves,
        virtual_sol_reserves=curve.virtual_quote_reserves,
        real_token_reserves=curve.real_token_reserves,
        token_total_supply=curve.token_total_supply,
        token_program=bytes(TOKEN_2022),
        is_cashback_enabled=is_cashback,
        virtual_quote_reserves=curve.virtual_quote_reserves,
    )
    return Expansion(
        _instructions(mint, user, curve_address, len(curve.encode())),
        ["Program log: Instruction: CreateV2", event],
        lambda: write(state, curve_address, curve.encode()),
    )


def _instructions(mint: Pubkey, user: Pubkey, curve: Pubkey, curve_bytes: int) -> list[Instruction]:
    initialize = _INITIALIZE_MINT.pack(20, _DECIMALS, bytes(_MINT_AUTHORITY), False)
    written = AccountMeta(mint, is_signer=False, is_writable=True)
    return [
        create(user, mint, _MINT_BYTES, TOKEN_2022),
        Instruction(TOKEN_2022, initialize, [written]),
        create(user, curve, curve_bytes, PUMP),
        pay(user, sol_vault(mint), rent(0)),
        create_token_account(user, curve, mint, TOKEN_2022),
        mint_to(mint, token_address(curve, mint, TOKEN_2022), _MINT_AUTHORITY, PUMP_SUPPLY_RAW, TOKEN_2022),
        Instruction(TOKEN_2022, _SET_AUTHORITY_NONE, [written, AccountMeta(_MINT_AUTHORITY, True, False)]),
    ]


def _decode(data: bytes) -> tuple[str, str, str, Pubkey, bool]:
    at = len(CREATE_V2)
    texts = []
    for _ in range(3):
        (size,) = struct.unpack_from("<I", data, at)
        texts.append(data[at + 4 : at + 4 + size].decode())
        at += 4 + size
    creator = Pubkey.from_bytes(data[at : at + 32])
    _, is_cashback = data[at + 32], data[at + 33] if len(data) > at + 33 else 0
    return texts[0], texts[1], texts[2], creator, bool(is_cashback)
