"""Live orders under faults: real transactions on a local chain, signed by the signer in a process of its own.

    python benchmarks/live_orders.py --orders 1000

Half of the orders buy, the others then sell. Transactions are dropped, delayed, failed and reordered, slots are
skipped, blocks are taken back, and nodes refuse or cut requests. The submission is killed before and after its commits,
and the signer with SIGKILL, each again and again; both continue from what they have stored. At the end the wallet must
have what the fills say, each order must have landed at most once, and no order may have been signed as two messages.
The status is 1 if that is not so.
"""

import argparse
import contextlib
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import httpx
import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from memesnipe.localnet.faults import FaultRates
from memesnipe.localnet.market import keypair_of
from memesnipe.servers.postgres import EmbeddedPostgres
from memesnipe.signer.startup import SignerFiles, open_signer_api
from memesnipe.solana.request_mac import load_secret
from memesnipe.storage.database import connect, migrate
from memesnipe.storage.schema import RunRow
from memesnipe.testing.live_orders.checks import differences
from memesnipe.testing.live_orders.desk import LiveDesk
from memesnipe.testing.live_orders.market import live_market
from memesnipe.testing.live_orders.signer_files import audit_lines, write_signer_files
from memesnipe.testing.live_orders.store import MortalStore

WALLET = keypair_of("wallet of live orders")
BUDGET_LAMPORTS = 1_000_000
FAULTS = FaultRates(
    drop=0.2, delay=0.3, fail=0.1, reorder=0.3, skip=0.1, stall=0.002, fork=0.05, closed_socket=0.02, node_behind=0.02,
    rate_limit=0.001,
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slot-ms", type=int, default=50)
    parser.add_argument("--window", type=int, default=24, help="orders that are open at a time")
    parser.add_argument("--kill-one-in", type=int, default=400, help="commits at which the submission is killed")
    parser.add_argument("--kill-signer-s", type=float, default=10.0, help="seconds between kills of the signer")
    parser.add_argument("--without-faults", action="store_true")
    parser.add_argument("--serve-signer", nargs=3, metavar=("FOLDER", "RPC_URL", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_signer:
        serve_signer(*options.serve_signer)
        return 0
    # PostgreSQL does not run as root, and other users cannot look into a folder of root's.
    with tempfile.TemporaryDirectory(prefix="memesnipe-live-orders-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        return run(Path(name), options)


def run(folder: Path, options: argparse.Namespace) -> int:
    rates = FaultRates() if options.without_faults else FAULTS
    postgres = EmbeddedPostgres(folder / "postgres", 0)
    database = connect(postgres.start())
    try:
        migrate(database)
        run_id = new_run(database)
        draw = random.Random(options.seed)  # noqa: S311 - decides about kills
        one_in = 0 if options.without_faults else options.kill_one_in
        files = SignerFiles(**write_signer_files(folder / "signer", WALLET))
        with (
            live_market(WALLET.pubkey(), rates, options.seed, options.slot_ms) as market,
            RunningSigner(files, market.node.rpc_url) as signer,
            signer.killed_every(0.0 if options.without_faults else options.kill_signer_s),
        ):
            desk = LiveDesk(
                market,
                lambda: MortalStore(database, run_id, draw, one_in),
                signer.url,
                load_secret(files.token),
                options.window,
                deadline_s=7_200.0,
            )
            started_s = time.monotonic()
            trade(desk, options.orders)
            found = differences(desk, audit_lines(files.folder))
            report(desk, rates, signer.kills, time.monotonic() - started_s, found)
            return 1 if found else 0
    finally:
        database.dispose()
        postgres.stop()


def trade(desk: LiveDesk, orders: int) -> None:
    """Let all orders end, the buys first."""
    for number in range(1, orders // 2 + 1):
        desk.buy(number, BUDGET_LAMPORTS + number)
    desk.run()
    part = desk.market.held() // orders
    for number in range(orders // 2 + 1, orders + 1):
        desk.sell(number, part)
    desk.run()


def report(desk: LiveDesk, rates: FaultRates, signer_kills: int, took_s: float, found: list[str]) -> None:
    node, outcomes = desk.market.node, desk.outcomes()
    given = {one.name: getattr(rates, one.name) for one in fields(rates) if one.type is float}
    print(f"{len(desk.orders):,} orders in {took_s:,.0f} s, slots of {node.chain.slot_ms} ms")
    print("faults (rates): " + (", ".join(f"{k} {v:g}" for k, v in given.items() if v) or "none"))
    print("faults that happened: " + (", ".join(f"{k} {v:,}" for k, v in node.plan.counts.items() if v) or "none"))
    print(f"kills: submission {desk.kills}, signer {signer_kills}")
    print("outcomes: " + ", ".join(f"{name} {count:,}" for name, count in outcomes.items()))
    landed = desk.market.slots()
    print(f"{'lane':8} {'accepted':>9} {'refused':>9} {'orders':>7} {'slots to the block: median':>27} {'p90':>5}")
    for name in ("rpc", "sender", "jito"):
        first = desk.lanes.first_slots.get(name, {})
        waits = sorted(landed[signature] - slot for signature, slot in first.items() if signature in landed)
        median, p90 = (statistics.median(waits), waits[int(0.9 * (len(waits) - 1))]) if waits else (0, 0)
        counts = (desk.lanes.accepted[name], desk.lanes.refused[name], len(first))
        print(f"{name:8} {counts[0]:9,} {counts[1]:9,} {counts[2]:7,} {median:27g} {p90:5g}")
    for difference in found:
        print(f"DIFFERENCE: {difference}")
    if not found:
        print("the wallet's lamports and tokens are those of the fills; each order landed at most once")


def new_run(database: sa.Engine) -> int:
    """Return the number of a new run, to which the submissions belong."""
    zeros = {sa.BigInteger: 0, sa.Double: 0.0, sa.Text: "", sa.Boolean: False}
    needed = [one for one in RunRow.__table__.columns if not one.nullable and one.server_default is None]
    row = {one.name: zeros.get(type(one.type), {}) for one in needed if one.name != "run_id"}
    with database.begin() as connection:
        number: int = connection.execute(sa.insert(RunRow).values(row).returning(RunRow.run_id)).scalar_one()
    return number


def serve_signer(folder: str, rpc_url: str, port: str) -> None:
    """Serve the signer of a folder until the process is killed."""
    at = Path(folder)
    files = SignerFiles(at / "wallet", at / "token", at / "policy", at, at / "halt")
    app = Starlette(routes=[Mount("/signer", open_signer_api(files, rpc_url))])
    uvicorn.run(app, port=int(port), log_config=None, lifespan="off")


class RunningSigner:
    """The signer in a process of its own, which is started again whenever it was killed."""

    def __init__(self, files: SignerFiles, rpc_url: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.url, self.kills = f"http://127.0.0.1:{self._port}", 0
        serve = ["--serve-signer", str(files.folder), rpc_url, str(self._port)]
        self._command = [sys.executable, __file__, *serve]
        self._process: subprocess.Popen[bytes] | None = None
        self._stop = threading.Event()

    def __enter__(self) -> "RunningSigner":
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGTERM)

    def _start(self) -> None:
        self._process = subprocess.Popen(self._command)
        with httpx.Client(trust_env=False) as client:
            while self._process.poll() is None and not self._stop.wait(0.1):
                with contextlib.suppress(httpx.HTTPError):
                    if client.get(f"{self.url}/signer/health").is_success:
                        return

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()

    @contextlib.contextmanager
    def killed_every(self, seconds: float) -> Iterator[None]:
        """Kill the signer and start it again, every so many seconds; never if that is 0."""

        def kill() -> None:
            while not self._stop.wait(seconds):
                self._end(signal.SIGKILL)
                self.kills += 1
                self._start()

        thread = threading.Thread(target=kill)
        if seconds:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            if seconds:
                thread.join()


if __name__ == "__main__":
    sys.exit(main())
