"""A halt while transactions are in the air: nothing new is signed, and what was signed is still found out."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from solders.pubkey import Pubkey

from memesnipe.engine.orders import Order
from memesnipe.halt_file import allow_exits, halt, resume
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.faults import FaultPlan, FaultRates, FaultyMempool
from memesnipe.localnet.jupiter import JupiterServer
from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.node import Node
from memesnipe.market.events import BUY_SIDE, SELL_SIDE
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.runtime.localnet import policy_text
from memesnipe.secret_file import create_secret
from memesnipe.signer.startup import SignerFiles, open_signer_api
from memesnipe.solana.jupiter import JupiterClient
from memesnipe.solana.request_mac import load_secret, make_secret
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service import Service, http_client
from memesnipe.solana.signer_client import SignerClient
from memesnipe.solana.submission.actions import Outside
from memesnipe.solana.submission.builder import SwapMessageBuilder
from memesnipe.solana.submission.client import SolanaVenueClient
from memesnipe.solana.submission.services import RemoteSigner, RpcLane
from memesnipe.solana.transaction import FeePlan
from memesnipe.solana.wallet import load_wallet, new_wallet
from memesnipe.storage.submissions import Submissions
from tests.localnet.programs.market import ME, SOL, fund
from tests.signer.served import serving

FILES = ("wallet.json", "token", "policy.toml")
IN_THE_AIR = 5  # orders that are signed and have no outcome when the halt comes
UNSIGNED = 10  # orders that are accepted after the halt
DEADLINE_S = 60.0
OUTCOMES = {OrderStatus.LANDED, OrderStatus.FAILED, OrderStatus.EXPIRED, OrderStatus.CANCELLED}


def wait_for(what: str, condition: Any) -> None:
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


@dataclass
class World:
    """A chain that delays transactions, the signer over HTTP, and a client of both."""

    home: Path
    node: Node
    mint: Pubkey
    wallet: Pubkey
    client: SolanaVenueClient
    number: int = 0

    @property
    def kill_file(self) -> Path:
        return self.home / "signer" / "halt"

    def submit(self, side: int = BUY_SIDE, amount: int = 1_000_000) -> str:
        self.number += 1
        budget, tokens = (amount + self.number, 0) if side == BUY_SIDE else (0, amount)
        decided = time.time_ns()
        order = Order("spec", self.number, 0, side, "signal", decided, 1, decided, 0.1, budget, tokens, 2)
        self.client.submit(f"order-{self.number}", order)
        return f"order-{self.number}"

    @property
    def reports(self) -> dict[str, list[ExecutionReport]]:
        found: dict[str, list[ExecutionReport]] = {}
        for report in self.client.poll():
            found.setdefault(f"order-{report.order_no}", []).append(report)
        return found

    def audit(self, decision: str) -> list[dict[str, Any]]:
        log = self.home / "signer" / "audit.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        return [entry for line in lines if (entry := json.loads(line)).get("decision") == decision]

    def in_the_air(self) -> set[str]:
        return {key for key, reports in self.reports.items() if not {r.status for r in reports} & OUTCOMES}

    def settle(self) -> None:
        wait_for(
            "every order to have an outcome", lambda: len(self.reports) == self.number and self.in_the_air() == set()
        )

    def halt_by_command(self) -> float:
        """Run `memesnipe halt` as a user does; return the seconds that it took."""
        began = time.monotonic()
        environment = os.environ | {"MEMESNIPE_HOME": str(self.home)}
        command = [Path(sys.executable).with_name("memesnipe"), "halt"]
        done = subprocess.run(command, env=environment, cwd=self.home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return time.monotonic() - began


@contextmanager
def signer_at(home: Path, url: str) -> Iterator[str]:
    """Serve the signer below its prefix, as Serve does; yield the base address."""
    wallet, token, policy = (home / name for name in FILES)
    make_secret(token)
    create_secret(policy, policy_text())
    files = SignerFiles(wallet, token, policy, home / "signer", home / "signer" / "halt")
    above = FastAPI()
    above.mount("/signer", open_signer_api(files, url))
    with serving(above) as http:
        yield str(http.base_url)


@contextmanager
def client_of(node: Node, home: Path, signer_url: str, store: Submissions, mint: Pubkey) -> Iterator[SolanaVenueClient]:
    wallet = load_wallet(home / FILES[0]).pubkey()
    http = http_client(10.0)
    rpc = Rpc([Service(http, node.rpc_url)], attempts=6)

    async def fees() -> FeePlan:
        return FeePlan(50_000, 100_000)

    builder = SwapMessageBuilder(rpc, [JupiterClient(Service(http, node.rpc_url), wallet)], fees, wallet, 100)
    signer = RemoteSigner(SignerClient(Service(http, signer_url), load_secret(home / FILES[1]), wallet), 100, "run")
    outside = Outside(rpc, builder, signer, [RpcLane(rpc)], str(wallet), frozenset(), poll_s=0.05, close=http.aclose)
    with SolanaVenueClient(store, outside, lambda _token: str(mint)) as client:
        yield client


@contextmanager
def world_with(home: Path, store: Submissions, rates: FaultRates) -> Iterator[World]:
    home.chmod(0o700)
    wallet = new_wallet(home / FILES[0])
    plan = FaultPlan(rates, 1)
    chain = Chain(slot_ms=40, confirmed_after=3, finalized_after=8, mempool=FaultyMempool(plan))
    market = ChainMarket(chain)
    fund(chain)
    chain.fund(wallet, 10 * SOL)
    mint = market.create_coin("coin")
    chain.tick()
    market.buy(ME, mint, SOL)
    with (
        Node(chain, routes=JupiterServer(market).routes(), plan=plan) as node,
        signer_at(home, node.rpc_url) as url,
        client_of(node, home, url, store, mint) as client,
    ):
        yield World(home, node, mint, wallet, client)


@pytest.fixture
def store(database: sa.Engine, new_run: int) -> Submissions:
    return Submissions(database, new_run)


def test_a_halt_under_load_signs_nothing_more_and_finds_out_what_is_in_the_air(
    tmp_path: Path, store: Submissions
) -> None:
    with world_with(tmp_path, store, FaultRates(delay=1.0, delay_blocks=30)) as world:
        stop = threading.Event()

        def load() -> None:
            while not stop.wait(0.05):
                if len(world.in_the_air()) < 2 * IN_THE_AIR:
                    world.submit()

        loading = threading.Thread(target=load)
        loading.start()
        try:
            wait_for("transactions in the air", lambda: len(world.audit("signed")) >= IN_THE_AIR)
            commanded_ms = time.time_ns() // 1_000_000
            took_s = world.halt_by_command()
            halted_ns = world.kill_file.stat().st_mtime_ns
            before = world.number
            wait_for("more orders", lambda: world.number >= before + UNSIGNED)
        finally:
            stop.set()
            loading.join()
        world.settle()
        last_ms = max(entry["at_ms"] for entry in world.audit("signed"))
        logging.info(
            "last signature %d ms after the command and %d ms after its file; the command took %.2f s",
            last_ms - commanded_ms, last_ms - halted_ns // 1_000_000, took_s,
        )  # fmt: skip
        assert last_ms - halted_ns // 1_000_000 < 1_000
        later = {f"run/order-{number}" for number in range(before + 1, world.number + 1)}
        assert not later & {entry["order_id"] for entry in world.audit("signed")}
        assert {entry["reason"] for entry in world.audit("refused") if entry["order_id"] in later} == {"halted"}
        statuses = {key: {report.status for report in reports} for key, reports in world.reports.items()}
        in_the_air = {
            key
            for key, reports in world.reports.items()
            if reports[0].status is OrderStatus.SIGNED
            and reports[0].ts < halted_ns < next(report.ts for report in reports if report.status in OUTCOMES)
        }
        assert in_the_air, "no transaction was in the air"
        assert all(statuses[key] & {OrderStatus.LANDED, OrderStatus.EXPIRED, OrderStatus.FAILED} for key in in_the_air)
        landed = {key for key, found in statuses.items() if OrderStatus.LANDED in found}
        history = world.node.call(lambda: list(world.node.chain.history.of_address(world.wallet)))
        signatures = {str(one.signature) for one in history}
        assert {world.reports[key][0].signature for key in landed} <= signatures
        assert len(signatures) <= len(world.audit("signed")) + 1  # the funding


def test_after_a_halt_positions_can_be_sold_by_hand_and_nothing_is_bought(tmp_path: Path, store: Submissions) -> None:
    with world_with(tmp_path, store, FaultRates()) as world:
        bought = world.submit()
        world.settle()
        fill = next((report.fill for report in world.reports[bought] if report.fill is not None), None)
        assert fill is not None, world.reports[bought]
        halt(world.kill_file)
        refused = [world.submit(), world.submit(SELL_SIDE, fill.token_raw)]
        world.settle()
        assert all(world.reports[key][0].status is OrderStatus.FAILED for key in refused)
        assert all("halted" in world.reports[key][0].detail for key in refused)
        allow_exits(world.kill_file)
        sold, still_refused = world.submit(SELL_SIDE, fill.token_raw), world.submit()
        world.settle()
        assert OrderStatus.LANDED in {report.status for report in world.reports[sold]}
        assert world.reports[still_refused][0].status is OrderStatus.FAILED
        assert resume(world.kill_file)
        again = world.submit()
        world.settle()
        assert OrderStatus.LANDED in {report.status for report in world.reports[again]}
