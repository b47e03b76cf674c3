"""What a market has queued for the next block of the local chain, and what this will change."""

from solders.pubkey import Pubkey

from memesnipe.localnet.foreseen import ForeseenAccounts
from memesnipe.localnet.market import ChainMarket, Swap
from memesnipe.localnet.programs.pool_state import pool_state
from memesnipe.localnet.programs.pumpfun import CurveState, PumpFun
from memesnipe.localnet.programs.pumpswap import PumpSwap
from memesnipe.market.pools import Fees, fees_of
from memesnipe.market.pump import (
    CURVE_START_SOL_LAMPORTS,
    CURVE_START_TOKEN_RAW,
    CURVE_UNSOLD_TOKEN_RAW,
    PUMP_SUPPLY_RAW,
)
from memesnipe.solana.instructions import pumpfun, pumpswap
from memesnipe.solana.pump_accounts import BondingCurve


class NextBlock:
    """Foresees trades in the order in which they are queued; trades of others in between make it slightly wrong.

    Args:
        market: whose trades they are.
    """

    def __init__(self, market: ChainMarket) -> None:
        self._market = market
        self._accounts = ForeseenAccounts(market.chain)
        self._held: dict[tuple[Pubkey, Pubkey], int] = {}
        self.created: set[Pubkey] = set()

    def create(self, mint: Pubkey) -> None:
        """Note that the creation of a coin is queued."""
        self.created.add(mint)
        curve = BondingCurve(
            CURVE_START_TOKEN_RAW,
            CURVE_START_SOL_LAMPORTS,
            CURVE_START_TOKEN_RAW - CURVE_UNSOLD_TOKEN_RAW,
            0,
            PUMP_SUPPLY_RAW,
        )
        self._accounts.pending[pumpfun.bonding_curve(mint)] = CurveState(curve, PUMP_SUPPLY_RAW)

    def trade(self, swap: Swap) -> int:
        """Note a trade; return what it brings, in raw tokens or lamports.

        Raises:
            ProgramError: the program will refuse it.
        """
        user, mint = swap.accounts.user, swap.accounts.base_mint
        if isinstance(swap, pumpswap.PoolBuyExactQuoteIn | pumpswap.PoolSell):
            out = PumpSwap().trade(swap, self._accounts).out
        else:
            out = PumpFun().trade(swap, self._accounts).out
        if isinstance(swap, pumpswap.PoolSell):
            self.move(user, mint, -swap.base_amount_in)
        elif isinstance(swap, pumpfun.SellV3 | pumpfun.SellV2):
            self.move(user, mint, -swap.amount)
        else:
            self.move(user, mint, out)
        return out

    def completes(self, mint: Pubkey) -> bool:
        """Return whether the curve of a coin will be complete after the trades noted."""
        found = self._accounts.pending.get(pumpfun.bonding_curve(mint))
        return isinstance(found, CurveState) and found.curve.complete

    def pool_fees(self, mint: Pubkey) -> Fees:
        """Return the fees of the next trade in the pool of a coin."""
        return fees_of(pool_state(pumpswap.canonical_pool(mint), self._accounts).pool)

    def held(self, owner: Pubkey, mint: Pubkey) -> int:
        """Return the raw tokens that a wallet will have."""
        if (owner, mint) not in self._held:
            self._held[owner, mint] = self._market.balance(owner, mint)
        return self._held[owner, mint]

    def move(self, owner: Pubkey, mint: Pubkey, token_raw: int) -> None:
        """Note that a wallet gets tokens (below 0: gives them)."""
        self._held[owner, mint] = self.held(owner, mint) + token_raw
