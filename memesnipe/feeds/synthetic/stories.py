"""Stories of one token: its crowd, mentions, hype and large sellers; and those of older tokens.

Each burst, dip or mention has a counterpart that looks the same at first and has no effect. So the edges are modest:
profitable only for strategies that distinguish the two or leave in time, and limited to the few SOL of the crowd.
"""

from dataclasses import dataclass
from functools import partial

from memesnipe.feeds.synthetic.insiders import complete
from memesnipe.feeds.synthetic.token import Token
from memesnipe.feeds.synthetic.world import Message, World, while_alive
from memesnipe.market.events import HOLDERS, LAMPORTS_PER_SOL, PUMPSWAP

MIN_HEAT = 1 / 400  # trades per second; below it a token is over
FLIP_FROM_SHARE, FLIP_CHANCE, FLIP_AFTER_S = 0.008, 0.46, 36.0  # larger buyers often sell again in half a minute
TALK_LEADS_TO_BUYERS = 0.2
DUMP_IS_BOUGHT_BACK = 0.7
AIRDROP_IS_FOLLOWED = 0.35
GIFTS_KEPT = 0.97  # share of airdropped wallets that still hold at the next count of holders
BALANCE = 0.43  # the mood at which a crowd buys as much as it sells, flips included
PREMIUM_FADES_S = 500.0
CROWD_IS_RIGHT = 0.075  # share of a perp's premium added to the fair price at each funding event
OLDER_POOL_LAMPORTS = 1500 * LAMPORTS_PER_SOL


def crowd(world: World, token: Token) -> list[Message]:
    """Execute one trade of the crowd, and schedule the next at the rate of the heat."""
    rng = world.rng
    token.settle(world.now_s)
    if token.heat < MIN_HEAT:
        token.is_over = True
        world.tokens.remove(token)
        return []
    world.plan(rng.expovariate(token.heat * world.tempo), crowd, token)
    lamports = token.size_lamports(rng)
    if not token.wants_to_buy(rng):
        return world.sells(token, token.worth_raw(lamports))
    messages = world.buys(token, lamports)
    if messages:
        is_large = lamports > FLIP_FROM_SHARE * token.pool.sol_lamports
        if is_large and rng.random() < FLIP_CHANCE:
            bought = messages[0]["token_raw"]
            world.plan(rng.expovariate(1.0 / FLIP_AFTER_S), partial(sell_out, token_raw=bought), token)
        if token.pool.real_token_raw == 0:
            messages += complete(world, token)
    return messages


def sell_out(world: World, token: Token, *, token_raw: int) -> list[Message]:
    """Sell the tokens of an earlier large buyer."""
    return world.sells(token, min(token_raw, token.public_raw))


def report_holders(world: World, token: Token) -> list[Message]:
    """Report the number of holders, every 30 to 60 s."""
    token.gifted *= GIFTS_KEPT
    world.plan(world.rng.uniform(30.0, 60.0), report_holders, token)
    return [world.onchain(token, HOLDERS)]


# Mentions and hype


@while_alive
def chatter(world: World, token: Token) -> list[Message]:
    """Report the usual mentions of a traded token."""
    world.plan(world.rng.expovariate(1 / 75.0), chatter, token)
    return [world.talk(token, 0.1, 1.0 + 2.0 * min(token.heat, 2.0))]


@while_alive
def hype(world: World, token: Token) -> list[Message]:
    """Report a burst of mentions, sometimes followed by a burst of buying."""
    rng = world.rng
    if rng.random() < TALK_LEADS_TO_BUYERS:
        world.plan(rng.uniform(10.0, 60.0), burst, token)
    world.plan(rng.expovariate(1 / 400.0), hype, token)
    return [world.talk(token, 0.5, 9.0 * (1.0 + token.appeal))]


@while_alive
def word_of_mouth(world: World, token: Token) -> list[Message]:
    """Start a burst of buying without mentions before it."""
    world.plan(world.rng.expovariate(1 / 650.0), word_of_mouth, token)
    return burst(world, token)


@while_alive
def burst(world: World, token: Token) -> list[Message]:
    """Raise mood and heat for a minute or two, until the hype turns."""
    rng = world.rng
    size = world.strength * (0.5 + 0.5 * token.appeal)
    token.stir(world.now_s, 1.25 * size, 0.5 * size)
    world.plan(world.strength * rng.expovariate(1 / 90.0), turn, token)
    return []


def turn(world: World, token: Token) -> list[Message]:
    """End a burst: the mood turns negative."""
    token.stir(world.now_s, -token.mood - world.rng.uniform(0.5, 1.3), 0.3)
    return [world.talk(token, -0.3, 4.0)] if world.rng.random() < 0.5 else []


def run_ends(world: World, token: Token) -> list[Message]:
    """End the rise of a token permanently, unless it has graduated."""
    if token.pool.venue == PUMPSWAP:
        return []
    token.die(-0.6)
    token.stir(world.now_s, -token.mood - world.rng.uniform(0.8, 1.6), 0.8)
    return [world.talk(token, -0.4, 6.0)]


# Large sellers and gifts


@while_alive
def forced_sale(world: World, token: Token) -> list[Message]:
    """Execute a large sale, mostly followed by buyers."""
    rng = world.rng
    world.plan(rng.expovariate(1 / 350.0), forced_sale, token)
    share = rng.uniform(0.35, 1.0) * token.crowd.forced
    messages = world.sells(token, token.worth_raw(int(token.pool.sol_lamports * share)))
    if rng.random() < DUMP_IS_BOUGHT_BACK:
        world.plan(rng.uniform(8.0, 45.0), bargain, token)
    return messages


@while_alive
def bargain(world: World, token: Token) -> list[Message]:
    """Raise mood and heat after the price fell too far."""
    token.stir(world.now_s, 1.6 - min(token.mood, 0.0), 0.7)
    return []


@while_alive
def airdrop(world: World, token: Token) -> list[Message]:
    """Add airdropped holders, sometimes followed by buying minutes later."""
    rng = world.rng
    token.gifted += token.holders * rng.uniform(0.4, 1.6)
    if rng.random() < AIRDROP_IS_FOLLOWED:
        world.plan(rng.uniform(60.0, 300.0), bargain, token)
    world.plan(rng.expovariate(1 / 900.0), airdrop, token)
    return []


# Older tokens


@dataclass(slots=True)
class Perp:
    """A perp market: the fair price to which the pool reverts, and the premium of the mark over the pool."""

    fair_price: float  # lamports per raw token
    premium: float = 0.0


def funding(world: World, token: Token, *, perp: Perp) -> list[Message]:
    """Report funding of an older token's perp, whose premium is a mean-reverting process with jumps."""
    rng = world.rng
    wait_s = rng.uniform(15.0, 30.0)
    perp.premium += -perp.premium * wait_s / PREMIUM_FADES_S + rng.gauss(0.0, 0.0012)
    if rng.random() < wait_s / 600.0:
        perp.premium += rng.gauss(0.0, 0.025)
    perp.fair_price *= 1.0 + rng.gauss(0.0, 0.002) + CROWD_IS_RIGHT * perp.premium
    off = token.price / perp.fair_price - 1.0
    token.mood_at_rest = min(max(BALANCE - 30.0 * off, -0.8), 1.4)
    world.plan(wait_s, partial(funding, perp=perp), token)
    mark_usd = world.price_usd(token) * (1.0 + perp.premium)
    return [world.report("funding", token) | {"mark_usd": mark_usd, "rate": perp.premium / 8.0}]


def tend(world: World, token: Token) -> list[Message]:
    """Add a little liquidity to a large pool if it is shallow, remove a little if it is deep."""
    rng = world.rng
    world.plan(rng.expovariate(1 / 240.0), tend, token)
    share = rng.uniform(0.01, 0.08)
    is_deep = token.pool.sol_lamports > OLDER_POOL_LAMPORTS * rng.uniform(0.7, 1.4)
    return [world.depth(token, token.change_liquidity(-share if is_deep else share))]
