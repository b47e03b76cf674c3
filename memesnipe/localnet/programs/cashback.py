"""What is particular to v1 trades of cashback coins in PumpSwap's emulated program: accounts, and who is paid.

Codes and names are those of the IDL (SDK 1.20.0). Inferred: which check fails with which of them, that a sale creates
no account for cashback, and that nobody creates the creator's vault, to which a cashback coin pays nothing.
"""

import struct
from collections.abc import Sequence
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.localnet.programs import Expansion, MarketAccounts, ProgramError
from memesnipe.localnet.programs.state import (
    ACCUMULATOR_BYTES,
    CONSTRAINT_SEEDS,
    Accumulator,
    anchor_error,
    create,
    read,
    write,
)
from memesnipe.solana.addresses import PUMP_AMM, PUMP_AMM_GLOBAL_CONFIG, TOKEN, WRAPPED_SOL, token_address
from memesnipe.solana.instructions.pumpswap import CASHBACK_FORMATS, PoolSell, PoolTrade
from memesnipe.solana.instructions.pumpswap_accounts import accumulator_address
from memesnipe.solana.instructions.pumpswap_cashback import (
    CashbackTradeAccounts,
    cashback_address,
    pool_v2_address,
)
from memesnipe.solana.instructions.spl import create_token_account
from memesnipe.solana.pump_config import PoolConfig

NOT_ENOUGH_KEYS: Final = 3005  # Anchor's
INVALID_RECIPIENT, NOT_A_BUYBACK_WALLET = 6013, 6053
MISSING, INVALID_ACCUMULATOR, INVALID_TOKEN_ACCOUNT, INVALID_POOL_V2 = 6059, 6060, 6061, 6062
ERRORS: Final = {
    INVALID_RECIPIENT: "InvalidProtocolFeeRecipient",
    NOT_A_BUYBACK_WALLET: "BuybackFeeRecipientNotAuthorized",
    MISSING: "MissingCashbackAccounts",
    INVALID_ACCUMULATOR: "InvalidCashbackAccumulator",
    INVALID_TOKEN_ACCOUNT: "InvalidCashbackAccumulatorAta",
    INVALID_POOL_V2: "InvalidPoolV2",
}
_EARNED_AT: Final = 8 + 32 + 1 + 8 + 8 + 8 + 8 + 1  # of `cashback_earned` in the accumulator
_INIT_ACCOUNTS: Final = 6
_REMAINING: Final = {True: 5, False: 4}  # accounts after those of the IDL, by whether it is a sale


def lacks_cashback_accounts(data: bytes, accounts: Sequence[AccountMeta]) -> bool:
    """Return whether an instruction is a v1 trade that has the accounts of the IDL, and not those of cashback."""
    for one in CASHBACK_FORMATS:
        if one.discriminator == data[:8]:
            named = len(one.accounts.roles) - _REMAINING[one.kind is PoolSell]
            return named <= len(accounts) < len(one.accounts.roles)
    return False


def problem_of(trade: PoolTrade, state: MarketAccounts) -> int:
    """Return the code with which a v1 trade's own accounts are refused; 0 if they are right."""
    accounts = trade.accounts
    assert isinstance(accounts, CashbackTradeAccounts)  # noqa: S101 - for mypy
    config = read(state, PUMP_AMM_GLOBAL_CONFIG, PUMP_AMM, PoolConfig.decode)
    assert isinstance(config, PoolConfig)  # noqa: S101 - for mypy
    accumulator, cashback = accumulator_address(accounts.user), cashback_address(accounts.user)
    recipient, wallet = accounts.protocol_fee_recipient, accounts.buyback_wallet
    checks = {
        INVALID_RECIPIENT: (recipient, accounts.protocol_fee_recipient_token_account)
        == (config.fee_recipient, token_address(config.fee_recipient, WRAPPED_SOL, TOKEN)),
        NOT_A_BUYBACK_WALLET: (wallet, accounts.buyback_token_account)
        == (config.buyback_recipient, token_address(config.buyback_recipient, WRAPPED_SOL, TOKEN)),
        INVALID_ACCUMULATOR: accounts.user_volume_accumulator == accumulator
        and (not isinstance(trade, PoolSell) or _exists(accumulator, state)),
        INVALID_TOKEN_ACCOUNT: accounts.cashback_token_account == cashback,
        INVALID_POOL_V2: accounts.pool_v2 == pool_v2_address(accounts.base_mint),
    }
    return next((code for code, is_right in checks.items() if not is_right), 0)


def creations(accounts: CashbackTradeAccounts, state: MarketAccounts) -> list[Instruction]:
    """Return the creation of the token account for cashback, paid by the wallet, if it does not exist."""
    if _exists(accounts.cashback_token_account, state):
        return []
    state.pending[accounts.cashback_token_account] = True
    return [create_token_account(accounts.user, accounts.user_volume_accumulator, WRAPPED_SOL, TOKEN)]


def earn(accumulator: Pubkey, lamports: int, state: MarketAccounts) -> None:
    """Add cashback to what an accumulator has earned; only in `commit`."""
    account = state.account(accumulator)
    if account is None:
        raise RuntimeError(f"the accumulator {accumulator} earns cashback, and does not exist")
    data = bytearray(account.data)
    struct.pack_into("<Q", data, _EARNED_AT, struct.unpack_from("<Q", data, _EARNED_AT)[0] + lamports)
    write(state, accumulator, bytes(data))


def earned(data: bytes) -> int:
    """Return the cashback that an accumulator has earned, in lamports."""
    found: int = struct.unpack_from("<Q", data, _EARNED_AT)[0]
    return found


def expand_init(accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
    """Return what ``init_user_volume_accumulator`` causes; the system program refuses it if the account exists.

    Raises:
        ProgramError: its accounts are wrong.
    """
    if len(accounts) < _INIT_ACCOUNTS:
        raise ProgramError(NOT_ENOUGH_KEYS, anchor_error("AccountNotEnoughKeys", NOT_ENOUGH_KEYS, ""))
    payer, user, address = (meta.pubkey for meta in accounts[:3])
    if address != accumulator_address(user):
        raise ProgramError(CONSTRAINT_SEEDS, anchor_error("ConstraintSeeds", CONSTRAINT_SEEDS, ""))
    accumulator = Accumulator(PUMP_AMM, address, user)
    state.pending[address] = True
    return Expansion(
        [create(payer, address, ACCUMULATOR_BYTES, PUMP_AMM)],
        ["Program log: Instruction: InitUserVolumeAccumulator"],
        lambda: accumulator.commit(state),
    )


def _exists(address: Pubkey, state: MarketAccounts) -> bool:
    """Return whether an account exists, or an earlier instruction of the same transaction will have created it."""
    return address in state.pending or state.account(address) is not None
