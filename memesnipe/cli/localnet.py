"""The command `localnet`: runs a local Solana until Ctrl-C."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memesnipe.cli.numbers import integer_option, number_option, seed_option
from memesnipe.cli.options import Json
from memesnipe.errors import InputError
from memesnipe.runtime.terminal import print_json, print_message, print_table

if TYPE_CHECKING:  # slow to load
    from solders.pubkey import Pubkey

    from memesnipe.localnet.node import Node

localnet = typer.Typer()

_LAMPORTS_PER_SOL: Final = 1_000_000_000
_WAIT_S: Final = 0.2  # between two looks at whether the node still runs


@localnet.command("localnet")
def localnet_command(
    rpc_port: Annotated[int, integer_option("--rpc-port", 0, 65_535, "Port of the JSON-RPC; 0 for any.")] = 8_899,
    ws_port: Annotated[int, integer_option("--ws-port", 0, 65_535, "Port of the websocket; 0 for any.")] = 8_900,
    slot_ms: Annotated[int, integer_option("--slot-ms", 1, 60_000, "Milliseconds of a slot.")] = 400,
    fund: Annotated[
        list[str] | None, typer.Option("--fund", help="A wallet that has SOL from the start; repeatable.")
    ] = None,
    sol: Annotated[float, number_option("--sol", 0.001, 1_000_000, "SOL of each such wallet.")] = 10.0,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="A fault and its probability, such as drop=0.1; repeatable. Default: none."),
    ] = None,
    seed: Annotated[int, seed_option("Seed of blockhashes and faults.")] = 0,
    json: Json = False,
) -> None:
    """Run a local Solana: JSON-RPC and websocket on this machine, without any connection to a public cluster."""
    from memesnipe.localnet.faults import parse_rates  # noqa: PLC0415 - slow to load, as all below

    try:
        rates = parse_rates(fault or [])
    except InputError as error:
        raise InputError(f"--fault: {error}") from None
    funded = {_wallet(address): round(sol * _LAMPORTS_PER_SOL) for address in fund or []}

    from memesnipe.cli.stop import StopSignals  # noqa: PLC0415

    signals = StopSignals()

    from memesnipe.localnet.compose import LocalnetOptions, make_node  # noqa: PLC0415

    options = LocalnetOptions(int(time.time()), slot_ms, seed, rpc_port, ws_port, rates, funded)
    with make_node(options) as node:
        signals.has_started()
        started = {
            "rpc_url": node.rpc_url,
            "websocket_url": node.websocket_url,
            "funded": {str(address): lamports for address, lamports in funded.items()},
        }
        if json:
            print_json(started)
        else:
            print_table("localnet", started)
            print_message("Ctrl-C stops it.")
        while node.is_running() and not signals.stop.wait(_WAIT_S):
            pass
    print_message(_summary(node))


def _wallet(address: str) -> "Pubkey":
    from solders.pubkey import Pubkey  # noqa: PLC0415 - as above

    try:
        return Pubkey.from_string(address)
    except ValueError:
        raise InputError(f"--fund {address[:60]}: is no address of a wallet") from None


def _summary(node: "Node") -> str:
    """Return what the cluster did, in one line."""
    chain = node.chain
    counts: dict[str, Any] = {**node.plan.counts, **chain.dropped, **node.pubsub.counts}
    listed = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return f"{chain.blocks:,} blocks, {len(chain.history):,} transactions" + (f"; {listed}" if listed else "") + "."
