"""The world of the synthetic market: its clock, the queue of what happens next, and the events it reports."""

import heapq
from collections.abc import Callable
from functools import wraps
from random import Random
from typing import Any, Final

from memesnipe.feeds.synthetic.token import Token
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, NS_PER_S, SELL_SIDE, SIDE_NAMES, VENUE_NAMES
from memesnipe.market.pools import Quote
from memesnipe.market.pump import RAW_PER_TOKEN, wallet_hash

START_TS: Final = 1_767_225_600 * NS_PER_S  # 2026-01-01 UTC, 09:00 in Korea
WALLETS = 2000
SLOT_S = 0.3
DAY_S = 86_400
KOREAN_HOURS_S = 8 * 3600  # from 09:00, when Upbit's daily candle begins, to 17:00 in Korea: 00:00 to 08:00 UTC
KOREAN_TEMPO = 1.4
KOREAN_STRENGTH = 1.25

Message = dict[str, Any]
# What happens to a token, or (None) to the whole market: it changes it, plans what follows, and reports events.
Story = Callable[["World", Any], list[Message]]

_START_OF_DAY_S = START_TS // NS_PER_S % DAY_S
_MINT_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class World:
    """Everything that moves on. What happens is decided by stories; they report it and plan what follows."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)  # noqa: S311 - a market, not a secret; and much faster than numpy one by one
        self.now_s = 0.0
        self.sol_usd = 200.0
        self.tokens: list[Token] = []  # that are alive
        self._traders = [wallet_hash(f"synthetic wallet {i}") for i in range(WALLETS)]
        self.queue: list[tuple[float, int, Story, Token | None]] = []
        self.planned = 0

    def go_on(self) -> list[Message]:
        """Let the next story happen; gives what it reports.

        Raises:
            IndexError: no story goes on.
        """
        self.now_s, _, story, token = heapq.heappop(self.queue)
        return story(self, token) if token is None or not token.is_over else []

    def plan(self, wait_s: float, story: Story, token: Token | None = None) -> None:
        """Let a story happen later, if its token is still alive then."""
        self.planned += 1
        heapq.heappush(self.queue, (self.now_s + wait_s, self.planned, story, token))

    @property
    def is_korean_day(self) -> bool:
        """Whether Korea is trading."""
        return (_START_OF_DAY_S + self.now_s) % DAY_S < KOREAN_HOURS_S

    @property
    def tempo(self) -> float:
        """How much faster everything goes than at quiet hours."""
        return KOREAN_TEMPO if self.is_korean_day else 1.0

    @property
    def strength(self) -> float:
        """How much further hype goes than at quiet hours."""
        return KOREAN_STRENGTH if self.is_korean_day else 1.0

    def new_mint(self) -> str:
        """An address that is recognisably none of the chain."""
        return "".join(self.rng.choices(_MINT_ALPHABET, k=39)) + "synth"

    def usd(self, lamports: int) -> float:
        """What so much SOL is worth now."""
        return lamports * self.sol_usd / LAMPORTS_PER_SOL

    def price_usd(self, token: Token) -> float:
        """The pool's price of one whole token."""
        pool = token.pool
        return self.usd(pool.sol_lamports) / (pool.token_raw / RAW_PER_TOKEN)

    def report(self, kind: str, token: Token | None = None, venue: str = "") -> Message:
        """The header of an event that happens now."""
        message = {
            "ts": START_TS + int(self.now_s * NS_PER_S),
            "kind": kind,
            "venue": venue,
            "side": "",
            "slot": int(self.now_s / SLOT_S),
            "sol_usd": self.sol_usd,
        }
        if token is not None:
            message["mint"] = token.mint
        return message

    def trade(self, token: Token, side: int, quote: Quote) -> Message:
        """A trade that has just moved the pool."""
        pool = token.pool
        message = self.report("price", token, VENUE_NAMES[pool.venue])
        message["side"] = SIDE_NAMES[side]
        message["price_usd"] = self.price_usd(token)
        message["volume_usd"] = self.usd(quote.sol_lamports)
        message["liquidity_usd"] = self.usd(pool.real_sol_lamports)
        message["sol_lamports"] = quote.sol_lamports
        message["token_raw"] = quote.token_raw
        message["pool_sol_lamports"] = pool.sol_lamports
        message["pool_token_raw"] = pool.token_raw
        message["real_sol_lamports"] = pool.real_sol_lamports
        message["real_token_raw"] = pool.real_token_raw
        message["supply_raw"] = pool.supply_raw
        message["lp_fee_bps"] = pool.lp_fee_bps
        message["protocol_fee_bps"] = pool.protocol_fee_bps
        message["creator_fee_bps"] = pool.creator_fee_bps
        message["trader"] = self._traders[int(self.rng.random() * WALLETS)]
        return message

    def talk(self, token: Token, sentiment: float, mentions: float) -> Message:
        """What people say of a token, more or less."""
        felt = sentiment + self.rng.gauss(0.0, 0.2)
        said = {"sentiment": min(max(felt, -1.0), 1.0), "mentions": mentions * self.rng.lognormvariate(0.0, 0.4)}
        return self.report("social", token) | said

    def onchain(self, token: Token, action: int, amount_usd: float = 0.0) -> Message:
        """Something about a token that the chain shows."""
        shown = {"action": action, "amount_usd": amount_usd, "holders": float(int(token.holders + token.gifted))}
        return self.report("onchain", token, VENUE_NAMES[token.pool.venue]) | shown

    def depth(self, token: Token, change_lamports: int) -> Message:
        """Liquidity that has just been added or (below 0) removed."""
        left = {"change_usd": self.usd(change_lamports), "liquidity_usd": self.usd(token.pool.real_sol_lamports)}
        return self.report("depth", token, VENUE_NAMES[token.pool.venue]) | left

    def buys(self, token: Token, lamports: int) -> list[Message]:
        """Somebody buys; nothing is reported where nothing is to be had."""
        quote = token.buy(lamports)
        return [] if quote is None else [self.trade(token, BUY_SIDE, quote)]

    def sells(self, token: Token, token_raw: int) -> list[Message]:
        """Somebody sells."""
        quote = token.sell(token_raw)
        return [] if quote is None else [self.trade(token, SELL_SIDE, quote)]


def while_people_care(story: Story) -> Story:
    """A story that only happens to a token that people care for, and ends when they stop."""

    @wraps(story)
    def told(world: World, token: Token) -> list[Message]:
        return story(world, token) if token.is_alive else []

    return told
