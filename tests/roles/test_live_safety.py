"""The checks before a live purchase, put together from the settings, on a local chain."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from solders.pubkey import Pubkey

from memesnipe.config.settings import settings_from
from memesnipe.execution.token_verdict import SafetyVerdict
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.jupiter import JupiterServer
from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.node import Node
from memesnipe.localnet.token_data import TokenData
from memesnipe.roles.live_safety import assessment
from memesnipe.roles.live_venue import sources_of
from memesnipe.runtime.localnet import with_chain
from memesnipe.servers.local_chain import ChainUrls
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service import Service, http_client
from tests.localnet.programs.market import ME, SOL, fund

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def local() -> Iterator[tuple[Node, Pubkey]]:
    """A node with a coin of which one wallet holds more than a third."""
    chain = Chain()
    market = ChainMarket(chain)
    fund(chain)
    mint = market.create_coin("coin")
    chain.tick()
    market.buy(ME, mint, 20 * SOL)
    routes = [
        route for server in (JupiterServer(market), TokenData(market, lambda: 150.0)) for route in server.routes()
    ]
    with Node(chain, routes=routes, is_paced=False) as node:
        for _ in range(40):
            node.tick()
        yield node, mint


def assess(node: Node, mint: Pubkey, **changes: Any) -> SafetyVerdict:
    settings = with_chain(settings_from({}, env_file=None), ChainUrls(node.rpc_url, node.rpc_url)).changed(**changes)

    async def run() -> SafetyVerdict:
        async with http_client() as http:
            rpc = Rpc([Service(http, settings.feeds.solana_rpc_url.get_secret_value())], 1)
            sources = sources_of(settings, http, rpc, ME.pubkey())
            return await assessment(settings, http, rpc, ME.pubkey(), sources)(str(mint))

    return asyncio.run(run())


def test_a_token_of_the_local_market_may_be_bought_with_the_settings_of_a_local_chain(
    local: tuple[Node, Pubkey],
) -> None:
    verdict = assess(*local)
    assert verdict.text == ""
    assert [check for check, source in verdict.sources.items() if source != "checked"] == ["rugcheck"]


@pytest.mark.parametrize(
    ("changes", "checks"),
    [
        ({"max_top_holders_percent": 30.0}, {"holders"}),
        ({"rugcheck_api_url": NOWHERE}, {"rugcheck"}),
        ({"jupiter_api_url": NOWHERE}, {"jupiter"}),  # the sale goes through the curve itself
        ({"sale_simulation_lamports": 2_000 * SOL}, {"sale"}),
    ],
)
def test_each_setting_has_its_effect(local: tuple[Node, Pubkey], changes: dict[str, Any], checks: set[str]) -> None:
    verdict = assess(*local, **changes)
    assert {reason.check for reason in verdict.reasons} == checks, verdict.text
