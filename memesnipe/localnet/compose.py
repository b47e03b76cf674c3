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
from memesnipe.localnet.node import Node
from memesnipe.localnet.records import Block
from memesnipe.localnet.sender import SenderServer
from memesnipe.localnet.token_data import TokenData

SOL_USD: Final = 150.0  # of the local price route


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
    coins: int = 5  # of the market
    trades_a_block: int = 2  # of its own wallets


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
        routes=compose(chain, options.coins, options.trades_a_block, options.seed),
        plan=plan,
        rpc_port=options.rpc_port,
        websocket_port=options.websocket_port,
        is_paced=is_paced,
    )


def compose(chain: Chain, coins: int = 0, trades_a_block: int = 0, seed: int = 0) -> list[BaseRoute]:
    """Add emulated programs, a market and its traders to a chain; return the routes of further servers.

    Args:
        chain: the chain.
        coins: created in the first block.
        trades_a_block: that are queued after each block.
        seed: of the trades.
    """
    market = ChainMarket(chain, seed)
    for number in range(coins):
        market.create_coin(f"coin {number}")

    def trade(_: Block) -> None:
        for _number in range(trades_a_block):
            market.step()

    chain.listeners.append(trade)
    servers = (JupiterServer(market), TokenData(market, SOL_USD), JitoServer(chain), SenderServer(chain))
    return [route for server in servers for route in server.routes()]
