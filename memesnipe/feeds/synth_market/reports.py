"""What others report about a token: its holders and its mentions, which follow the price."""

from typing import Any

from memesnipe.compiled import jitable
from memesnipe.feeds.synth_market import behaviour as b
from memesnipe.feeds.synth_market.agenda import schedule
from memesnipe.feeds.synth_market.draws import between, exponential, lognormal, normal, poisson
from memesnipe.feeds.synth_market.execution import price_of
from memesnipe.feeds.synth_market.records import write_onchain, write_social
from memesnipe.market.events import HOLDERS

_GIFTS_KEPT = 0.97


@jitable
def report_holders(life: Any, scratch: Any, known: int) -> None:
    """Report the number of holders if it has changed, more and more rarely."""
    life.gifted *= _GIFTS_KEPT
    holders = life.holders + int(life.gifted)
    if holders != known:
        write_onchain(life, scratch, HOLDERS, 0)
    wait_s = between(life, 30.0, 60.0) + 0.1 * life.now_s
    schedule(life, scratch, wait_s, b.REPORT_HOLDERS, holders)


@jitable
def report_mentions(life: Any, scratch: Any, buyers_before: int) -> None:
    """Report the mentions of a token: as many as buyers came since the last report, cheerful if its price is high."""
    came = life.buyers - buyers_before
    if came > 0:
        high = price_of(life) / life.top_price
        write_social(life, scratch, high - 0.4 + 0.2 * normal(life), lognormal(life, 1.0 + 0.5 * came, 0.4))
    wait_s = exponential(life, 60.0) + 0.1 * life.now_s
    schedule(life, scratch, wait_s, b.REPORT_MENTIONS, life.buyers)


@jitable
def post(life: Any, scratch: Any) -> None:
    """Let a post with reach attract buyers at once; it is reported when most of them have bought."""
    reach = lognormal(life, 3.0, 0.8)
    for _ in range(min(poisson(life, reach), 60)):
        schedule(life, scratch, exponential(life, 1.5), b.FOLLOWER, 0)
    schedule(life, scratch, between(life, 4.0, 15.0), b.REPORT_POST, int(reach))


@jitable
def report_post(life: Any, scratch: Any, reach: int) -> None:
    """Report the mentions that a post caused."""
    write_social(life, scratch, between(life, 0.2, 0.7), lognormal(life, 8.0 + 4.0 * reach, 0.4))


@jitable
def airdrop(life: Any) -> None:
    """Give tokens of the developer to many wallets: the number of holders jumps."""
    life.gifted += life.holders * between(life, 0.4, 1.6)
