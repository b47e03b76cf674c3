"""The swaps of pump.fun, PumpSwap and Jupiter in one form: who trades what, out of and into which accounts."""

from dataclasses import dataclass
from typing import Final

from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from memesnipe.signer.intent import Side
from memesnipe.signer.policy import JupiterLimits
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.solana.addresses import WRAPPED_SOL
from memesnipe.solana.instructions import jupiter, pumpfun, pumpswap
from memesnipe.solana.instructions.pumpswap_cashback import CashbackTradeAccounts

Metas = list[AccountMeta]

_BUYS: Final = (pumpfun.BuyV3, pumpfun.BuyV2)
_EXACT_BUYS: Final = (pumpfun.BuyExactQuoteInV3, pumpfun.BuyExactQuoteInV2)


@dataclass(frozen=True)
class Trade:
    """A swap as its instruction declares it.

    Args:
        side: of the token.
        user: whose tokens are taken.
        mint: of the token.
        token_program: of the token.
        token_account: from or to which the token moves.
        sol_mint: the other side, which must be wrapped SOL.
        sol_program: the token program of the other side.
        sol_account: from or to which the other side moves.
        max_in: taken at most.
        min_out: given at least.
    """

    side: Side
    user: Pubkey
    mint: Pubkey
    token_program: Pubkey
    token_account: Pubkey
    sol_mint: Pubkey
    sol_program: Pubkey
    sol_account: Pubkey
    max_in: int
    min_out: int
    cashback: tuple[Pubkey, Pubkey] | None = None  # the accumulator and its token account that get the user's cashback


def read_pump(data: bytes, metas: Metas) -> Trade:
    """Return a trade on pump.fun's curve.

    Raises:
        DecodeError: it is malformed.
        RefusedError: it may be filled in part, so that its least output is not promised.
    """
    trade = pumpfun.decode(data, metas)
    if isinstance(trade, pumpfun.BuyV3 | pumpfun.BuyExactQuoteInV3) and trade.partial_fill:
        raise RefusedError(Reason.SWAP, "a purchase that may be filled in part")
    side: Side = "buy"
    if isinstance(trade, _BUYS):
        max_in, min_out = trade.max_sol_cost, trade.amount
    elif isinstance(trade, _EXACT_BUYS):
        max_in, min_out = trade.spendable_quote_in, trade.min_tokens_out
    else:
        side, max_in, min_out = "sell", trade.amount, trade.min_sol_output
    at = trade.accounts
    return Trade(
        side, at.user, at.base_mint, at.base_token_program, at.associated_base_user,
        at.quote_mint, at.quote_token_program, at.associated_quote_user, max_in, min_out,
    )  # fmt: skip


def read_pumpswap(data: bytes, metas: Metas) -> Trade:
    """Return a trade in a pool of PumpSwap.

    Raises:
        DecodeError: it is malformed.
    """
    trade = pumpswap.decode(data, metas)
    side: Side = "buy"
    if isinstance(trade, pumpswap.PoolBuy):
        max_in, min_out = trade.max_quote_amount_in, trade.base_amount_out
    elif isinstance(trade, pumpswap.PoolBuyExactQuoteIn):
        max_in, min_out = trade.spendable_quote_in, trade.min_base_amount_out
    else:
        side, max_in, min_out = "sell", trade.base_amount_in, trade.min_quote_amount_out
    at = trade.accounts
    return Trade(
        side, at.user, at.base_mint, at.base_token_program, at.user_base_token_account,
        at.quote_mint, at.quote_token_program, at.user_quote_token_account, max_in, min_out,
        (at.user_volume_accumulator, at.cashback_token_account) if isinstance(at, CashbackTradeAccounts) else None,
    )  # fmt: skip


def read_jupiter(data: bytes, metas: Metas, limits: JupiterLimits) -> Trade:
    """Return a swap through Jupiter; without SOL on either side, the destination is the token.

    Raises:
        DecodeError: it is malformed.
        RefusedError: it has other fees, more slippage, or another destination than the wallet's account.
    """
    route = jupiter.decode(data, metas)
    if route.slippage_bps > limits.max_slippage_bps:
        raise RefusedError(Reason.SWAP, f"slippage of {route.slippage_bps} bps; {limits.max_slippage_bps} at most")
    if route.platform_fee_bps > limits.max_platform_fee_bps:
        raise RefusedError(Reason.SWAP, f"a platform fee of {route.platform_fee_bps} bps")
    amounts = route.in_amount, jupiter.min_out(route)
    at = route.accounts
    if isinstance(at, jupiter.RouteAccounts):
        source, destination = at.user_source_token_account, at.user_destination_token_account
        if at.destination_token_account not in (None, destination):
            raise RefusedError(Reason.DESTINATION, "another destination than the wallet's account")
    else:
        source, destination = at.source_token_account, at.destination_token_account
    into = at.destination_mint, at.destination_token_program, destination
    out_of = at.source_mint, at.source_token_program, source
    if at.destination_mint == WRAPPED_SOL:
        return Trade("sell", at.user_transfer_authority, *out_of, *into, *amounts)
    return Trade("buy", at.user_transfer_authority, *into, *out_of, *amounts)
