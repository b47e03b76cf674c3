"""One token of the synthetic market: its pool, the demand for it, and the exact trades that result."""

from dataclasses import dataclass
from math import exp, tanh
from random import Random

from memesnipe.market.events import LAMPORTS_PER_SOL, PUMP_CURVE
from memesnipe.market.pools import Pool, Quote, migrated, moved, quote_buy, quote_sell
from memesnipe.market.pump import (
    CURVE_START_SOL_LAMPORTS,
    CURVE_START_TOKEN_RAW,
    CURVE_UNSOLD_TOKEN_RAW,
    PUMP_FEES_BPS,
    PUMP_SUPPLY_RAW,
)

CURVE_FOR_SALE_RAW = CURVE_START_TOKEN_RAW - CURVE_UNSOLD_TOKEN_RAW
MIGRATED_TOKEN_RAW = PUMP_SUPPLY_RAW - CURVE_FOR_SALE_RAW  # tokens never for sale go into the new pool
NEW_CURVE = Pool(
    PUMP_CURVE,
    CURVE_START_SOL_LAMPORTS,
    CURVE_START_TOKEN_RAW,
    0,
    CURVE_FOR_SALE_RAW,
    PUMP_SUPPLY_RAW,
    0,
    *PUMP_FEES_BPS,
)

HEAT_FADES_S = 70.0
MOOD_FADES_S = 60.0
BUYS_AT_REST, BUYS_SWING = 0.475, 0.36  # share of buys at mood 0, and its maximum change by mood
MIN_SHARE = 1e-6  # smallest trade, as a share of the pool
NEW_HOLDERS, LEAVING_HOLDERS = 0.5, 0.4  # change of the number of holders per buy and per sale


@dataclass(slots=True)
class Crowd:
    """The sizes of the crowd's trades, as shares of the SOL in the pool: lognormal, truncated."""

    median: float = 0.0012
    sigma: float = 2.35
    most: float = 0.08
    forced: float = 0.07  # the largest forced sale
    deepest_sol: float = 150.0  # in deeper pools trades are not larger, because a crowd's money is limited


@dataclass(slots=True)
class Token:
    """One token. Heat is trades per second, mood the demand (above 0: to buy); both decay to their rest level."""

    mint: str
    pool: Pool
    crowd: Crowd
    heat: float = 0.0
    mood: float = 0.0
    heat_at_rest: float = 0.0
    mood_at_rest: float = -0.4
    appeal: float = 0.0  # strength of its bursts of hype
    dev_raw: int = 0  # held by the developer
    holders: float = 3.0
    gifted: float = 0.0  # holders who received an airdrop
    settled_s: float = 0.0  # time of the last update of heat and mood
    is_alive: bool = True  # whether there is interest; it ends once and for all
    is_over: bool = False

    @property
    def public_raw(self) -> int:
        """The raw tokens held by everyone but the developer."""
        issued = CURVE_START_TOKEN_RAW if self.pool.venue == PUMP_CURVE else PUMP_SUPPLY_RAW
        return max(issued - self.pool.token_raw - self.dev_raw, 0)

    @property
    def price(self) -> float:
        """The pool's price in lamports per raw token."""
        return self.pool.sol_lamports / self.pool.token_raw

    def settle(self, now_s: float) -> None:
        """Decay heat and mood up to now."""
        elapsed_s = now_s - self.settled_s
        self.heat = self.heat_at_rest + (self.heat - self.heat_at_rest) * exp(-elapsed_s / HEAT_FADES_S)
        self.mood = self.mood_at_rest + (self.mood - self.mood_at_rest) * exp(-elapsed_s / MOOD_FADES_S)
        self.settled_s = now_s

    def stir(self, now_s: float, mood: float, heat: float) -> None:
        """Add to mood and heat, within their limits."""
        self.settle(now_s)
        self.mood = min(max(self.mood + mood, -2.5), 2.5)
        self.heat = min(self.heat + heat, 4.0)

    def die(self, mood_at_rest: float) -> None:
        """End the interest in the token; the remaining trades are mostly sales."""
        self.is_alive = False
        self.heat_at_rest, self.mood_at_rest = 0.0, mood_at_rest

    def wants_to_buy(self, rng: Random) -> bool:
        """Draw whether the next trade of the crowd is a buy."""
        return rng.random() < BUYS_AT_REST + BUYS_SWING * tanh(self.mood)

    def size_lamports(self, rng: Random) -> int:
        """Draw the size of the crowd's next trade, in lamports."""
        share = self.crowd.median * exp(rng.gauss(0.0, self.crowd.sigma))
        depth = min(self.pool.sol_lamports, int(self.crowd.deepest_sol * LAMPORTS_PER_SOL))
        return int(depth * min(max(share, MIN_SHARE), self.crowd.most))

    def buy(self, lamports: int) -> Quote | None:
        """Buy for a budget; None if the pool sells nothing. Buying the last tokens completes a curve."""
        quote = quote_buy(self.pool, lamports)
        if quote.token_raw <= 0 or quote.sol_lamports <= 0:
            return None
        takes_all = quote.token_raw == self.pool.real_token_raw
        self.pool = moved(self.pool, quote.pool_sol_lamports, -quote.token_raw)
        if takes_all:  # `moved` is for our own trades, which never complete a curve
            self.pool = self.pool._replace(real_token_raw=0)
        self.holders += NEW_HOLDERS
        return quote

    def sell(self, token_raw: int) -> Quote | None:
        """Sell tokens; None if the sale yields nothing."""
        quote = quote_sell(self.pool, token_raw)
        if quote.token_raw <= 0 or quote.sol_lamports <= 0 or quote.pool_sol_lamports >= self.pool.sol_lamports:
            return None
        self.pool = moved(self.pool, -quote.pool_sol_lamports, quote.token_raw)
        self.holders = max(self.holders - LEAVING_HOLDERS, 2.0)
        return quote

    def worth_raw(self, lamports: int) -> int:
        """Return the raw tokens of this value at the pool's price, at most the public's holdings."""
        return min(lamports * self.pool.token_raw // self.pool.sol_lamports, self.public_raw)

    def change_liquidity(self, share: float) -> int:
        """Add a share of the pool on both sides, or remove it (below 0); return the change in lamports."""
        pool = self.pool
        share = min(share, 0.5 * self.public_raw / pool.token_raw)  # liquidity providers add only tokens that they hold
        sol, token_raw = int(pool.sol_lamports * share), int(pool.token_raw * share)
        self.pool = moved(pool, sol, token_raw)
        self.dev_raw = max(self.dev_raw - token_raw, 0)  # removed tokens are held by the provider and added from there
        return sol

    def migrate(self) -> None:
        """Replace a complete curve by its PumpSwap pool."""
        self.pool = migrated(self.pool, MIGRATED_TOKEN_RAW)
