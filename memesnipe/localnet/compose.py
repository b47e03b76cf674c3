"""The one place where a local cluster is put together: chain, faults, servers, and the programs and markets on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from solders.pubkey import Pubkey
from starlette.routing import BaseRoute

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.faults import FaultPlan, FaultRates, FaultyMempool
from memesnipe.localnet.jito import JitoServer
from memesnipe.localnet.jupiter import JupiterServer
from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.markets.generated_market import GeneratedMarket
from memesnipe.localnet.markets.player import MarketPlayer, MarketRoutes
from memesnipe.localnet.markets.tape_market import TapeMarket
from memesnipe.localnet.markets.tape_trades import TapeTrades
from memesnipe.localnet.node import Node
from memesnipe.localnet.sender import SenderServer
from memesnipe.localnet.token_data import TokenData

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
    waits: bool = False  # the market begins when it is asked to, at /market/start


def make_node(options: LocalnetOptions, *, is_paced: bool = True) -> Node:
    """Return a node, which runs while it is entered.

    Raises:
        InputError: a port is in use.
    """
    plan = FaultPlan(options.rates, options.seed)
    chain = Chain(
        seed=options.seed, slot_ms=options.slot_ms, start_unix_s=options.start_unix_s, mempool=FaultyMempool(plan)
    )
    for wallet, lamports in options.funded.items():
        chain.fund(wallet, lamports)
    return Node(
        chain,
        routes=compose(chain, options),
        plan=plan,
        rpc_port=options.rpc_port,
        websocket_port=options.websocket_port,
        is_paced=is_paced,
    )


def compose(chain: Chain, options: LocalnetOptions) -> list[BaseRoute]:
    """Add emulated programs and a market with its traders to a chain; return the routes of further servers."""
    market = ChainMarket(chain, options.market_seed)
    player: MarketPlayer
    if options.tape is not None:
        player = TapeMarket(market, options.tape, options.speed)
    else:
        player = GeneratedMarket(market, options.market_seed, options.trades_per_s, SOL_USD)
    chain.listeners.append(player.on_block)
    if not options.waits:
        player.start()
    servers = (
        JupiterServer(market),
        TokenData(market, lambda: player.sol_usd),
        JitoServer(chain),
        SenderServer(chain),
        MarketRoutes(player),
    )
    return [route for server in servers for route in server.routes()]
