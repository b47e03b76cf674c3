"""The one place where a local cluster is put together: chain, faults, servers, and the programs and markets on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from solders.pubkey import Pubkey
from starlette.routing import BaseRoute

from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.errors import InputError
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.faults import FaultPlan, FaultRates, FaultyMempool
from memesnipe.localnet.fee_market import FeeMarket
from memesnipe.localnet.jito import JitoServer
from memesnipe.localnet.journal import Journal, read_options, read_steps
from memesnipe.localnet.jupiter import JupiterServer
from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.markets.generated_market import GeneratedMarket
from memesnipe.localnet.markets.player import MarketPlayer, MarketRoutes
from memesnipe.localnet.markets.tape_market import TapeMarket
from memesnipe.localnet.markets.tape_trades import TapeTrades
from memesnipe.localnet.node import Node
from memesnipe.localnet.restore import restore
from memesnipe.localnet.sender import SenderServer
from memesnipe.localnet.token_data import TokenData
from memesnipe.market.events import NS_PER_S

SOL_USD: Final = 150.0  # of a generated market


@dataclass(frozen=True, slots=True)
class LocalnetOptions:
    """What a local cluster is made of."""

    start_unix_s: int  # the chain's time at the first slot
    slot_ms: int = 400
    seed: int = 0  # of blockhashes and faults
    rpc_port: int = 0  # 0: any
    websocket_port: int = 0
    rates: FaultRates = field(default_factory=FaultRates)
    funded: Mapping[Pubkey, int] = field(default_factory=dict)  # lamports by wallet, from the faucet
    tape: TapeTrades | None = None  # whose trades the market makes; None for generated ones
    speed: float = 1.0  # time of the tape over that of the chain
    market_seed: int = 0  # of generated trades
    trades_per_s: float = 5.0  # generated
    unit_price: int = 250_000  # of compute, that others pay, in micro-lamports
    tip: int = 5_000  # median of the tips of others, in lamports
    waits: bool = False  # the market begins when it is asked to, at /market/start


def make_node(
    options: LocalnetOptions, *, is_paced: bool = True, journal: Path | None = None, clock: Clock = SYSTEM_CLOCK
) -> Node:
    """Return a node, which runs while it is entered.

    Args:
        options: of the cluster.
        is_paced: begin a slot whenever its time has passed.
        journal: file with the chain's steps, from which it is made again if it has some; None for none.
        clock: of this machine.

    Raises:
        InputError: a port is in use, or the journal is of another chain.
    """
    known = read_options(journal) if journal is not None else None
    if known is not None:
        options = replace(options, start_unix_s=known["start_unix_s"])
        if known != _identity(options):
            raise InputError(f"--journal {journal}: is of a chain with other options; name another file")
    plan = FaultPlan(options.rates, options.seed)
    chain = Chain(
        seed=options.seed, slot_ms=options.slot_ms, start_unix_s=options.start_unix_s, mempool=FaultyMempool(plan)
    )
    for wallet, lamports in options.funded.items():
        chain.fund(wallet, lamports)
    routes = compose(chain, options, journal if known is not None else None)
    if known is not None and is_paced:
        chain.catch_up(clock.now_ns() / NS_PER_S)
    if journal is not None:
        chain.journal = Journal(journal, _identity(options))
    return Node(
        chain,
        routes=routes,
        plan=plan,
        rpc_port=options.rpc_port,
        websocket_port=options.websocket_port,
        is_paced=is_paced,
    )


def _identity(options: LocalnetOptions) -> dict[str, Any]:
    """Return what makes a chain another one, as JSON. The faults and the bids of others are not part of it."""
    return {
        "start_unix_s": options.start_unix_s,
        "slot_ms": options.slot_ms,
        "seed": options.seed,
        "funded": {str(wallet): lamports for wallet, lamports in options.funded.items()},
        "tape_trades": options.tape.trades if options.tape is not None else None,
        "speed": options.speed,
        "market_seed": options.market_seed,
        "trades_per_s": options.trades_per_s,
        "waits": options.waits,
    }


def compose(chain: Chain, options: LocalnetOptions, journal: Path | None = None) -> list[BaseRoute]:
    """Add emulated programs and a market with its traders to a chain; return the routes of further servers.

    Args:
        chain: a new one.
        options: of the cluster.
        journal: whose steps the chain and its market repeat; None for none.
    """
    chain.fees = FeeMarket(options.unit_price, options.tip)
    market = ChainMarket(chain, options.market_seed)
    player: MarketPlayer
    if options.tape is not None:
        player = TapeMarket(market, options.tape, options.speed)
    else:
        player = GeneratedMarket(market, options.market_seed, options.trades_per_s, SOL_USD)
    chain.listeners.append(player.on_block)
    if not options.waits:
        player.start()
    jito = JitoServer(chain)
    servers = (
        JupiterServer(market),
        TokenData(market, lambda: player.sol_usd),
        jito,
        SenderServer(chain),
        MarketRoutes(player, chain.note_start),
    )
    if journal is not None:
        restore(chain, player, jito, read_steps(journal))
    return [route for server in servers for route in server.routes()]
