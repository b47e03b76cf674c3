"""The coin in which a market is quoted: SOL, or one for which its events are put aside."""

from typing import Final

from solders.pubkey import Pubkey

from memesnipe.feeds.pumpfun.context import FOREIGN_QUOTE, USDC_QUOTE
from memesnipe.feeds.pumpfun.programs import NO_KEY, USDC, WRAPPED_SOL

WRAPPED_SOL_KEY: Final = bytes(Pubkey.from_string(WRAPPED_SOL))
USDC_KEY: Final = bytes(Pubkey.from_string(USDC))
# Events from before there were other quotes have no key (b"") and are in SOL.
_SOL: Final = frozenset({b"", NO_KEY, WRAPPED_SOL_KEY})


def foreign_quote(quote_mint: bytes) -> str:
    """Return the reason for which amounts in this quote are not read as lamports; "" for SOL."""
    if quote_mint in _SOL:
        return ""
    return USDC_QUOTE if quote_mint == USDC_KEY else FOREIGN_QUOTE
