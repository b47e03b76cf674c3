"""The one place where programs, markets and further servers are added to the local cluster."""

from typing import Final

from starlette.routing import BaseRoute

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.jito import JitoServer
from memesnipe.localnet.jupiter import JupiterServer
from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.records import Block
from memesnipe.localnet.sender import SenderServer
from memesnipe.localnet.token_data import TokenData

SOL_USD: Final = 150.0
COINS: Final = 5
TRADES_A_BLOCK: Final = 2


def compose(chain: Chain, coins: int = COINS, trades_a_block: int = TRADES_A_BLOCK) -> list[BaseRoute]:
    """Add emulated programs, a market and its traders to a chain; return the routes of further servers.

    Args:
        chain: the chain.
        coins: created in the first block.
        trades_a_block: that are queued after each block.
    """
    market = ChainMarket(chain)
    for number in range(coins):
        market.create_coin(f"coin {number}")

    def trade(_: Block) -> None:
        for _ in range(trades_a_block):
            market.step()

    chain.listeners.append(trade)
    servers = (JupiterServer(market), TokenData(market, SOL_USD), JitoServer(chain), SenderServer(chain))
    return [route for server in servers for route in server.routes()]
