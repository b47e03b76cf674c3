"""The makers of a token and its bots: developer, snipers, bundled launches, volume bots."""

from typing import Any

from memesnipe.compiled import jitable
from memesnipe.feeds.synth_market import behaviour as b
from memesnipe.feeds.synth_market.agenda import schedule
from memesnipe.feeds.synth_market.draws import between, exponential, lognormal, poisson, uniform
from memesnipe.feeds.synth_market.execution import price_of
from memesnipe.feeds.synth_market.life import COMPLETE, FAST, INSIDER, VOLUME_BOT
from memesnipe.feeds.synth_market.records import write_onchain
from memesnipe.feeds.synth_market.traders import INSIDERS_FROM, buy_and_own, release, sniper_wallet
from memesnipe.market.events import DEV_TRANSFER, LAMPORTS_PER_SOL

_QUICK, _TRANSFERS = 0.55, 0.7  # shares of developers who sell soon, and of those plus who transfer first
_RETRY_S = 5.0


@jitable
def insider_wallet(life: Any, number: int) -> int:
    """Return a wallet of the token's makers; 0 is the developer."""
    return INSIDERS_FROM + life.token * 64 + number


@jitable
def launch(life: Any, scratch: Any) -> None:
    """Let the developer buy at the launch, and schedule snipers, bots, and the makers' plan."""
    sol = min(lognormal(life, b.DEV_SOL, b.DEV_SIGMA), b.DEV_MAX_SOL)
    at = buy_and_own(life, scratch, sol, insider_wallet(life, 0), INSIDER)
    plan = uniform(life)
    if plan < _QUICK:
        schedule(life, scratch, lognormal(life, 30.0, 1.1), b.INSIDER_SALE, at)
    elif plan < _TRANSFERS:
        schedule(life, scratch, lognormal(life, 60.0, 1.1), b.DEV_TRANSFER_PLAN, at)
    else:
        schedule(life, scratch, lognormal(life, 400.0, 1.2), b.INSIDER_SALE, at)
    for _ in range(poisson(life, b.SNIPERS)):
        schedule(life, scratch, exponential(life, 0.5), b.SNIPE, 0)
    if uniform(life) < b.BUNDLED_CHANCE:
        schedule(life, scratch, between(life, 0.2, 0.6), b.BUNDLE_BUY, 8 + int(8 * uniform(life)))
    if uniform(life) < (b.HOT_VOLUME_BOT_CHANCE if life.interest > b.HOT_INTEREST / 2 else b.VOLUME_BOT_CHANCE):
        life.bot_lamports = int(lognormal(life, b.VOLUME_BOT_SOL, 0.15) * LAMPORTS_PER_SOL)
        begins_s = between(life, 2.0, 20.0)
        life.bot_ends_s = begins_s + lognormal(life, b.VOLUME_BOT_LASTS_S, 1.0)
        schedule(life, scratch, begins_s, b.BOT_BUY, 0)


@jitable
def snipe(life: Any, scratch: Any) -> None:
    """Execute the buy of a sniper."""
    sol = min(lognormal(life, b.SNIPER_SOL, b.SNIPER_SIGMA), 3.0)
    buy_and_own(life, scratch, sol, sniper_wallet(life), FAST)


@jitable
def bundle_buys(life: Any, scratch: Any, left: int) -> None:
    """Buy with the next of the makers' wallets, until together they have bought the whole curve."""
    sol = between(life, 4.0, 14.0) if left > 1 else 100.0
    at = buy_and_own(life, scratch, sol, insider_wallet(life, left), INSIDER)
    if life.bundle_s <= 0.0:
        life.bundle_s = life.now_s + lognormal(life, b.BUNDLE_SELLS_S, b.BUNDLE_SELLS_SIGMA)
    if at >= 0:
        wait_s = max(life.bundle_s - life.now_s, 0.0) + exponential(life, 2.0)
        schedule(life, scratch, wait_s, b.INSIDER_SALE, at)
    if left > 1 and life.state != COMPLETE:
        schedule(life, scratch, exponential(life, 0.15), b.BUNDLE_BUY, left - 1)


@jitable
def insider_sells(life: Any, scratch: Any, at: int) -> None:
    """Sell an insider's position at once or in two parts; wait while the token does not trade."""
    if at < 0:
        return
    if life.state == COMPLETE:
        schedule(life, scratch, _RETRY_S, b.INSIDER_SALE, at)
        return
    position = scratch.positions[at]
    amount = position.raw if uniform(life) < 0.7 else position.raw // 2
    release(life, scratch, at, amount)
    if position.raw > amount // 2 > 0:
        schedule(life, scratch, lognormal(life, 30.0, 1.2), b.INSIDER_SALE, at)


@jitable
def dev_transfers(life: Any, scratch: Any, at: int) -> None:
    """Transfer the developer's tokens to another wallet, mostly followed by a sale."""
    if at < 0 or scratch.positions[at].raw <= 0:
        return
    write_onchain(life, scratch, DEV_TRANSFER, int(scratch.positions[at].raw * price_of(life)))
    if uniform(life) < 0.75:
        schedule(life, scratch, between(life, 1.0, 40.0), b.INSIDER_SALE, at)


@jitable
def bot_buys(life: Any, scratch: Any) -> None:
    """Execute a buy of the volume bot; it sells again about a second later."""
    if life.now_s > life.bot_ends_s:
        return
    sol = life.bot_lamports / LAMPORTS_PER_SOL * between(life, 0.85, 1.15)
    at = buy_and_own(life, scratch, sol, insider_wallet(life, 63), VOLUME_BOT)
    schedule(life, scratch, exponential(life, b.VOLUME_BOT_EVERY_S), b.BOT_SELL, at)


@jitable
def bot_sells(life: Any, scratch: Any, at: int) -> None:
    """Execute a sale of the volume bot."""
    if at >= 0:
        release(life, scratch, at, scratch.positions[at].raw)
    schedule(life, scratch, exponential(life, b.VOLUME_BOT_EVERY_S), b.BOT_BUY, 0)
