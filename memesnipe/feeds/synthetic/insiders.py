"""Stories of a token's developer and liquidity providers: sales, graduation, deposits, rug pulls."""

from functools import partial

from memesnipe.feeds.synthetic.token import Token
from memesnipe.feeds.synthetic.world import Message, World, while_alive
from memesnipe.market.events import CURVE_COMPLETE, DEV_TRANSFER, MIGRATION

TRANSFER_IS_FOLLOWED = 0.75
DIP_RECOVERS = 0.7
DEPTH_IS_FOLLOWED = 0.65
GRADUATES_LAST_S = 2400.0


def dev_transfer(world: World, token: Token) -> list[Message]:
    """Transfer the developer's tokens to another wallet, mostly followed by a sale."""
    rng = world.rng
    if rng.random() < TRANSFER_IS_FOLLOWED:
        world.plan(rng.uniform(4.0, 40.0), dev_sale, token)
    lamports = token.dev_raw * token.pool.sol_lamports // token.pool.token_raw
    return [world.onchain(token, DEV_TRANSFER, world.usd(lamports))] if lamports > 0 else []


def dev_sale(world: World, token: Token) -> list[Message]:
    """Sell all of the developer's tokens in one to three sales at once; the mood falls."""
    messages: list[Message] = []
    parts = world.rng.randint(1, 3)
    for left in range(parts, 0, -1):
        amount = token.dev_raw // left
        sold = world.sells(token, amount)
        token.dev_raw -= amount if sold else 0
        messages += sold
    token.stir(world.now_s, -1.0, 0.08)
    return messages


@while_alive
def deepen(world: World, token: Token) -> list[Message]:
    """Add liquidity; with some probability the mood rises."""
    rng = world.rng
    world.plan(rng.expovariate(1 / 260.0), deepen, token)
    if rng.random() < DEPTH_IS_FOLLOWED:
        token.stir(world.now_s, 0.6, 0.3)
    return [world.depth(token, token.change_liquidity(rng.uniform(0.05, 0.25)))]


@while_alive
def rug(world: World, token: Token) -> list[Message]:
    """Schedule a rug pull in two steps, sometimes after added liquidity as bait."""
    rng = world.rng
    messages = []
    if rng.random() < 0.3:
        messages.append(world.depth(token, token.change_liquidity(rng.uniform(0.1, 0.3))))
    wait_s = rng.uniform(20.0, 90.0) if messages else 0.0
    world.plan(wait_s, partial(pull, share=rng.uniform(0.15, 0.5)), token)
    world.plan(wait_s + rng.uniform(4.0, 25.0), partial(pull, share=rng.uniform(0.6, 0.9)), token)
    return messages


def pull(world: World, token: Token, *, share: float) -> list[Message]:
    """Remove liquidity; the providers then sell their tokens and the crowd leaves."""
    token.die(-1.0)
    token.stir(world.now_s, -1.2, 1.5)
    world.plan(world.rng.uniform(1.0, 6.0), dev_sale, token)
    return [world.depth(token, token.change_liquidity(-share))]


def complete(world: World, token: Token) -> list[Message]:
    """Complete a curve; it does not trade until its liquidity has moved to PumpSwap."""
    world.plan(world.rng.uniform(2.0, 20.0), migration, token)
    return [world.onchain(token, CURVE_COMPLETE)]


def migration(world: World, token: Token) -> list[Message]:
    """Open the PumpSwap pool, into which the early holders sell."""
    rng = world.rng
    token.migrate()
    token.is_alive = True
    token.crowd.median, token.crowd.sigma, token.crowd.most = 0.002, 1.9, 0.05
    token.heat_at_rest, token.mood_at_rest = 0.25, 0.0
    token.stir(world.now_s, -token.mood - rng.uniform(0.7, 1.6), 1.8)
    world.plan(rng.uniform(25.0, 80.0), after_dump, token)
    graduate(world, token)
    return [world.onchain(token, MIGRATION, world.usd(token.pool.real_sol_lamports))]


def after_dump(world: World, token: Token) -> list[Message]:
    """End the dump after a graduation in a rebound, or continue it."""
    if world.rng.random() < DIP_RECOVERS:
        token.mood_at_rest = 0.12
        token.stir(world.now_s, 2.0 - min(token.mood, 0.0), 1.2)
    else:
        token.mood_at_rest = -0.2
        token.stir(world.now_s, -0.3, 0.3)
    return []


def graduate(world: World, token: Token) -> None:
    """Schedule a token's stories on PumpSwap: deposits, a rug pull, and the end of interest."""
    rng = world.rng
    world.plan(rng.expovariate(1 / 120.0), deepen, token)
    world.plan(rng.expovariate(1 / 1500.0), rug, token)
    world.plan(rng.expovariate(1 / GRADUATES_LAST_S), fade_out, token)


def fade_out(world: World, token: Token) -> list[Message]:
    """End the interest in a token."""
    token.die(-0.6)
    return [world.talk(token, -0.1, 2.0)]
