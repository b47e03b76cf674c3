"""One token of the synthetic market: its pool, how much people want it, and the exact trades that come of it."""

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
MIGRATED_TOKEN_RAW = PUMP_SUPPLY_RAW - CURVE_FOR_SALE_RAW  # what was never for sale goes into the new pool
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
BUYS_AT_REST, BUYS_SWING = 0.475, 0.36  # share of purchases at mood 0, and how far moods move it
MIN_SHARE = 1e-6  # of the pool, that anybody bothers to trade
NEW_HOLDERS, LEAVING_HOLDERS = 0.5, 0.4  # wallets that come with a purchase, and go with a sale


@dataclass(slots=True)
class Crowd:
    """How large the trades of a token's crowd are, as shares of the SOL in its pool: lognormal, cut off."""

    median: float = 0.0012
    sigma: float = 2.35
    most: float = 0.08
    forced: float = 0.07  # the largest sale of somebody who must be out at once
    deepest_sol: float = 150.0  # in a deeper pool they are not larger: a crowd has only so much money


@dataclass(slots=True)
class Token:
    """One token. Heat is trades a second, mood what people think of it (above 0: they want in); both return to rest."""

    mint: str
    pool: Pool
    crowd: Crowd
    heat: float = 0.0
    mood: float = 0.0
    heat_at_rest: float = 0.0
    mood_at_rest: float = -0.4
    appeal: float = 0.0  # how strong its bursts of hype are
    dev_raw: int = 0  # what the developer holds
    holders: float = 3.0
    gifted: float = 0.0  # holders who were given their tokens
    settled_s: float = 0.0  # heat and mood are as of then
    is_alive: bool = True  # people still care; when they stop, they do so for good
    is_over: bool = False

    @property
    def public_raw(self) -> int:
        """What everyone but the developer holds."""
        issued = CURVE_START_TOKEN_RAW if self.pool.venue == PUMP_CURVE else PUMP_SUPPLY_RAW
        return max(issued - self.pool.token_raw - self.dev_raw, 0)

    @property
    def price(self) -> float:
        """Lamports for a raw token."""
        return self.pool.sol_lamports / self.pool.token_raw

    def settle(self, now_s: float) -> None:
        """Let heat and mood fade up to now."""
        elapsed_s = now_s - self.settled_s
        self.heat = self.heat_at_rest + (self.heat - self.heat_at_rest) * exp(-elapsed_s / HEAT_FADES_S)
        self.mood = self.mood_at_rest + (self.mood - self.mood_at_rest) * exp(-elapsed_s / MOOD_FADES_S)
        self.settled_s = now_s

    def stir(self, now_s: float, mood: float, heat: float) -> None:
        """Something happens: add to mood and heat."""
        self.settle(now_s)
        self.mood = min(max(self.mood + mood, -2.5), 2.5)
        self.heat = min(self.heat + heat, 4.0)

    def die(self, mood_at_rest: float) -> None:
        """People stop caring: what trades are left are on the way out."""
        self.is_alive = False
        self.heat_at_rest, self.mood_at_rest = 0.0, mood_at_rest

    def wants_to_buy(self, rng: Random) -> bool:
        """Whether the next of the crowd comes to buy."""
        return rng.random() < BUYS_AT_REST + BUYS_SWING * tanh(self.mood)

    def size_lamports(self, rng: Random) -> int:
        """How much the next of the crowd trades."""
        share = self.crowd.median * exp(rng.gauss(0.0, self.crowd.sigma))
        depth = min(self.pool.sol_lamports, int(self.crowd.deepest_sol * LAMPORTS_PER_SOL))
        return int(depth * min(max(share, MIN_SHARE), self.crowd.most))

    def buy(self, lamports: int) -> Quote | None:
        """Somebody buys for so much; None when there is nothing to be had. The last tokens complete a curve."""
        quote = quote_buy(self.pool, lamports)
        if quote.token_raw <= 0 or quote.sol_lamports <= 0:
            return None
        takes_all = quote.token_raw == self.pool.real_token_raw
        self.pool = moved(self.pool, quote.pool_sol_lamports, -quote.token_raw)
        if takes_all:  # `moved` is for our own trades, which complete no curve
            self.pool = self.pool._replace(real_token_raw=0)
        self.holders += NEW_HOLDERS
        return quote

    def sell(self, token_raw: int) -> Quote | None:
        """Somebody sells so many; None when that pays nothing."""
        quote = quote_sell(self.pool, token_raw)
        if quote.token_raw <= 0 or quote.sol_lamports <= 0 or quote.pool_sol_lamports >= self.pool.sol_lamports:
            return None
        self.pool = moved(self.pool, -quote.pool_sol_lamports, quote.token_raw)
        self.holders = max(self.holders - LEAVING_HOLDERS, 2.0)
        return quote

    def worth_raw(self, lamports: int) -> int:
        """How many tokens are worth so much at the pool's price, of those that the public has."""
        return min(lamports * self.pool.token_raw // self.pool.sol_lamports, self.public_raw)

    def change_liquidity(self, share: float) -> int:
        """Add a share of the pool on both sides, or remove it (below 0); gives the SOL that it changed by."""
        pool = self.pool
        share = min(share, 0.5 * self.public_raw / pool.token_raw)  # nobody adds tokens that he has not
        sol, token_raw = int(pool.sol_lamports * share), int(pool.token_raw * share)
        self.pool = moved(pool, sol, token_raw)
        self.dev_raw = max(self.dev_raw - token_raw, 0)  # who removes tokens holds them, and adds from those
        return sol

    def migrate(self) -> None:
        """A complete curve goes on as a PumpSwap pool."""
        self.pool = migrated(self.pool, MIGRATED_TOKEN_RAW)
