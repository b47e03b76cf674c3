"""The emulated program of PumpSwap: v2 trades in pools that are quoted in SOL, exact to the lamport.

Fees of protocol and creator stay in the quote vault and are subtracted from `virtual_quote_reserves`; the share of the
protocol's fee for buybacks is zero. The fees are those of the tier of the pool's market cap (`fees_of`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from solders.instruction import AccountMeta

from memesnipe.feeds.pumpfun.chain_events import BuyEvent, SellEvent
from memesnipe.localnet.event_encoding import event_line
from memesnipe.localnet.programs import Expansion, MarketAccounts, ProgramError
from memesnipe.localnet.programs.pumpfun import Outcome
from memesnipe.localnet.programs.state import (
    INSTRUCTION_FALLBACK_NOT_FOUND,
    Accumulator,
    anchor_error,
    mint_supply,
    read,
    token_amount,
    write,
)
from memesnipe.market.events import PUMPSWAP
from memesnipe.market.pools import BPS, Fees, Pool, Quote, fees_of, quote_buy, quote_buy_tokens, quote_sell
from memesnipe.market.wide import mul_div_up
from memesnipe.solana.addresses import PUMP_AMM
from memesnipe.solana.instructions.layout import DecodeError
from memesnipe.solana.instructions.pumpswap import PoolBuy, PoolBuyExactQuoteIn, PoolSell, PoolTrade, decode
from memesnipe.solana.instructions.spl import transfer_checked
from memesnipe.solana.pump_accounts import PumpPool

_BASE_DECIMALS: Final = 6
_SOL_DECIMALS: Final = 9
_NAMES: Final[dict[type, tuple[str, str]]] = {
    PoolBuy: ("BuyV2", "buy_v2"),
    PoolBuyExactQuoteIn: ("BuyExactQuoteInV2", "buy_exact_quote_in_v2"),
    PoolSell: ("SellV2", "sell_v2"),
}
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
}


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool and its vaults, as the instructions so far leave them; raw tokens and lamports."""

    account: PumpPool
    base: int
    quote: int
    supply_raw: int

    @property
    def pool(self) -> Pool:
        """Return the pool as the market's maths take it."""
        effective = self.quote + self.account.virtual_quote_reserves
        real = min(effective, self.quote)
        creator_bps = self.account.creator_fee_bps
        return Pool(PUMPSWAP, effective, self.base, real, self.base, self.supply_raw, 0, 0, creator_bps)


class PumpSwap:
    """PumpSwap: trades in the pools of coins whose curves are complete."""

    program_id = PUMP_AMM

    def expand(self, data: bytes, accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
        """Return what an instruction causes (`EmulatedProgram`)."""
        try:
            trade = decode(data, list(accounts))
        except DecodeError as error:
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
        if before.account.is_cashback_coin:
            raise _error(6079, trade)
        quote = _quote(trade, before.pool)
        expansion = _settle(trade, before, quote, state)
        is_sale = isinstance(trade, PoolSell)
        return Outcome(expansion, quote.sol_lamports - quote.fee_lamports if is_sale else quote.token_raw)


def pool_state(address: Any, state: MarketAccounts) -> PoolState:
    """Return a pool as the instructions so far leave it.

    Raises:
        ProgramError: there is no such pool.
    """
    pending = state.pending.get(address)
    if isinstance(pending, PoolState):
        return pending
    account = read(state, address, PUMP_AMM, PumpPool.decode)
    assert isinstance(account, PumpPool)  # noqa: S101 - for mypy
    base = token_amount(state, account.pool_base_token_account)
    quote = token_amount(state, account.pool_quote_token_account)
    return PoolState(account, base, quote, mint_supply(state, account.base_mint))


def _error(code: int, trade: PoolTrade) -> ProgramError:
    line = f"Program log: Instruction: {_NAMES[type(trade)][0]}"
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
    account = replace(
        before.account,
        virtual_quote_reserves=before.account.virtual_quote_reserves - protocol - creator,
        protocol_fees=before.account.protocol_fees + protocol,
        creator_fees=before.account.creator_fees + creator,
    )
    after = PoolState(account, before.base - sign * quote.token_raw, before.quote + sign * paid, before.supply_raw)
    state.pending[accounts.pool] = after
    accumulator = Accumulator(PUMP_AMM, accounts.user_volume_accumulator, accounts.user)
    created = accumulator.instructions(state)

    def commit() -> None:
        write(state, accounts.pool, account.encode())
        if created:
            accumulator.commit(state)

    tokens = (accounts.pool_base_token_account, accounts.user_base_token_account, accounts.pool)
    sol = (accounts.user_quote_token_account, accounts.pool_quote_token_account, accounts.user)
    if sign < 0:
        tokens = (tokens[1], tokens[0], accounts.user)
        sol = (sol[1], sol[0], accounts.pool)
    transfers = [
        _transfer(tokens, accounts.base_mint, quote.token_raw, _BASE_DECIMALS, accounts.base_token_program),
        _transfer(sol, accounts.quote_mint, paid, _SOL_DECIMALS, accounts.quote_token_program),
    ]
    lines = [f"Program log: Instruction: {_NAMES[type(trade)][0]}"]
    lines.append(_event(trade, before, quote, fees, state.unix_timestamp))
    return Expansion([*created, *transfers], lines, commit)


def _transfer(way: Any, mint: Any, amount: int, decimals: int, program: Any) -> Any:
    source, target, owner = way
    return transfer_checked(source, mint, target, owner, amount, decimals, program)


def _event(trade: PoolTrade, before: PoolState, quote: Quote, fees: Fees, timestamp: int) -> str:
    """Return the line of a trade's event; its reserves are those before the trade, the virtual ones included."""
    accounts, sign = trade.accounts, -1 if isinstance(trade, PoolSell) else 1
    creator = mul_div_up(quote.sol_lamports, fees.creator, BPS)
    values: dict[str, Any] = {
        "timestamp": timestamp,
        "base_amount": quote.token_raw,
        "quote_limit": {
            PoolBuy: getattr(trade, "max_quote_amount_in", 0),
            PoolBuyExactQuoteIn: getattr(trade, "spendable_quote_in", 0),
            PoolSell: getattr(trade, "min_quote_amount_out", 0),
        }[type(trade)],
        "pool_base_token_reserves": before.base,
        "pool_quote_token_reserves": before.quote,
        "quote_amount": quote.sol_lamports,
        "lp_fee_basis_points": fees.lp,
        "lp_fee": mul_div_up(quote.sol_lamports, fees.lp, BPS),
        "protocol_fee_basis_points": fees.protocol,
        "protocol_fee": mul_div_up(quote.sol_lamports, fees.protocol, BPS),
        "pool_quote_amount": quote.pool_sol_lamports,
        "user_quote_amount": quote.sol_lamports + sign * quote.fee_lamports,
        "pool": bytes(accounts.pool),
        "user": bytes(accounts.user),
        "user_base_token_account": bytes(accounts.user_base_token_account),
        "user_quote_token_account": bytes(accounts.user_quote_token_account),
        "coin_creator": bytes(before.account.coin_creator),
        "coin_creator_fee_basis_points": fees.creator,
        "coin_creator_fee": creator,
        "virtual_quote_reserves": before.account.virtual_quote_reserves,
        "base_supply": before.supply_raw,
    }
    if isinstance(trade, PoolSell):
        return event_line(SellEvent, **values)
    least = trade.min_base_amount_out if isinstance(trade, PoolBuyExactQuoteIn) else 0
    return event_line(BuyEvent, **values, min_base_amount_out=least, ix_name=_NAMES[type(trade)][1])
