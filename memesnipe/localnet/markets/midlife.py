"""Coins that exist before the local chain begins: their accounts are written as a tape shows them first."""

from dataclasses import replace
from typing import Final

from solders.account import Account
from solders.pubkey import Pubkey
from solders.token.state import Mint, TokenAccount, TokenAccountState

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.markets.tape_trades import Reserves
from memesnipe.localnet.programs.pool_record import new_pool
from memesnipe.localnet.programs.state import rent
from memesnipe.localnet.programs.vault import sol_vault
from memesnipe.market.events import PUMP_CURVE, Event
from memesnipe.market.pump import CURVE_START_TOKEN_RAW, CURVE_UNSOLD_TOKEN_RAW, PUMP_SUPPLY_RAW
from memesnipe.solana.addresses import (
    PUMP,
    PUMP_AMM,
    SYSTEM,
    TOKEN,
    TOKEN_2022,
    WRAPPED_SOL,
    token_address,
)
from memesnipe.solana.instructions.pumpfun import bonding_curve
from memesnipe.solana.instructions.pumpswap import canonical_pool
from memesnipe.solana.pump_accounts import NO_KEY, BondingCurve

_DECIMALS: Final = 6
_MINT_BYTES, _TOKEN_ACCOUNT_BYTES = 82, 165
_FOR_SALE_RAW: Final = CURVE_START_TOKEN_RAW - CURVE_UNSOLD_TOKEN_RAW


def write_coin(chain: Chain, mint: Pubkey, creator: Pubkey, first: Event, reserves: Reserves) -> None:
    """Write the accounts of a coin outside of any block; its creator holds what curve or pool does not.

    Args:
        chain: the chain.
        mint: of the coin.
        creator: of the coin.
        first: its first trade in the tape.
        reserves: before that trade.
    """
    supply = max(first.supply_raw or PUMP_SUPPLY_RAW, reserves.real_token_raw)
    if first.venue == PUMP_CURVE:
        held = min(supply, max(supply - _FOR_SALE_RAW, 0) + reserves.real_token_raw)
        _write_curve(chain, mint, creator, supply, held, reserves)
    else:
        held = reserves.token_raw
        supply = max(supply, held)
        _write_pool(chain, mint, creator, reserves, has_creator_fee=first.creator_fee_bps > 0)
    minted = Mint(None, supply, _DECIMALS, is_initialized=True, freeze_authority=None)
    chain.set_account(mint, Account(rent(_MINT_BYTES), bytes(minted), TOKEN_2022))
    _write_tokens(chain, creator, mint, supply - held)


def _write_curve(chain: Chain, mint: Pubkey, creator: Pubkey, supply: int, held: int, reserves: Reserves) -> None:
    curve = BondingCurve(
        virtual_token_reserves=reserves.token_raw,
        virtual_quote_reserves=reserves.sol_lamports,
        real_token_reserves=reserves.real_token_raw,
        real_quote_reserves=reserves.real_sol_lamports,
        token_total_supply=supply,
        creator=creator,
    )
    address, data = bonding_curve(mint), curve.encode()
    chain.set_account(address, Account(rent(len(data)), data, PUMP))
    chain.set_account(sol_vault(mint), Account(rent(0) + reserves.real_sol_lamports, b"", SYSTEM))
    _write_tokens(chain, address, mint, held)


def _write_pool(chain: Chain, mint: Pubkey, creator: Pubkey, reserves: Reserves, *, has_creator_fee: bool) -> None:
    address = canonical_pool(mint)
    virtual = reserves.sol_lamports - reserves.real_sol_lamports
    pool = replace(new_pool(mint, creator if has_creator_fee else NO_KEY), virtual_quote_reserves=virtual)
    data = pool.encode()
    chain.set_account(address, Account(rent(len(data)), data, PUMP_AMM))
    _write_tokens(chain, address, mint, reserves.token_raw)
    least, lamports = rent(_TOKEN_ACCOUNT_BYTES), reserves.real_sol_lamports
    vault = TokenAccount(WRAPPED_SOL, address, lamports, None, TokenAccountState.Initialized, least, 0, None)
    chain.set_account(pool.pool_quote_token_account, Account(least + lamports, bytes(vault), TOKEN))


def _write_tokens(chain: Chain, owner: Pubkey, mint: Pubkey, amount: int) -> None:
    held = TokenAccount(mint, owner, amount, None, TokenAccountState.Initialized, None, 0, None)
    account = Account(rent(_TOKEN_ACCOUNT_BYTES), bytes(held), TOKEN_2022)
    chain.set_account(token_address(owner, mint, TOKEN_2022), account)
