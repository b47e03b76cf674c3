"""Prices and tokens of the local market, as Jupiter's price and token routes say them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from solders.pubkey import Pubkey
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from memesnipe.localnet.http_replies import RateLimit, reply
from memesnipe.localnet.jupiter import limited
from memesnipe.localnet.market import ChainMarket
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.market.pump import RAW_PER_TOKEN
from memesnipe.solana.addresses import TOKEN, TOKEN_2022, WRAPPED_SOL
from memesnipe.solana.mint_account import MintError, parse_mint

_MAX_IDS: Final = 50
_SOL: Final = str(WRAPPED_SOL)


class TokenData:
    """The routes of prices and tokens.

    Args:
        market: the market with the coins.
        sol_usd: returns the price of SOL now.
        limit: of the rate of requests.
    """

    def __init__(self, market: ChainMarket, sol_usd: Callable[[], float], limit: RateLimit | None = None) -> None:
        self._market, self._sol_usd, self._limit = market, sol_usd, limit or RateLimit()

    def routes(self) -> list[Route]:
        """Return the HTTP routes."""
        return [
            Route("/price/v3", limited(self._price, self._limit)),
            Route("/tokens/v2/search", limited(self._search, self._limit)),
            Route("/tokens/v2/recent", limited(self._recent, self._limit)),
            Route("/tokens/v2/{category}/{interval}", limited(self._recent, self._limit)),
        ]

    async def _price(self, request: Request) -> Response:
        ids = [one for one in request.query_params.get("ids", "").split(",") if one]
        if not 0 < len(ids) <= _MAX_IDS:
            return reply({"error": f"ids has 1 to {_MAX_IDS} mints"}, 400)
        head = self._market.chain.ledger.head
        prices = {}
        for one in ids:
            usd, liquidity = self._priced(one)
            if usd > 0:
                prices[one] = {
                    "usdPrice": usd,
                    "liquidity": liquidity,
                    "decimals": 9 if one == _SOL else 6,
                    "priceChange24h": 0.0,
                    "blockId": head.slot,
                    "createdAt": _time(head.unix_timestamp),
                }
        return reply(prices)

    async def _search(self, request: Request) -> Response:
        query = request.query_params.get("query", "")
        if not query:
            return reply({"error": "query is required"}, 400)
        wanted = [one.strip() for one in query.split(",")]
        known = {str(mint) for mint in self._market.coins} | {_SOL}
        return reply([self._token(one) for one in wanted if one in known])

    async def _recent(self, request: Request) -> Response:
        limit = int(request.query_params.get("limit", "50"))
        return reply([self._token(str(mint)) for mint in reversed(self._market.coins[-limit:])])

    def _priced(self, mint: str) -> tuple[float, float]:
        """Return a token's price and liquidity in USD; 0.0 if it is unknown."""
        if mint == _SOL:
            return self._sol_usd(), 0.0
        try:
            key = Pubkey.from_string(mint)
        except ValueError:
            return 0.0, 0.0
        pool, vaults, curve = self._market.pool(key), self._market.vaults(key), self._market.curve(key)
        if pool is not None and vaults is not None:
            token_raw, lamports = vaults[0], vaults[1] + pool.virtual_quote_reserves
            liquid = 2 * lamports
        elif curve is not None:
            token_raw, lamports = curve.virtual_token_reserves, curve.virtual_quote_reserves
            liquid = curve.real_quote_reserves
        else:
            return 0.0, 0.0
        usd = lamports / LAMPORTS_PER_SOL * self._sol_usd() / (token_raw / RAW_PER_TOKEN)
        return usd, liquid / LAMPORTS_PER_SOL * self._sol_usd()

    def _token(self, mint: str) -> dict[str, Any]:
        usd, liquidity = self._priced(mint)
        head = self._market.chain.ledger.head
        return {
            "id": mint,
            "name": mint[:8],
            "symbol": "SOL" if mint == _SOL else mint[:4],
            "decimals": 9 if mint == _SOL else 6,
            "tokenProgram": str(TOKEN if mint == _SOL else TOKEN_2022),
            "createdAt": _time(head.unix_timestamp),
            "usdPrice": usd,
            "liquidity": liquidity,
            "organicScore": 50.0,
            "organicScoreLabel": "medium",
            "isVerified": mint == _SOL,
            "audit": self._audit(mint),
        }

    def _audit(self, mint: str) -> dict[str, bool]:
        """Return what the mint's account says; of one that cannot be read nothing is known."""
        account = self._market.chain.account(Pubkey.from_string(mint))
        if account is None:
            return {}
        try:
            parsed = parse_mint(str(account.owner), account.data)
        except MintError:
            return {}
        return {
            "mintAuthorityDisabled": not parsed.mint_authority,
            "freezeAuthorityDisabled": not parsed.freeze_authority,
        }


def _time(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat()
