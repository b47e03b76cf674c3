"""What happens to one token of the synthetic market: its crowd, and the stories that move it.

Each story of hype, dip or talk has a twin that looks the same at first and leads nowhere, so an edge is there, but
modest: it pays who tells them apart or leaves in time. What a story can pay is what its crowd brings: a few SOL.
"""

from functools import partial

from memesnipe.feeds.synthetic_token import Token
from memesnipe.feeds.synthetic_world import Message, World
from memesnipe.market.events import CURVE_COMPLETE, DEV_TRANSFER, HOLDERS, LAMPORTS_PER_SOL, MIGRATION, PUMPSWAP

LEAST_HEAT = 1 / 400  # trades a second; a token that nobody trades any more is over
FLIP_FROM_SHARE, FLIP_CHANCE, FLIP_AFTER_S = 0.008, 0.46, 36.0  # larger buyers are gone again in half a minute
TALK_LEADS_TO_BUYERS = 0.3
DUMP_IS_BOUGHT_BACK = 0.6
AIRDROP_IS_FOLLOWED = 0.5
DEPTH_IS_FOLLOWED = 0.65
DIP_RECOVERS = 0.65
TRANSFER_IS_FOLLOWED = 0.75
RUNS_LAST_S = 330.0
GRADUATES_LAST_S = 2400.0


def crowd(world: World, token: Token) -> list[Message]:
    """One of the crowd trades; the next one comes at the pace of the heat."""
    rng = world.rng
    token.settle(world.now_s)
    if token.heat < LEAST_HEAT:
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
    """Somebody sells what he has."""
    return world.sells(token, min(token_raw, token.public_raw))


def report_holders(world: World, token: Token) -> list[Message]:
    """A count of holders, every 30 to 60 s."""
    world.plan(world.rng.uniform(30.0, 60.0), report_holders, token)
    return [world.onchain(token, HOLDERS)]


# Talk and hype


def chatter(world: World, token: Token) -> list[Message]:
    """The usual talk about a token that is traded."""
    if not token.is_alive:
        return []
    world.plan(world.rng.expovariate(1 / 75.0), chatter, token)
    return [world.talk(token, 0.1, 1.0 + 2.0 * min(token.heat, 2.0))]


def hype(world: World, token: Token) -> list[Message]:
    """A burst of talk; buyers follow it a little later, or they do not."""
    if not token.is_alive:
        return []
    rng = world.rng
    if rng.random() < TALK_LEADS_TO_BUYERS:
        world.plan(rng.uniform(10.0, 60.0), burst, token)
    world.plan(rng.expovariate(1 / 400.0), hype, token)
    return [world.talk(token, 0.5, 9.0 * (1.0 + token.appeal))]


def burst(world: World, token: Token) -> list[Message]:
    """Hype feeds on itself for a minute or two, and turns."""
    if not token.is_alive:
        return []
    rng = world.rng
    size = world.strength * (0.5 + 0.5 * token.appeal)
    token.stir(world.now_s, 0.8 * size, 0.5 * size)
    world.plan(world.strength * rng.expovariate(1 / 75.0), turn, token)
    return []


def turn(world: World, token: Token) -> list[Message]:
    """The last buyers of the hype find nobody behind them."""
    token.stir(world.now_s, -token.mood - world.rng.uniform(0.4, 1.1), 0.3)
    return [world.talk(token, -0.3, 4.0)] if world.rng.random() < 0.5 else []


def run_ends(world: World, token: Token) -> list[Message]:
    """A token that rose for minutes stops doing so, at once and for good."""
    if token.pool.venue == PUMPSWAP:
        return []
    token.die(-0.6)
    token.stir(world.now_s, -token.mood - world.rng.uniform(0.8, 1.6), 0.8)
    return [world.talk(token, -0.4, 6.0)]


# Large sellers


def forced_sale(world: World, token: Token) -> list[Message]:
    """Somebody must be out at once; others buy the difference back, or they do not."""
    if not token.is_alive:
        return []
    rng = world.rng
    world.plan(rng.expovariate(1 / 350.0), forced_sale, token)
    share = rng.uniform(0.35, 1.0) * token.crowd.forced
    messages = world.sells(token, token.worth_raw(int(token.pool.sol_lamports * share)))
    if rng.random() < DUMP_IS_BOUGHT_BACK:
        world.plan(rng.uniform(8.0, 45.0), bargain, token)
    return messages


def bargain(world: World, token: Token) -> list[Message]:
    """Buyers come for a price that fell too far."""
    if not token.is_alive:
        return []
    token.stir(world.now_s, 1.2 - min(token.mood, 0.0), 0.6)
    return []


def dev_transfer(world: World, token: Token) -> list[Message]:
    """The developer sends tokens to another wallet, mostly to sell them from there."""
    rng = world.rng
    if rng.random() < TRANSFER_IS_FOLLOWED:
        world.plan(rng.uniform(4.0, 40.0), dev_sale, token)
    worth = token.dev_raw * token.pool.sol_lamports // token.pool.token_raw
    return [world.onchain(token, DEV_TRANSFER, world.usd(worth))] if worth > 0 else []


def dev_sale(world: World, token: Token) -> list[Message]:
    """The developer sells out, in one to three sales of one moment; who sees it follows."""
    messages: list[Message] = []
    parts = world.rng.randint(1, 3)
    for left in range(parts, 0, -1):
        amount = token.dev_raw // left
        sold = world.sells(token, amount)
        token.dev_raw -= amount if sold else 0
        messages += sold
    token.stir(world.now_s, -1.0, 0.08)
    return messages


# Holders, liquidity, graduation


def airdrop(world: World, token: Token) -> list[Message]:
    """Many wallets are given a little; some of their owners buy more, minutes later."""
    if not token.is_alive:
        return []
    rng = world.rng
    token.holders = 1.0 + token.holders * rng.uniform(1.4, 2.6)
    if rng.random() < AIRDROP_IS_FOLLOWED:
        world.plan(rng.uniform(60.0, 300.0), bargain, token)
    world.plan(rng.expovariate(1 / 900.0), airdrop, token)
    return []


def deepen(world: World, token: Token) -> list[Message]:
    """Somebody adds liquidity; people trust a deeper pool a little more, or they do not."""
    if not token.is_alive:
        return []
    rng = world.rng
    world.plan(rng.expovariate(1 / 260.0), deepen, token)
    if rng.random() < DEPTH_IS_FOLLOWED:
        token.stir(world.now_s, 0.6, 0.3)
    return [world.depth(token, token.change_liquidity(rng.uniform(0.05, 0.25)))]


def rug(world: World, token: Token) -> list[Message]:
    """Liquidity is pulled in two steps, sometimes behind a bait; what follows is a cascade of sales."""
    if not token.is_alive:
        return []
    rng = world.rng
    messages = []
    if rng.random() < 0.3:
        messages.append(world.depth(token, token.change_liquidity(rng.uniform(0.1, 0.3))))
    wait_s = rng.uniform(20.0, 90.0) if messages else 0.0
    world.plan(wait_s, partial(pull, share=rng.uniform(0.15, 0.5)), token)
    world.plan(wait_s + rng.uniform(4.0, 25.0), partial(pull, share=rng.uniform(0.6, 0.9)), token)
    return messages


def pull(world: World, token: Token, *, share: float) -> list[Message]:
    """Liquidity leaves with those who gave it, who then sell their tokens; everyone else runs."""
    token.die(-1.0)
    token.stir(world.now_s, -1.2, 1.5)
    world.plan(world.rng.uniform(1.0, 6.0), dev_sale, token)
    return [world.depth(token, token.change_liquidity(-share))]


def complete(world: World, token: Token) -> list[Message]:
    """The last token of a curve is sold: no trade until its liquidity has moved to PumpSwap."""
    world.plan(world.rng.uniform(2.0, 20.0), migration, token)
    return [world.onchain(token, CURVE_COMPLETE)]


def migration(world: World, token: Token) -> list[Message]:
    """The new pool opens, and the early holders sell into it."""
    rng = world.rng
    token.migrate()
    token.crowd.median, token.crowd.sigma, token.crowd.most = 0.002, 1.9, 0.05
    token.heat_at_rest, token.mood_at_rest = 0.25, 0.0
    token.stir(world.now_s, -token.mood - rng.uniform(0.7, 1.6), 1.8)
    world.plan(rng.uniform(25.0, 80.0), after_dump, token)
    graduate(world, token)
    return [world.onchain(token, MIGRATION, world.usd(token.pool.real_sol_lamports))]


def after_dump(world: World, token: Token) -> list[Message]:
    """The dump of a graduate ends in a rebound, or goes on."""
    if world.rng.random() < DIP_RECOVERS:
        token.stir(world.now_s, 1.5 - min(token.mood, 0.0), 1.1)
    else:
        token.mood_at_rest = -0.2
        token.stir(world.now_s, -0.3, 0.3)
    return []


def graduate(world: World, token: Token) -> None:
    """Plan the life of a token on PumpSwap: liquidity comes and goes, and one day interest does."""
    rng = world.rng
    world.plan(rng.expovariate(1 / 120.0), deepen, token)
    world.plan(rng.expovariate(1 / 1500.0), rug, token)
    world.plan(rng.expovariate(1 / GRADUATES_LAST_S), fade_out, token)


def fade_out(world: World, token: Token) -> list[Message]:
    """People forget a token."""
    token.die(-0.6)
    return [world.talk(token, -0.1, 2.0)]


# Perps


def funding(world: World, token: Token) -> list[Message]:
    """The perp of an older token: its mark strays from the pool's price and is pulled back; who crowds in pays."""
    rng, perp = world.rng, token.perp
    assert perp is not None
    wait_s = rng.uniform(15.0, 30.0)
    perp.premium += -perp.premium * wait_s / 300.0 + rng.gauss(0.0, 0.0012)
    if rng.random() < wait_s / 600.0:
        perp.premium += rng.gauss(0.0, 0.025)
    perp.fair_price *= 1.0 + rng.gauss(0.0, 0.002) + 0.08 * perp.premium  # the crowd is right, in part
    off = token.price / perp.fair_price - 1.0
    token.mood_at_rest = min(max(0.2 - 20.0 * off, -0.8), 1.2)
    world.plan(wait_s, funding, token)
    mark_usd = world.price_usd(token) * (1.0 + perp.premium)
    return [world.report("funding", token) | {"mark_usd": mark_usd, "rate": perp.premium / 8.0}]


def tend(world: World, token: Token) -> list[Message]:
    """Those who keep a large pool add a little when it is shallow and take a little when it is deep."""
    rng = world.rng
    world.plan(rng.expovariate(1 / 240.0), tend, token)
    share = rng.uniform(0.01, 0.08)
    is_deep = token.pool.sol_lamports > 1500 * LAMPORTS_PER_SOL * rng.uniform(0.7, 1.4)
    return [world.depth(token, token.change_liquidity(-share if is_deep else share))]
