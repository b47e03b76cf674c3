"""The start of the synthetic market, and the stories of the whole market: launches, SOL price, bridges, crowds."""

from functools import partial
from math import exp

from memesnipe.feeds.synthetic.insiders import complete, dev_sale, dev_transfer
from memesnipe.feeds.synthetic.stories import (
    BALANCE,
    OLDER_POOL_LAMPORTS,
    Perp,
    airdrop,
    chatter,
    crowd,
    forced_sale,
    funding,
    hype,
    report_holders,
    run_ends,
    tend,
    turn,
    word_of_mouth,
)
from memesnipe.feeds.synthetic.token import NEW_CURVE, Crowd, Token
from memesnipe.feeds.synthetic.world import Message, World
from memesnipe.market.events import LAMPORTS_PER_SOL, PUMPSWAP
from memesnipe.market.pools import Pool
from memesnipe.market.pump import PUMP_SUPPLY_RAW

LAUNCH_EVERY_S = 45.0
RUNS_LAST_S = 330.0
BUNDLED_CHANCE = 0.016  # share of launches whose makers buy the whole curve at once, to graduate
RUN_CHANCE = 0.3  # share of launches that rise for minutes
SOL_PRICE_EVERY_S = 30.0
BRIDGE_EVERY_S = 45.0
BRIDGE_CLUSTER_EVERY_S = 800.0
BRIDGE_IS_SPENT = 0.75
KOREAN_CROWD_EVERY_S = 600.0


def begin(world: World) -> None:
    """Set up a market in motion: some older tokens, and one that is about to graduate."""
    world.plan(0.0, _sol_price)
    world.plan(0.1, _launch)
    world.plan(20.0, _bridge)
    world.plan(world.rng.uniform(60.0, 180.0), _bridge_cluster)
    world.plan(world.rng.uniform(90.0, 180.0), _korean_crowd)
    for _ in range(2):
        _add_older(world)
    _add_graduating(world)


def _sol_price(world: World, _token: None) -> list[Message]:
    """Move the price of SOL by a mean-reverting random walk around 200 USD."""
    world.sol_usd *= exp(world.rng.gauss(0.0, 0.0006) + 2e-5 * (200.0 / world.sol_usd - 1.0))
    world.plan(SOL_PRICE_EVERY_S, _sol_price)
    return [world.report("sol_price")]


def _bridge(world: World, _token: None) -> list[Message]:
    """Report a small inflow over the bridges."""
    world.plan(world.rng.expovariate(1 / BRIDGE_EVERY_S), _bridge)
    return [_inflow(world, 80_000.0)]


def _bridge_cluster(world: World, _token: None) -> list[Message]:
    """Schedule a cluster of large inflows, mostly spent over the next minutes on rising tokens."""
    rng = world.rng
    is_spent = rng.random() < BRIDGE_IS_SPENT
    wait_s = 0.0
    for _ in range(rng.randint(4, 8)):
        wait_s += rng.expovariate(1 / 25.0)
        world.plan(wait_s, _large_inflow)
        if is_spent:
            world.plan(wait_s + rng.uniform(15.0, 120.0), _spend)
    world.plan(rng.expovariate(1 / BRIDGE_CLUSTER_EVERY_S), _bridge_cluster)
    return []


def _large_inflow(world: World, _token: None) -> list[Message]:
    """Report one inflow of a cluster."""
    return [_inflow(world, 800_000.0)]


def _inflow(world: World, median_usd: float) -> Message:
    """Return a bridge event without a token."""
    return world.report("bridge") | {"inflow_usd": median_usd * world.rng.lognormvariate(0.0, 0.7)}


def _spend(world: World, _token: None) -> list[Message]:
    """Raise mood and heat of the three most active tokens."""
    for token in sorted(world.tokens, key=lambda token: token.heat * (1.0 + token.mood), reverse=True)[:3]:
        token.stir(world.now_s, 0.65, 0.2)
    return []


def _korean_crowd(world: World, _token: None) -> list[Message]:
    """In Korean trading hours let a crowd buy a rising token for a minute or two."""
    rng = world.rng
    world.plan(rng.expovariate(1 / KOREAN_CROWD_EVERY_S), _korean_crowd)
    rising = [token for token in world.tokens if token.is_alive and token.heat_at_rest > 0 and token.mood_at_rest > 0]
    small = [token for token in rising if token.pool.sol_lamports < OLDER_POOL_LAMPORTS // 2]
    if world.is_korean_day and small:
        token = rng.choice(small)
        token.stir(world.now_s, 1.2, 1.6)
        world.plan(rng.uniform(50.0, 140.0), turn, token)
    return []


def _launch(world: World, _token: None) -> list[Message]:
    """Launch a token; its developer and the snipers buy first."""
    rng = world.rng
    world.plan(rng.expovariate(world.tempo / LAUNCH_EVERY_S), _launch)
    token = _add(world, Token(world.new_mint(), NEW_CURVE, Crowd()))
    token.appeal = min(rng.expovariate(1 / 0.6), 2.0)
    messages = world.buys(token, int(min(0.7 * rng.lognormvariate(0.0, 0.8), 4.0) * LAMPORTS_PER_SOL))
    token.dev_raw = token.public_raw
    for _ in range(rng.randint(0, 4)):
        messages += world.buys(token, int(min(0.4 * rng.lognormvariate(0.0, 0.8), 2.0) * LAMPORTS_PER_SOL))
    if rng.random() < BUNDLED_CHANCE:
        messages += world.buys(token, 100 * LAMPORTS_PER_SOL) + complete(world, token)
        token.stir(world.now_s, 0.0, 1.0)
        _plan_interest(world, token)
    elif rng.random() < RUN_CHANCE:
        _plan_run(world, token)
    else:
        token.stir(world.now_s, 0.5, 0.07 * rng.lognormvariate(0.0, 1.0))
        developer_exit = dev_transfer if rng.random() < 0.4 else dev_sale
        world.plan(rng.expovariate(1 / 90.0), developer_exit, token)
    return messages


def _plan_run(world: World, token: Token) -> None:
    """Schedule the stories of a token that rises for some minutes."""
    rng = world.rng
    token.heat_at_rest, token.mood_at_rest = 0.2, 0.22
    token.stir(world.now_s, 0.6, 0.6)
    world.plan(rng.expovariate(1 / RUNS_LAST_S), run_ends, token)
    _plan_interest(world, token)
    world.plan(rng.expovariate(1 / 400.0), dev_transfer, token)


def _plan_interest(world: World, token: Token) -> None:
    """Schedule mentions, large sellers and airdrops."""
    rng = world.rng
    world.plan(rng.expovariate(1 / 30.0), chatter, token)
    world.plan(rng.expovariate(1 / 150.0), hype, token)
    world.plan(rng.expovariate(1 / 250.0), forced_sale, token)
    world.plan(rng.expovariate(1 / 500.0), airdrop, token)
    world.plan(rng.expovariate(1 / 200.0), word_of_mouth, token)


def _add(world: World, token: Token) -> Token:
    """Add a token, traded from now on."""
    token.settled_s = world.now_s
    world.tokens.append(token)
    world.plan(world.rng.uniform(0.5, 3.0), crowd, token)
    world.plan(world.rng.uniform(20.0, 60.0), report_holders, token)
    return token


def _add_older(world: World) -> None:
    """Add a permanent token that graduated long ago, with a deep pool and a perp market."""
    rng = world.rng
    sol, token_raw = int(rng.uniform(0.8, 1.2) * OLDER_POOL_LAMPORTS), int(rng.uniform(0.04, 0.08) * PUMP_SUPPLY_RAW)
    pool = Pool(PUMPSWAP, sol, token_raw, sol, token_raw, PUMP_SUPPLY_RAW, 20, 5, 50)
    its_crowd = Crowd(median=0.00015, sigma=1.8, most=0.004, forced=0.028, deepest_sol=2000.0)
    token = Token(world.new_mint(), pool, its_crowd, heat=0.2, mood=BALANCE, heat_at_rest=0.2, mood_at_rest=BALANCE)
    token.holders = rng.uniform(3000, 9000)
    _add(world, token)
    _plan_interest(world, token)
    world.plan(rng.uniform(1.0, 15.0), partial(funding, perp=Perp(token.price)), token)
    world.plan(rng.expovariate(1 / 120.0), tend, token)


def _add_graduating(world: World) -> None:
    """Add a token whose curve is nearly complete."""
    token = Token(world.new_mint(), NEW_CURVE, Crowd(), heat=1.0, mood=0.9, heat_at_rest=1.0, mood_at_rest=0.9)
    token.buy(int(world.rng.uniform(62.0, 72.0) * LAMPORTS_PER_SOL))
    token.holders, token.appeal = world.rng.uniform(200, 500), 0.6
    _add(world, token)
    _plan_interest(world, token)
