"""The emulated program of pump.fun: trades on curves, exact to the lamport.

On mainnet a curve's lamports are in its own account. Here they are in another account of the program, `sol_vault`,
because only accounts without data can be debited by the system program. v3 trades keep their fees there; v2 trades pay
them out, the creator's of a cashback coin to the trader's accumulator. The share of the protocol's fee for buybacks is
zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.feeds.pumpfun.chain_events import CompleteEvent, PostCompleteBuyEvent, TradeEvent
from memesnipe.localnet.event_encoding import event_line
from memesnipe.localnet.programs import Expansion, MarketAccounts, ProgramError
from memesnipe.localnet.programs.creation import CREATE_V2, expand_creation
from memesnipe.localnet.programs.migration import MIGRATE_V2, expand_migration
from memesnipe.localnet.programs.state import (
    CONSTRAINT_SEEDS,
    INSTRUCTION_FALLBACK_NOT_FOUND,
    Accumulator,
    anchor_error,
    pay,
    read,
    token_amount,
    write,
)
from memesnipe.localnet.programs.vault import sol_vault
from memesnipe.solana.addresses import PUMP
from memesnipe.solana.curve_quotes import CURVE_FEES, Buy, Part, buy_for, buy_tokens, sell_tokens
from memesnipe.solana.instructions.layout import DecodeError
from memesnipe.solana.instructions.pumpfun import (
    BuyExactQuoteInV2,
    BuyExactQuoteInV3,
    BuyV2,
    BuyV3,
    SellV2,
    SellV3,
    Trade,
    bonding_curve,
    decode,
)
from memesnipe.solana.instructions.pumpfun_accounts import TradeV2Accounts
from memesnipe.solana.instructions.spl import transfer_checked
from memesnipe.solana.pump_accounts import BondingCurve

DECIMALS: Final = 6
_NAMES: Final[dict[type, tuple[str, str]]] = {
    BuyV3: ("BuyV3", "buy_v3"),
    BuyExactQuoteInV3: ("BuyExactQuoteInV3", "buy_exact_quote_in_v3"),
    SellV3: ("SellV3", "sell_v3"),
    BuyV2: ("BuyV2", "buy_v2"),
    BuyExactQuoteInV2: ("BuyExactQuoteInV2", "buy_exact_quote_in_v2"),
    SellV2: ("SellV2", "sell_v2"),
}
# Codes, names and texts are those of the IDL (pump-sdk 2.0.0); 6094 is from TRADE_V3.md.
_ERRORS: Final = {
    6002: ("TooMuchSolRequired", "slippage: Too much SOL required to buy the given amount of tokens."),
    6003: ("TooLittleSolReceived", "slippage: Too little SOL received to sell the given amount of tokens."),
    6005: ("BondingCurveComplete", "The bonding curve has completed and liquidity migrated to raydium."),
    6020: ("BuyZeroAmount", "Buy zero amount"),
    6021: ("NotEnoughTokensToBuy", "Not enough tokens to buy"),
    6022: ("SellZeroAmount", "Sell zero amount"),
    6023: ("NotEnoughTokensToSell", "Not enough tokens to sell"),
    6042: ("BuySlippageBelowMinTokensOut", "Slippage: Would buy less tokens than expected min_tokens_out"),
    6094: ("CashbackCoinNotSupported", "Cashback coins are not supported"),
}


@dataclass(frozen=True, slots=True)
class CurveState:
    """A curve and the raw tokens in its token account, as the instructions so far leave them."""

    curve: BondingCurve
    held_raw: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """An expansion, and what the wallet gets: raw tokens of a buy, lamports of a sale."""

    expansion: Expansion
    out: int


class PumpFun:
    """pump.fun: creates coins, trades on their curves, and migrates complete ones."""

    program_id = PUMP

    def expand(self, data: bytes, accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
        """Return what an instruction causes (`EmulatedProgram`)."""
        if data[:8] == CREATE_V2:
            return expand_creation(data, accounts, state)
        if data[:8] == MIGRATE_V2:
            return expand_migration(accounts, state)
        try:
            trade = decode(data, list(accounts))
        except DecodeError as error:
            lines = anchor_error("InstructionFallbackNotFound", INSTRUCTION_FALLBACK_NOT_FOUND, str(error))
            raise ProgramError(INSTRUCTION_FALLBACK_NOT_FOUND, lines) from None
        return self.trade(trade, state).expansion

    def trade(self, trade: Trade, state: MarketAccounts) -> Outcome:
        """Return what a trade causes.

        Raises:
            ProgramError: the program refuses it.
        """
        mint, address = trade.accounts.base_mint, trade.accounts.bonding_curve
        if address != bonding_curve(mint):
            raise _error(CONSTRAINT_SEEDS, trade)
        before = state.pending.get(address)
        if before is None:
            curve = read(state, address, PUMP, BondingCurve.decode)
            assert isinstance(curve, BondingCurve)  # noqa: S101 - for mypy
            before = CurveState(curve, token_amount(state, trade.accounts.associated_base_bonding_curve))
        if before.curve.complete:
            raise _error(6005, trade)
        if before.curve.is_cashback_coin and isinstance(trade, BuyV3 | BuyExactQuoteInV3 | SellV3):
            raise _error(6094, trade)
        if isinstance(trade, SellV3 | SellV2):
            return _sell(trade, before, state)
        return _buy(trade, before, state)


def _error(code: int, trade: Trade) -> ProgramError:
    name, text = _ERRORS.get(code, ("ConstraintSeeds", "A seeds constraint was violated"))
    return ProgramError(code, [_instruction_line(trade), *anchor_error(name, code, text)])


def _instruction_line(trade: Trade) -> str:
    return f"Program log: Instruction: {_NAMES[type(trade)][0]}"


def _buy(
    trade: BuyV3 | BuyV2 | BuyExactQuoteInV3 | BuyExactQuoteInV2, before: CurveState, state: MarketAccounts
) -> Outcome:
    is_exact_in = isinstance(trade, BuyExactQuoteInV3 | BuyExactQuoteInV2)
    amount = trade.spendable_quote_in if isinstance(trade, BuyExactQuoteInV3 | BuyExactQuoteInV2) else trade.amount
    if amount == 0:
        raise _error(6020, trade)
    found = (buy_for if is_exact_in else buy_tokens)(before.curve, before.held_raw, amount)
    if found is None or (found.rest and isinstance(trade, BuyV2 | BuyExactQuoteInV2)):
        raise _error(6021, trade)
    if isinstance(trade, BuyV3 | BuyV2) and found.total_lamports > trade.max_sol_cost:
        raise _error(6002, trade)
    if isinstance(trade, BuyExactQuoteInV3 | BuyExactQuoteInV2) and found.token_raw < trade.min_tokens_out:
        raise _error(6042, trade)
    return Outcome(_settle(trade, before, found.curve, found, state), found.token_raw)


def _sell(trade: SellV3 | SellV2, before: CurveState, state: MarketAccounts) -> Outcome:
    if trade.amount == 0:
        raise _error(6022, trade)
    part = sell_tokens(before.curve, trade.amount)
    if part is None:
        raise _error(6023, trade)
    if part.sol_lamports - part.fee < trade.min_sol_output:
        raise _error(6003, trade)
    return Outcome(_settle(trade, before, part, None, state), part.sol_lamports - part.fee)


def _settle(trade: Trade, before: CurveState, part: Part, buy: Buy | None, state: MarketAccounts) -> Expansion:
    """Return the transfers, events and changes of a trade; ``part`` is the one on the curve."""
    accounts, keeps_fees = trade.accounts, not isinstance(trade.accounts, TradeV2Accounts)
    rest = buy.rest if buy else None
    sign = 1 if buy else -1
    parts = [one for one in (part, rest) if one]
    protocol, creator = sum(one.protocol_fee for one in parts), sum(one.creator_fee for one in parts)
    after = replace(
        before.curve,
        virtual_quote_reserves=before.curve.virtual_quote_reserves + sign * part.sol_lamports,
        virtual_token_reserves=before.curve.virtual_token_reserves - sign * part.token_raw,
        real_quote_reserves=before.curve.real_quote_reserves + sign * part.sol_lamports,
        real_token_reserves=before.curve.real_token_reserves - sign * part.token_raw,
        complete=before.curve.real_token_reserves - sign * part.token_raw == 0,
        protocol_fees=before.curve.protocol_fees + protocol * keeps_fees,
        creator_fees=before.curve.creator_fees + creator * keeps_fees,
    )
    events = _events(trade, part, buy, after, state)
    if rest:  # the curve holds what the future pool was paid until the migration
        after = replace(after, real_quote_reserves=after.real_quote_reserves + rest.sol_lamports)
    moved = sum(one.token_raw for one in parts)
    state.pending[accounts.bonding_curve] = CurveState(after, before.held_raw - sign * moved)
    accumulator = Accumulator(PUMP, accounts.user_volume_accumulator, accounts.user)
    created = accumulator.instructions(state)

    def commit() -> None:
        write(state, accounts.bonding_curve, after.encode())
        if created:
            accumulator.commit(state)

    lamports = sum(one.sol_lamports for one in parts)
    transfers = _transfers(trade, before.curve, sign, lamports, moved, protocol, creator)
    return Expansion([*created, *transfers], [_instruction_line(trade), *events], commit)


def _transfers(
    trade: Trade, curve: BondingCurve, sign: int, lamports: int, token_raw: int, protocol: int, creator: int
) -> list[Instruction]:
    accounts = trade.accounts
    vault = sol_vault(accounts.base_mint)
    curve_tokens, user_tokens = accounts.associated_base_bonding_curve, accounts.associated_base_user
    source, target, owner = (
        (curve_tokens, user_tokens, accounts.bonding_curve) if sign > 0 else (user_tokens, curve_tokens, accounts.user)
    )
    tokens = transfer_checked(
        source, accounts.base_mint, target, owner, token_raw, DECIMALS, accounts.base_token_program
    )
    payer = accounts.user if sign > 0 else vault
    if not isinstance(accounts, TradeV2Accounts):
        net = lamports + sign * (protocol + creator)
        return [tokens, pay(payer, vault if sign > 0 else accounts.user, net)]
    net = lamports if sign > 0 else lamports - protocol - creator
    return [
        tokens,
        pay(payer, vault if sign > 0 else accounts.user, net),
        pay(payer, accounts.fee_recipient, protocol),
        pay(payer, accounts.user_volume_accumulator if curve.is_cashback_coin else accounts.creator_vault, creator),
    ]


def _events(trade: Trade, part: Part, buy: Buy | None, after: BondingCurve, state: MarketAccounts) -> list[str]:
    """Return the lines of a trade's events; ``after`` is the curve after its own part."""
    accounts = trade.accounts
    user, mint, curve = (bytes(key) for key in (accounts.user, accounts.base_mint, accounts.bonding_curve))
    recipient: Pubkey = accounts.fee_recipient if isinstance(accounts, TradeV2Accounts) else Pubkey.default()
    lines = [
        event_line(
            TradeEvent,
            mint=mint,
            sol_amount=part.sol_lamports,
            token_amount=part.token_raw,
            is_buy=buy is not None,
            user=user,
            timestamp=state.unix_timestamp,
            virtual_sol_reserves=after.virtual_quote_reserves,
            virtual_token_reserves=after.virtual_token_reserves,
            real_sol_reserves=after.real_quote_reserves,
            real_token_reserves=after.real_token_reserves,
            fee_recipient=bytes(recipient),
            fee_basis_points=CURVE_FEES.protocol,
            fee=part.protocol_fee,
            creator=bytes(after.creator),
            creator_fee_basis_points=0 if after.is_cashback_coin else CURVE_FEES.creator,
            creator_fee=0 if after.is_cashback_coin else part.creator_fee,
            cashback_fee_basis_points=CURVE_FEES.creator if after.is_cashback_coin else 0,
            cashback=part.creator_fee if after.is_cashback_coin else 0,
            ix_name=_NAMES[type(trade)][1],
            quote_amount=part.sol_lamports,
            virtual_quote_reserves=after.virtual_quote_reserves,
            real_quote_reserves=after.real_quote_reserves,
        )
    ]
    if not after.complete:
        return lines
    common = {"user": user, "mint": mint, "bonding_curve": curve, "timestamp": state.unix_timestamp}
    lines.append(event_line(CompleteEvent, **common))
    if buy and buy.rest and buy.opening:
        rest, opening = buy.rest, buy.opening
        lines.append(
            event_line(
                PostCompleteBuyEvent,
                **common,
                base_out=rest.token_raw,
                quote_in=rest.sol_lamports,
                fee_bps=CURVE_FEES.protocol,
                fee=rest.protocol_fee,
                creator_fee_bps=CURVE_FEES.creator,
                creator_fee=rest.creator_fee,
                pool_base_before=opening.token_raw,
                pool_quote_before=opening.sol_lamports,
                pool_base_after=opening.token_raw - rest.token_raw,
                pool_quote_after=opening.sol_lamports + rest.sol_lamports,
            )
        )
    return lines
