"""The one place where a local cluster is put together: chain, faults, servers, and the programs and markets on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from solders.pubkey import Pubkey
from starlette.routing import BaseRoute

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.faults import FaultPlan, FaultRates, FaultyMempool
from memesnipe.localnet.node import Node


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
        routes=compose(chain),
        plan=plan,
        rpc_port=options.rpc_port,
        websocket_port=options.websocket_port,
        is_paced=is_paced,
    )


def compose(chain: Chain) -> list[BaseRoute]:  # noqa: ARG001 - there is nothing to add yet
    """Add emulated programs and their accounts to a chain; return the routes of further servers."""
    return []
