"""The live venue as it is put together: a local chain, the real signer over HTTP, and PostgreSQL."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from solders.pubkey import Pubkey
from starlette.applications import Starlette
from starlette.routing import Mount

from memesnipe.config.home import Home
from memesnipe.config.settings import read_resolved, write_resolved
from memesnipe.engine.orders import Order
from memesnipe.execution.landing_record import LandingRecord
from memesnipe.execution.venue import VenueClient
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.fee_market import FeeMarket
from memesnipe.localnet.jito import JitoServer
from memesnipe.localnet.jupiter import JupiterServer
from memesnipe.localnet.market import ChainMarket
from memesnipe.localnet.node import Node
from memesnipe.localnet.token_data import TokenData
from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, SELL_SIDE
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.roles.live_venue import open_live_venue
from memesnipe.runtime.live_run import wallet_address
from memesnipe.runtime.localnet import policy_text
from memesnipe.signer.policy import default_policy_text, parse_policy
from memesnipe.signer.startup import SignerFiles, open_signer_api
from memesnipe.solana.balance import Holdings, read_holdings
from memesnipe.solana.request_mac import make_secret
from memesnipe.solana.wallet import make_wallet
from memesnipe.storage.runs import WALLET
from tests.localnet.programs.market import ME, SOL, fund
from tests.roles.conftest import Stage
from tests.signer.served import serving

ENDED = (OrderStatus.RECONCILED, OrderStatus.CANCELLED)
DEADLINE_S = 60.0
TOKEN_RENT = 2_074_080  # of a token account of Token-2022: 170 bytes


class Live:
    """A live run's venue, with everything that it talks to."""

    def __init__(self, stage: Stage, node: Node, mint: Pubkey, folder: Path) -> None:
        self.stage, self.node, self.mint, self.folder = stage, node, str(mint), folder
        self.wallet = wallet_address(folder / "wallet.json")
        self.reports: list[ExecutionReport] = []
        self.outcomes: list[LandingRecord] = []

    @contextmanager
    def client(self) -> Iterator[VenueClient]:
        """Open the venue as the executor does, and close it."""
        with closing(self.stage.context()) as context:
            client = open_live_venue(context, lambda _: self.mint, self.outcomes.append)
            try:
                yield client
            finally:
                client.close()

    def holdings(self) -> Holdings:
        return read_holdings(self.node.rpc_url, self.wallet)

    def change(self, **settings: object) -> None:
        """Change settings of the run."""
        path = Home(self.stage.home).settings
        write_resolved(read_resolved(path).changed(**settings), path)

    def set_fees(self, price: int, tip: int) -> None:
        """Let the other users of the chain bid this."""
        self.node.call(lambda: setattr(self.node.chain, "fees", FeeMarket(price, tip)))

    def buy_until(self, client: VenueClient, is_reached: Callable[[LandingRecord], bool]) -> LandingRecord:
        """Buy a little, again and again, until an order that has landed is as wanted; return its record."""
        deadline_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline_s:
            number = sum(report.status in ENDED for report in self.reports) + 1
            client.submit(f"live-spec-{number}", buy(number, 1_000_000))
            self.finish(client, number)
            last = max(self.outcomes, key=lambda one: one.accepted_ns)
            if last.outcome == "landed" and is_reached(last):
                return last
        raise AssertionError(self.outcomes)

    def finish(self, client: VenueClient, orders: int) -> list[ExecutionReport]:
        """Take reports until so many orders have ended; return those with an outcome."""
        deadline_s = time.monotonic() + DEADLINE_S
        while sum(report.status in ENDED for report in self.reports) < orders:
            assert time.monotonic() < deadline_s, self.reports
            new = client.poll()
            client.acknowledge(new)
            self.reports += new
            time.sleep(0.02)
        return [report for report in self.reports if report.status not in ENDED and report.fill is not None]


@contextmanager
def signer(live: Live, policy: str) -> Iterator[None]:
    """Serve the signer with a policy, at the port that the settings name."""
    folder = live.folder
    policy_file = folder / "policy.toml"
    policy_file.write_text(policy)
    policy_file.chmod(0o600)
    files = SignerFiles(folder / "wallet.json", folder / "token", policy_file, folder / "signer", folder / "halt")
    api = open_signer_api(files, live.node.rpc_url)
    with serving(Starlette(routes=[Mount("/signer", api)])) as client:
        settings = read_resolved(Home(live.stage.home).settings)
        write_resolved(settings.changed(dashboard_port=client.base_url.port), Home(live.stage.home).settings)
        yield


@pytest.fixture
def live(stage: Stage, tmp_path: Path) -> Iterator[Live]:
    make_wallet(tmp_path / "wallet.json")
    make_secret(tmp_path / "token")
    address = wallet_address(tmp_path / "wallet.json")
    # The chain's clock is that of the machine: the signer compares it with its own.
    chain = Chain(slot_ms=20, start_unix_s=int(time.time()), confirmed_after=1, finalized_after=4)
    chain.fund(Pubkey.from_string(address), 10 * LAMPORTS_PER_SOL)
    chain.fees = FeeMarket(price=1_000_000, tip=20_000)
    market = ChainMarket(chain)
    fund(chain)
    mint = market.create_coin("coin")
    chain.tick()
    market.buy(ME, mint, SOL)  # a curve that nobody has bought from cannot pay for a sale, so its coin is refused
    servers = (JupiterServer(market), JitoServer(chain), TokenData(market, lambda: 150.0))
    with Node(chain, routes=[route for server in servers for route in server.routes()]) as node:
        settings = read_resolved(Home(stage.home).settings)
        changed = settings.changed(
            solana_rpc_url=SecretStr(node.rpc_url),
            jupiter_api_url=node.rpc_url,
            jito_rpc_url=node.rpc_url,
            priority_fee_source="settings",
            jito_tip_floor_url=None,
            rugcheck_api_url=None,
            max_top_holders_percent=100,
            signer_token_filename=tmp_path / "token",
        )
        write_resolved(changed, Home(stage.home).settings)
        with stage.database.begin() as connection:
            run = {"r": stage.run_id, "w": f'{{"{WALLET}": "{address}"}}'}
            connection.execute(sa.text("UPDATE runs SET settings = CAST(:w AS jsonb) WHERE run_id = :r"), run)
        yield Live(stage, node, mint, tmp_path)


def buy(number: int, lamports: int) -> Order:
    return Order("spec", number, 0, BUY_SIDE, "signal", time.time_ns(), 1, 2, 0.1, lamports, 0, 1)


def sale(number: int, tokens: int) -> Order:
    return Order("spec", number, 0, SELL_SIDE, "signal", time.time_ns(), 1, 2, 0.0, 0, tokens, 1)


def test_orders_are_signed_land_and_agree_with_the_wallet_to_the_lamport(live: Live) -> None:
    before = live.holdings()
    with signer(live, policy_text()), live.client() as client:
        client.submit("live-spec-1", buy(1, 20_000_000))
        bought = live.finish(client, 1)
        assert len(bought) == 1, [report.detail for report in live.reports]
        client.submit("live-spec-2", sale(2, bought[0].fill.token_raw // 2))
        fills = [report.fill for report in live.finish(client, 2)]
    assert [fill.failure for fill in fills] == ["", ""]
    after = live.holdings()
    assert before.lamports == 10 * LAMPORTS_PER_SOL
    assert after.lamports - before.lamports == sum(fill.cash_change_lamports for fill in fills)
    assert after.tokens == {live.mint: fills[0].token_raw - fills[1].token_raw}
    network = [fill.network_fee_lamports for fill in fills]
    assert network[1] == pytest.approx(5_000 + 100_000 + 10_000, abs=2), "base fee, priority fee and tip"
    assert network[0] - network[1] > 2_000_000, "the rent of the token's account"
    assert [(one.outcome, one.accepted_by) for one in live.outcomes] == [("landed", "jito+rpc")] * 2
    assert [one.priority_fee_lamports + one.tip_lamports for one in live.outcomes] == [
        pytest.approx(110_000, abs=2), pytest.approx(110_000, abs=2),
    ]  # fmt: skip
    _assert_logged(live, ("live-spec-1", "live-spec-2"))


def _assert_logged(live: Live, order_ids: tuple[str, ...]) -> None:
    """Every line about a submission, and the signer's record of it, have the ids of its order."""
    lines = [json.loads(line) for line in (Home(live.stage.home).logs / "venue.jsonl").read_text().splitlines()]
    for order_id in order_ids:
        of_order = [line for line in lines if line["order_id"] == order_id]
        observed = [line["observed"] for line in of_order]
        assert observed[:4] == ["Accepted", "Built", "Signed", "SendFinished"]
        assert "TransactionSeen" in observed and of_order[-1]["status"] == "reconciled"
        assert {(line["run"], line["seq"], line["mint"]) for line in of_order} == {(live.stage.run_id, 1, live.mint)}
        assert {line["signature"] for line in of_order[2:]} == {of_order[2]["signature"]}
    audited = [json.loads(line) for line in (live.folder / "signer" / "audit.jsonl").read_text().splitlines()]
    assert [entry["order_id"].partition("/")[2] for entry in audited if "order_id" in entry] == list(order_ids)
    assert len(lines) == sum(line["order_id"] in order_ids for line in lines)


def test_a_bid_follows_the_market_and_never_exceeds_the_cap_of_settings_or_policy(live: Live) -> None:
    live.change(
        priority_fee_source="node", jito_tip_floor_url=f"{live.node.rpc_url}/api/v1/bundles/tip_floor",
        bid_refresh_secs=1,
    )  # fmt: skip
    policy = policy_text().replace("tip = 1_000_000", "tip = 40_000")
    before = live.holdings()
    with signer(live, policy), live.client() as client:
        live.buy_until(client, lambda _: True)  # the first one creates accounts, and so takes more compute
        quiet = live.buy_until(client, lambda one: one.tip_basis == one.priority_fee_basis == "estimate")
        assert (quiet.tip_lamports, quiet.tip_estimate_lamports) == (20_000, 20_000)
        assert 500_000 <= quiet.price_estimate <= 1_500_000
        live.set_fees(price=3_000_000, tip=30_000)
        busy = live.buy_until(
            client, lambda one: one.price_estimate > 2_000_000 and one.tip_estimate_lamports == 30_000
        )
        units = [one.priority_fee_lamports / one.price_estimate for one in (quiet, busy)]
        assert units[1] == pytest.approx(units[0], rel=0.2), "the fee follows the price of the same compute"
        assert 10_000 < quiet.priority_fee_lamports < busy.priority_fee_lamports < 300_000
        assert busy.tip_lamports == 30_000
        live.set_fees(price=10**9, tip=10**8)
        absurd = live.buy_until(client, lambda one: one.price_estimate > 10**8 and one.tip_estimate_lamports == 10**8)
        assert (absurd.priority_fee_lamports, absurd.tip_lamports) == (300_000, 40_000)
    assert all(one.priority_fee_lamports <= 300_000 and one.tip_lamports <= 100_000 for one in live.outcomes)
    fills = [report.fill for report in live.reports if report.status not in ENDED and report.fill is not None]
    assert live.holdings().lamports - before.lamports == sum(fill.cash_change_lamports for fill in fills)


def test_without_estimates_a_live_order_bids_the_settings_and_says_so(live: Live) -> None:
    live.change(priority_fee_source="helius", jito_tip_floor_url=f"{live.node.rpc_url}/nothing", bid_refresh_secs=1)
    with signer(live, policy_text()), live.client() as client:
        first = live.buy_until(client, lambda one: one.priority_fee_basis == "estimate")
        assert first.price_estimate > 0
        assert (first.tip_basis, first.tip_estimate_lamports, first.tip_lamports) == ("missing", 0, 10_000)
    lines = [json.loads(line) for line in (Home(live.stage.home).logs / "venue.jsonl").read_text().splitlines()]
    assert [line["estimate"] for line in lines if line["event"] == "estimate failed"] == ["tip floor"]
    built = [line for line in lines if line.get("observed") == "Built"]
    assert built[-1]["tip_basis"] == "missing"
    assert built[-1]["price_estimate"] == first.price_estimate


def test_a_sale_of_everything_returns_the_rent(live: Live) -> None:
    with signer(live, policy_text()), live.client() as client:
        client.submit("live-spec-1", buy(1, 20_000_000))
        (bought,) = live.finish(client, 1)
        client.submit("live-spec-2", sale(2, bought.fill.token_raw))
        fills = [report.fill for report in live.finish(client, 2)]
    after = live.holdings()
    assert after.tokens == {}
    assert after.lamports - 10 * LAMPORTS_PER_SOL == sum(fill.cash_change_lamports for fill in fills)
    assert fills[1].network_fee_lamports == pytest.approx(5_000 + 100_000 + 10_000 - TOKEN_RENT, abs=2)


def test_a_closed_venue_ends_its_thread_and_goes_on_later(live: Live) -> None:
    with signer(live, policy_text()):
        with live.client() as client:
            client.submit("live-spec-1", buy(1, 20_000_000))
        assert not [thread for thread in threading.enumerate() if thread.name == "submissions"]
        with live.client() as client:
            (bought,) = live.finish(client, 1)
    assert bought.fill.failure == ""
    assert live.holdings().tokens == {live.mint: bought.fill.token_raw}


def test_nothing_is_bought_with_the_policy_that_signs_nothing(live: Live) -> None:
    before = live.holdings()
    with signer(live, default_policy_text()), live.client() as client:
        client.submit("live-spec-1", buy(1, 20_000_000))
        assert live.finish(client, 1) == []
    (failed,) = [report for report in live.reports if report.status is OrderStatus.FAILED]
    assert "disabled" in failed.detail
    assert live.holdings() == before


def test_the_policy_of_the_local_chain_is_the_default_one_with_other_limits() -> None:
    local, default = (parse_policy(text, "") for text in (policy_text(), default_policy_text()))
    assert (local.enabled, default.enabled) == (True, False)
    assert (local.venues, local.tip_accounts) == (default.venues, default.tip_accounts)
