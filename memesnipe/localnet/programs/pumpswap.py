"""The emulated program of PumpSwap: trades in pools that are quoted in SOL, exact to the lamport.

v2 trades leave the fees of protocol and creator in the quote vault and subtract them from `virtual_quote_reserves`. v1
trades, which are those of cashback coins, pay them at once: the protocol's to its recipient, the creator's to the
trader's account for cashback. The share of the protocol's fee for buybacks is zero. The fees are those of the tier of
the pool's market cap (`fees_of`).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from solders.instruction import AccountMeta, Instruction

from memesnipe.localnet.programs import Expansion, MarketAccounts, ProgramError, cashback
from memesnipe.localnet.programs.pool_events import names, trade_event
from memesnipe.localnet.programs.pool_state import PoolState, pool_state
from memesnipe.localnet.programs.pumpfun import Outcome
from memesnipe.localnet.programs.state import (
    INSTRUCTION_FALLBACK_NOT_FOUND,
    Accumulator,
    anchor_error,
    write,
)
from memesnipe.market.pools import BPS, Pool, Quote, fees_of, quote_buy, quote_buy_tokens, quote_sell
from memesnipe.market.wide import mul_div_up
from memesnipe.solana.addresses import PUMP_AMM
from memesnipe.solana.instructions.layout import DecodeError
from memesnipe.solana.instructions.pumpswap import (
    PoolBuy,
    PoolBuyExactQuoteIn,
    PoolSell,
    PoolTrade,
    PoolTradeAccounts,
    decode,
)
from memesnipe.solana.instructions.pumpswap_cashback import INIT_ACCUMULATOR, CashbackTradeAccounts
from memesnipe.solana.instructions.spl import transfer_checked

_BASE_DECIMALS: Final = 6
_SOL_DECIMALS: Final = 9
# Codes and names are those of the IDL (SDK 1.20.0); 6079 is from PUMP_SWAP_TRADE_V2.md.
_ERRORS: Final = {
    6001: "ZeroBaseAmount",
    6002: "ZeroQuoteAmount",
    6004: "ExceededSlippage",
    6014: "InvalidPoolBaseTokenAccount",
    6015: "InvalidPoolQuoteTokenAccount",
    6016: "BuyMoreBaseAmountThanPoolReserves",
    6040: "BuySlippageBelowMinBaseAmountOut",
    6079: "CashbackCoinNotSupported",
    **cashback.ERRORS,
}


class PumpSwap:
    """PumpSwap: trades in the pools of coins whose curves are complete, and the accumulators of traders."""

    program_id = PUMP_AMM

    def expand(self, data: bytes, accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
        """Return what an instruction causes (`EmulatedProgram`)."""
        if data == INIT_ACCUMULATOR:
            return cashback.expand_init(accounts, state)
        try:
            trade = decode(data, list(accounts))
        except DecodeError as error:
            if cashback.lacks_cashback_accounts(data, accounts):
                name = _ERRORS[cashback.MISSING]
                raise ProgramError(cashback.MISSING, anchor_error(name, cashback.MISSING, name)) from None
            lines = anchor_error("InstructionFallbackNotFound", INSTRUCTION_FALLBACK_NOT_FOUND, str(error))
            raise ProgramError(INSTRUCTION_FALLBACK_NOT_FOUND, lines) from None
        return self.trade(trade, state).expansion

    def trade(self, trade: PoolTrade, state: MarketAccounts) -> Outcome:
        """Return what a trade causes.

        Raises:
            ProgramError: the program refuses it.
        """
        before = pool_state(trade.accounts.pool, state)
        if trade.accounts.pool_base_token_account != before.account.pool_base_token_account:
            raise _error(6014, trade)
        if trade.accounts.pool_quote_token_account != before.account.pool_quote_token_account:
            raise _error(6015, trade)
        is_v1 = isinstance(trade.accounts, CashbackTradeAccounts)
        if before.account.is_cashback_coin and not is_v1:
            raise _error(6079, trade)
        problem = cashback.problem_of(trade, state) if is_v1 else 0
        if is_v1 and not before.account.is_cashback_coin:
            problem = cashback.INVALID_POOL_V2  # it is looked for where the accounts for cashback are
        if problem:
            raise _error(problem, trade)
        quote = _quote(trade, before.pool)
        expansion = _settle(trade, before, quote, state)
        is_sale = isinstance(trade, PoolSell)
        return Outcome(expansion, quote.sol_lamports - quote.fee_lamports if is_sale else quote.token_raw)


def _error(code: int, trade: PoolTrade) -> ProgramError:
    line = f"Program log: Instruction: {names(trade)[0]}"
    return ProgramError(code, [line, *anchor_error(_ERRORS[code], code, _ERRORS[code])])


def _quote(trade: PoolTrade, pool: Pool) -> Quote:
    """Return the quote of a trade within its limits."""
    if isinstance(trade, PoolBuy):
        if trade.base_amount_out == 0:
            raise _error(6001, trade)
        quote = quote_buy_tokens(pool, trade.base_amount_out)
        if quote.token_raw == 0:
            raise _error(6016, trade)
        if quote.sol_lamports + quote.fee_lamports > trade.max_quote_amount_in:
            raise _error(6004, trade)
    elif isinstance(trade, PoolBuyExactQuoteIn):
        quote = quote_buy(pool, trade.spendable_quote_in)
        if quote.token_raw == 0:
            raise _error(6002, trade)
        if quote.token_raw < trade.min_base_amount_out:
            raise _error(6040, trade)
    else:
        if trade.base_amount_in == 0:
            raise _error(6001, trade)
        quote = quote_sell(pool, trade.base_amount_in)
        if quote.token_raw == 0:
            raise _error(6002, trade)
        if quote.sol_lamports - quote.fee_lamports < trade.min_quote_amount_out:
            raise _error(6004, trade)
    return quote


def _settle(trade: PoolTrade, before: PoolState, quote: Quote, state: MarketAccounts) -> Expansion:
    """Return the transfers, the event and the changes of a trade."""
    accounts, fees = trade.accounts, fees_of(before.pool)
    sign = -1 if isinstance(trade, PoolSell) else 1
    protocol, creator = (mul_div_up(quote.sol_lamports, bps, BPS) for bps in (fees.protocol, fees.creator))
    paid = quote.sol_lamports + sign * quote.fee_lamports  # by the buyer, or to the seller
    accumulator = Accumulator(PUMP_AMM, accounts.user_volume_accumulator, accounts.user)
    created = accumulator.instructions(state)
    if isinstance(accounts, CashbackTradeAccounts):
        account, into_pool = before.account, quote.pool_sol_lamports if sign > 0 else -paid - protocol - creator
        made = cashback.creations(accounts, state)
        payments = _payments(accounts, sign, quote.pool_sol_lamports if sign > 0 else paid, protocol, creator)
    else:
        account = replace(
            before.account,
            virtual_quote_reserves=before.account.virtual_quote_reserves - protocol - creator,
            protocol_fees=before.account.protocol_fees + protocol,
            creator_fees=before.account.creator_fees + creator,
        )
        made, payments, into_pool = [], _payments(accounts, sign, paid), sign * paid
    state.pending[accounts.pool] = PoolState(
        account, before.base - sign * quote.token_raw, before.quote + into_pool, before.supply_raw
    )

    def commit() -> None:
        write(state, accounts.pool, account.encode())
        if created:
            accumulator.commit(state)
        if isinstance(accounts, CashbackTradeAccounts):
            cashback.earn(accounts.user_volume_accumulator, creator, state)

    tokens = (accounts.pool_base_token_account, accounts.user_base_token_account, accounts.pool)
    if sign < 0:
        tokens = (tokens[1], tokens[0], accounts.user)
    moved = _transfer(tokens, accounts.base_mint, quote.token_raw, _BASE_DECIMALS, accounts.base_token_program)
    lines = [f"Program log: Instruction: {names(trade)[0]}"]
    lines.append(trade_event(trade, before, quote, fees, state.unix_timestamp))
    return Expansion([*created, *made, moved, *payments], lines, commit)


def _payments(
    accounts: PoolTradeAccounts | CashbackTradeAccounts,
    sign: int,
    paid: int,
    protocol: int = 0,
    creator: int = 0,
) -> list[Instruction]:
    """Return the transfers of SOL: between trader and pool, and from the one who pays to those who get fees at once."""
    user, pool = accounts.user_quote_token_account, accounts.pool_quote_token_account
    payer, owner = (user, accounts.user) if sign > 0 else (pool, accounts.pool)
    amounts = {pool if sign > 0 else user: paid}
    if isinstance(accounts, CashbackTradeAccounts):
        amounts[accounts.protocol_fee_recipient_token_account] = protocol
        amounts[accounts.cashback_token_account] = creator
    return [
        _transfer((payer, to, owner), accounts.quote_mint, amount, _SOL_DECIMALS, accounts.quote_token_program)
        for to, amount in amounts.items()
    ]


def _transfer(way: Any, mint: Any, amount: int, decimals: int, program: Any) -> Any:
    source, target, owner = way
    return transfer_checked(source, mint, target, owner, amount, decimals, program)
