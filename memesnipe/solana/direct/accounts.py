"""The accounts that a direct swap needs, read from a node in one request and decoded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from solders.pubkey import Pubkey

from memesnipe.solana.addresses import (
    PUMP,
    PUMP_AMM,
    PUMP_AMM_GLOBAL_CONFIG,
    PUMP_GLOBAL,
    TOKEN,
    TOKEN_2022,
    WRAPPED_SOL,
    token_address,
)
from memesnipe.solana.instructions.pumpfun import bonding_curve
from memesnipe.solana.instructions.pumpswap import canonical_pool
from memesnipe.solana.instructions.pumpswap_accounts import accumulator_address
from memesnipe.solana.instructions.pumpswap_cashback import cashback_address
from memesnipe.solana.mint_account import MintError, parse_mint
from memesnipe.solana.pump_accounts import BondingCurve, PumpAccountError, PumpPool
from memesnipe.solana.pump_config import PoolConfig, PumpGlobal
from memesnipe.solana.rpc import AccountData, Rpc
from memesnipe.solana.swap_plan import NoRouteError

_T = TypeVar("_T")
_TOKEN_ACCOUNT_BYTES, _AMOUNT_AT = 165, 64


@dataclass(frozen=True, slots=True)
class CoinAccounts:
    """What the chain says about a coin and about who trades it; amounts are raw."""

    mint: Pubkey
    token_program: Pubkey
    supply: int
    curve: BondingCurve | None
    curve_tokens: int
    pool: PumpPool | None
    pool_tokens: int
    pool_quote: int  # lamports in the quote vault
    held: int  # tokens of the wallet
    pump_global: PumpGlobal
    pool_config: PoolConfig | None
    has_accumulator: bool  # of the wallet, at PumpSwap
    has_cashback_account: bool  # of that accumulator, for wrapped SOL


async def read_coin(rpc: Rpc, mint: Pubkey, wallet: Pubkey) -> CoinAccounts:
    """Return the accounts of a coin at `confirmed`.

    Args:
        rpc: nodes.
        mint: of the coin.
        wallet: who trades.

    Raises:
        NoRouteError: there is no such coin of pump.fun, or an account is not understood.
        ServiceError: no node answers.
    """
    curve, pool = bonding_curve(mint), canonical_pool(mint)
    of_tokens = {
        (owner, program): token_address(owner, mint, program)
        for owner in (curve, pool, wallet)
        for program in (TOKEN_2022, TOKEN)
    }
    vault = token_address(pool, WRAPPED_SOL, TOKEN)
    accumulator, cashback = accumulator_address(wallet), cashback_address(wallet)
    keys = [
        PUMP_GLOBAL, PUMP_AMM_GLOBAL_CONFIG, mint, curve, pool, vault, accumulator, cashback, *of_tokens.values(),
    ]  # fmt: skip
    read = dict(zip(keys, await rpc.accounts([str(key) for key in keys]), strict=True))
    minted = read[mint]
    program = next((one for one in (TOKEN_2022, TOKEN) if minted is not None and minted.owner == str(one)), None)
    if minted is None or program is None:
        raise NoRouteError(f"direct: {mint} is no mint")
    try:
        parsed = parse_mint(minted.owner, minted.raw)
        pump_global = _decoded(read, PUMP_GLOBAL, PUMP, PumpGlobal.decode)
        if pump_global is None:
            raise NoRouteError("direct: the node has no global account of pump.fun")
        return CoinAccounts(
            mint=mint,
            token_program=program,
            supply=parsed.supply,
            curve=_decoded(read, curve, PUMP, BondingCurve.decode),
            curve_tokens=_amount(read[of_tokens[curve, program]]),
            pool=_decoded(read, pool, PUMP_AMM, PumpPool.decode),
            pool_tokens=_amount(read[of_tokens[pool, program]]),
            pool_quote=_amount(read[vault]),
            held=_amount(read[of_tokens[wallet, program]]),
            pump_global=pump_global,
            pool_config=_decoded(read, PUMP_AMM_GLOBAL_CONFIG, PUMP_AMM, PoolConfig.decode),
            has_accumulator=read[accumulator] is not None,
            has_cashback_account=read[cashback] is not None,
        )
    except (PumpAccountError, MintError) as error:
        raise NoRouteError(f"direct: an account of {mint} is not understood: {error}") from None


def _decoded(
    read: Mapping[Pubkey, AccountData | None], key: Pubkey, owner: Pubkey, decode: Callable[[bytes], _T]
) -> _T | None:
    """Return an account of a program; None if there is none.

    Raises:
        PumpAccountError: it is another account.
    """
    account = read[key]
    if account is None:
        return None
    if account.owner != str(owner):
        raise PumpAccountError(f"{key} belongs to {account.owner}")
    return decode(account.raw)


def _amount(account: AccountData | None) -> int:
    """Return the amount in a token account; 0 if there is none."""
    if account is None or account.owner not in (str(TOKEN), str(TOKEN_2022)):
        return 0
    raw = account.raw
    return int.from_bytes(raw[_AMOUNT_AT : _AMOUNT_AT + 8], "little") if len(raw) >= _TOKEN_ACCOUNT_BYTES else 0
