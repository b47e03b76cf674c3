"""The world of the synthetic market: its clock, its queue of scheduled stories, and its events."""

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
# A story is a scheduled function of a token or (None) of the whole market: it changes the world, schedules further
# stories and returns events.
Story = Callable[["World", Any], list[Message]]

_START_OF_DAY_S = START_TS // NS_PER_S % DAY_S
_MINT_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class World:
    """The state of the market: tokens, prices, and the stories scheduled on its clock."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)  # noqa: S311 - not for secrets, and much faster than single draws with numpy
        self.now_s = 0.0
        self.sol_usd = 200.0
        self.tokens: list[Token] = []  # tokens still traded
        self._traders = [wallet_hash(f"synthetic wallet {i}") for i in range(WALLETS)]
        self.queue: list[tuple[float, int, Story, Token | None]] = []
        self.planned = 0

    def run_next(self) -> list[Message]:
        """Run the next story; return its events.

        Raises:
            IndexError: the queue is empty.
        """
        self.now_s, _, story, token = heapq.heappop(self.queue)
        return story(self, token) if token is None or not token.is_over else []

    def plan(self, wait_s: float, story: Story, token: Token | None = None) -> None:
        """Schedule a story; it is skipped if its token is over by then."""
        self.planned += 1
        heapq.heappush(self.queue, (self.now_s + wait_s, self.planned, story, token))

    @property
    def is_korean_day(self) -> bool:
        """Whether it is within Korean trading hours."""
        return (_START_OF_DAY_S + self.now_s) % DAY_S < KOREAN_HOURS_S

    @property
    def tempo(self) -> float:
        """The factor on the rate of trades and launches; 1 outside Korean trading hours."""
        return KOREAN_TEMPO if self.is_korean_day else 1.0

    @property
    def strength(self) -> float:
        """The factor on the size of hype; 1 outside Korean trading hours."""
        return KOREAN_STRENGTH if self.is_korean_day else 1.0

    def new_mint(self) -> str:
        """Return a random address that cannot exist on the chain."""
        return "".join(self.rng.choices(_MINT_ALPHABET, k=39)) + "synth"

    def usd(self, lamports: int) -> float:
        """Return the value of lamports in USD now."""
        return lamports * self.sol_usd / LAMPORTS_PER_SOL

    def price_usd(self, token: Token) -> float:
        """Return the pool's price of one whole token in USD."""
        pool = token.pool
        return self.usd(pool.sol_lamports) / (pool.token_raw / RAW_PER_TOKEN)

    def report(self, kind: str, token: Token | None = None, venue: str = "") -> Message:
        """Return the header of an event that happens now."""
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
        """Return the event of a trade that was just executed in the token's pool."""
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
        """Return a social event with noise on sentiment and mentions."""
        noisy = sentiment + self.rng.gauss(0.0, 0.2)
        fields = {"sentiment": min(max(noisy, -1.0), 1.0), "mentions": mentions * self.rng.lognormvariate(0.0, 0.4)}
        return self.report("social", token) | fields

    def onchain(self, token: Token, action: int, amount_usd: float = 0.0) -> Message:
        """Return an on-chain event of a token."""
        fields = {"action": action, "amount_usd": amount_usd, "holders": float(int(token.holders + token.gifted))}
        return self.report("onchain", token, VENUE_NAMES[token.pool.venue]) | fields

    def depth(self, token: Token, change_lamports: int) -> Message:
        """Return the event of liquidity that was just added or (below 0) removed."""
        fields = {"change_usd": self.usd(change_lamports), "liquidity_usd": self.usd(token.pool.real_sol_lamports)}
        return self.report("depth", token, VENUE_NAMES[token.pool.venue]) | fields

    def buys(self, token: Token, lamports: int) -> list[Message]:
        """Execute a buy; return its event, or nothing if it is impossible."""
        quote = token.buy(lamports)
        return [] if quote is None else [self.trade(token, BUY_SIDE, quote)]

    def sells(self, token: Token, token_raw: int) -> list[Message]:
        """Execute a sale; return its event, or nothing if it is impossible."""
        quote = token.sell(token_raw)
        return [] if quote is None else [self.trade(token, SELL_SIDE, quote)]


def while_alive(story: Story) -> Story:
    """Wrap a story so that it only happens while there is interest in its token."""

    @wraps(story)
    def wrapped(world: World, token: Token) -> list[Message]:
        return story(world, token) if token.is_alive else []

    return wrapped
