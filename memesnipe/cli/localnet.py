"""The command `localnet`: runs a local Solana until Ctrl-C."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memesnipe.bounds import MAX_SEED
from memesnipe.cli.numbers import integer_option, number_option, seed_option
from memesnipe.cli.options import Json
from memesnipe.errors import InputError
from memesnipe.runtime.terminal import print_json, print_message, print_table

if TYPE_CHECKING:  # slow to load
    from solders.pubkey import Pubkey

    from memesnipe.localnet.markets.tape_trades import TapeTrades
    from memesnipe.localnet.node import Node

localnet = typer.Typer()

_LAMPORTS_PER_SOL: Final = 1_000_000_000
_SOL: Final = 10.0
_TRADES_PER_S: Final = 5.0
_WAIT_S: Final = 0.2  # between two looks at whether the node still runs


@localnet.command("localnet")
def localnet_command(
    rpc_port: Annotated[int, integer_option("--rpc-port", 0, 65_535, "Port of the JSON-RPC; 0 for any.")] = 8_899,
    ws_port: Annotated[int, integer_option("--ws-port", 0, 65_535, "Port of the websocket; 0 for any.")] = 8_900,
    slot_ms: Annotated[int, integer_option("--slot-ms", 1, 60_000, "Milliseconds of a slot.")] = 400,
    fund: Annotated[
        list[str] | None, typer.Option("--fund", help="A wallet that has SOL from the start; repeatable.")
    ] = None,
    sol: Annotated[
        float | None, number_option("--sol", 0.001, 1_000_000, "SOL of each such wallet. Default: 10.")
    ] = None,
    tape: Annotated[Path | None, typer.Option("--tape", help="A tape whose trades the chain's market makes.")] = None,
    speed: Annotated[
        float | None, number_option("--speed", 0.01, 10_000, "Time of the tape over real time. Default: 1.")
    ] = None,
    market: Annotated[
        int | None, integer_option("--market", 0, MAX_SEED, "Seed of a generated market. Default: that of --seed.")
    ] = None,
    rate: Annotated[
        float | None, number_option("--rate", 0.1, 200, "Trades a second of the generated market. Default: 5.")
    ] = None,
    unit_price: Annotated[
        int, integer_option("--unit-price", 0, 10**9, "Price of compute that others bid, in micro-lamports.")
    ] = 250_000,
    tip: Annotated[int, integer_option("--tip", 0, 10**9, "Median of the tips of others, in lamports.")] = 5_000,
    start_on_request: Annotated[
        bool, typer.Option("--start-on-request", help="The market begins with POST /market/start, not at once.")
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", help="A fault and its probability, such as drop=0.1; repeatable. Default: none."),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", help="A file from which the same chain goes on after a kill."),
    ] = None,
    seed: Annotated[int, seed_option("Seed of blockhashes, faults, and the generated market.")] = 0,
    json: Json = False,
) -> None:
    """Run a local Solana: JSON-RPC and websocket on this machine, without any connection to a public cluster."""
    _check_together(sol, fund, tape, speed, market, rate)
    from memesnipe.localnet.faults import parse_rates  # noqa: PLC0415 - slow to load, as all below

    rates = parse_rates(fault or [])
    funded = {_wallet(address): round((sol or _SOL) * _LAMPORTS_PER_SOL) for address in fund or []}
    trades = _trades(tape) if tape is not None else None

    from memesnipe.cli.stop import StopSignals  # noqa: PLC0415

    signals = StopSignals()

    from memesnipe.localnet.compose import LocalnetOptions, make_node  # noqa: PLC0415

    options = LocalnetOptions(int(time.time()), slot_ms, seed, rpc_port, ws_port, rates, funded)
    options = replace(options, tape=trades, speed=speed or 1.0, trades_per_s=rate or _TRADES_PER_S)
    options = replace(options, market_seed=seed if market is None else market, waits=start_on_request)
    options = replace(options, unit_price=unit_price, tip=tip)
    with make_node(options, journal=journal) as node:
        signals.has_started()
        started = {
            "rpc_url": node.rpc_url,
            "websocket_url": node.websocket_url,
            "funded_lamports": {str(address): lamports for address, lamports in funded.items()},
            "market": trades.summary() if trades is not None else "generated",
        }
        if json:
            print_json(started)
        else:
            print_table("localnet", started)
            print_message("Ctrl-C stops it.")
        while node.is_running() and not signals.stop.wait(_WAIT_S):
            pass
    print_message(_summary(node))


def _check_together(
    sol: float | None,
    fund: list[str] | None,
    tape: Path | None,
    speed: float | None,
    market: int | None,
    rate: float | None,
) -> None:
    """Refuse options that have no effect beside the others.

    Raises:
        InputError: there is one.
    """
    if sol is not None and not fund:
        raise InputError("--sol: there is no wallet to fund; name one with --fund")
    if speed is not None and tape is None:
        raise InputError("--speed: is that of a tape; name one with --tape")
    for option, value in (("--market", market), ("--rate", rate)):
        if value is not None and tape is not None:
            raise InputError(f"{option}: is of the generated market, and --tape replaces it; give one of the two")


def _trades(tape: Path) -> "TapeTrades":
    from memesnipe.localnet.markets.tape_trades import TapeTrades  # noqa: PLC0415 - as above
    from memesnipe.tapes.tape import read_tape  # noqa: PLC0415

    return TapeTrades(read_tape(tape, now_ns=time.time_ns()))


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
