"""Whether a trade's reserves follow from its amounts, by the pools' own arithmetic (`memesnipe.market.pools`)."""

from typing import Final

from memesnipe.feeds.pumpfun.chain_events import BuyEvent, PoolTradeEvent, TradeEvent

# Of a PumpSwap trade. Its rule is not checked to the lamport here, because no recorded trade says whether the signed
# virtual reserves are those before or after the fees that stay in the vault. A field read in a wrong place is far off.
POOL_TOLERANCE: Final = 0.01


def reserves_before(event: TradeEvent) -> tuple[int, int]:
    """Return a curve's virtual lamports and tokens before a trade."""
    sign = 1 if event.is_buy else -1
    return (
        event.virtual_sol_reserves - sign * event.sol_amount,
        event.virtual_token_reserves + sign * event.token_amount,
    )


def is_exact(event: TradeEvent) -> bool:
    """Return whether a curve's reserves follow from the trade.

    A buy of tokens pays their cost; a buy for a budget gets ``(budget - 1) * T // (S + budget - 1)`` tokens. A sale is
    paid as `memesnipe.market.pools` quotes it. 85 of 85 recorded trades of ordinary coins follow one of these rules.
    """
    sol, tokens = reserves_before(event)
    lamports, token_raw = event.sol_amount, event.token_amount
    if sol <= 0 or tokens <= 0 or event.virtual_token_reserves <= 0:
        return False
    if not event.is_buy:
        return lamports == token_raw * sol // (tokens + token_raw)
    cost = token_raw * sol // event.virtual_token_reserves + 1
    return lamports == cost or token_raw == (lamports - 1) * tokens // (sol + lamports - 1)


def is_plausible(event: PoolTradeEvent) -> bool:
    """Return whether a PumpSwap trade's price is that of the pool's reserves, within `POOL_TOLERANCE`."""
    quote = event.pool_quote_token_reserves + event.virtual_quote_reserves
    base, base_raw = event.pool_base_token_reserves, event.base_amount
    left = base - base_raw if isinstance(event, BuyEvent) else base + base_raw
    if quote <= 0 or left <= 0:
        return False
    expected = quote * base_raw // left
    return abs(event.quote_amount - expected) <= 2 + POOL_TOLERANCE * expected
