"""Submits orders, keeps reports, and starts the venue's client again after it has died, as the executor does."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from memesnipe.engine.orders import Fill, Order
from memesnipe.errors import MemeSnipeError
from memesnipe.execution.landing_record import LandingRecord
from memesnipe.feeds.pumpfun.own_trades import own_trade
from memesnipe.market.events import BUY_SIDE, SELL_SIDE
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.protocol.order_status import OrderStatus, assert_transition
from memesnipe.solana.direct.source import DirectSource
from memesnipe.solana.jito import JitoClient
from memesnipe.solana.jupiter import JupiterClient
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.sender import SenderClient
from memesnipe.solana.service import Service, http_client
from memesnipe.solana.signer_client import SignerClient
from memesnipe.solana.submission.actions import Outside
from memesnipe.solana.submission.builder import SwapMessageBuilder
from memesnipe.solana.submission.client import SolanaVenueClient
from memesnipe.solana.submission.ports import Lane
from memesnipe.solana.submission.services import JitoLane, RemoteSigner, RpcLane, SenderLane
from memesnipe.solana.swap_plan import SwapSource
from memesnipe.solana.transaction import FeePlan
from memesnipe.storage.submissions import Submissions
from memesnipe.testing.live_orders.lanes import TIP_ACCOUNTS, LaneRecord, RecordedLane, alternating_fees, constant_fees
from memesnipe.testing.live_orders.market import LiveMarket
from memesnipe.testing.live_orders.store import KillError

ENDED = frozenset({OrderStatus.RECONCILED, OrderStatus.CANCELLED})
_SLIPPAGE_BPS = 2_000  # the orders of a whole run move the price, and their minimum is that of its beginning
_POLL_S = 0.01
LaneFactory = Callable[[Rpc, httpx.AsyncClient], list[Lane]]


class LiveDesk:
    """A desk of one wallet.

    Args:
        market: that it trades in.
        store: returns the store of a new client.
        signer_url: of the signer.
        secret: shared with it.
        window: orders that are open at a time.
        deadline_s: for all orders of one `run`.
        lanes: returns the lanes; None for node, Sender and Jito.
        fees: of each transaction; None for a tip to Sender and Jito in turn.
    """

    def __init__(
        self,
        market: LiveMarket,
        store: Callable[[], Submissions],
        signer_url: str,
        secret: bytes,
        window: int = 24,
        deadline_s: float = 90.0,
        lanes: LaneFactory | None = None,
        fees: FeePlan | None = None,
    ) -> None:
        self.market = market
        self.orders: dict[str, Order] = {}
        self.reports: dict[str, list[ExecutionReport]] = {}
        self.kills = 0
        self.lanes = LaneRecord(lambda: market.node.chain.slot)
        self.measured: list[LandingRecord] = []  # of each outcome
        self._store, self._signer_url, self._secret = store, signer_url, secret
        self._window, self._deadline_s = window, deadline_s
        self._lanes = lanes or self._all_lanes
        self._fees = alternating_fees() if fees is None else constant_fees(fees)

    def buy(self, number: int, lamports: int) -> None:
        """Add an order to buy."""
        self._add(number, BUY_SIDE, lamports, 0, self.market.expected(lamports=lamports))

    def sell(self, number: int, token_raw: int) -> None:
        """Add an order to sell."""
        self._add(number, SELL_SIDE, 0, token_raw, self.market.expected(token_raw=token_raw))

    def _add(self, number: int, side: int, lamports: int, token_raw: int, expected: int) -> None:
        order = Order("spec", number, 0, side, "signal", time.time_ns(), 1, 2, 0.1, lamports, token_raw, expected)
        self.orders[f"order-{number}"] = order

    @contextmanager
    def client(self) -> Iterator[SolanaVenueClient]:
        """Yield a client that continues from the store."""
        http, url, wallet = http_client(5.0), self.market.node.rpc_url, self.market.wallet
        node = Service(http, url)
        rpc = Rpc([node], attempts=6)
        sources: list[SwapSource] = [DirectSource(rpc, wallet), JupiterClient(Service(http, url), wallet)]
        builder = SwapMessageBuilder(rpc, sources, self._fees, wallet, _SLIPPAGE_BPS)
        signer_client = SignerClient(Service(http, self._signer_url), self._secret, wallet)
        signer = RemoteSigner(signer_client, _SLIPPAGE_BPS, "run")
        outside = Outside(
            rpc,
            builder,
            signer,
            [RecordedLane(lane, self.lanes) for lane in self._lanes(rpc, http)],
            str(wallet),
            frozenset(map(str, TIP_ACCOUNTS)),
            own_trade,
            poll_s=0.05,
            close=http.aclose,
        )
        note = self.measured.append
        with SolanaVenueClient(self._store(), outside, lambda _: str(self.market.mint), note) as client:
            yield client

    def _all_lanes(self, rpc: Rpc, http: httpx.AsyncClient) -> list[Lane]:
        url = self.market.node.rpc_url
        jito = JitoClient(Service(http, url), Service(http, f"{url}/api/v1/bundles/tip_floor"))
        return [RpcLane(rpc), SenderLane(SenderClient(Service(http, url))), JitoLane(jito)]

    def run(self, during: Callable[[SolanaVenueClient], None] = lambda _: None) -> None:
        """Go on until all orders have ended, over any number of kills.

        Raises:
            TimeoutError: they have not in time; the text has the last report of each.
        """
        end_s = time.monotonic() + self._deadline_s
        while True:
            try:
                with self.client() as client:
                    self._until_all_ended(client, end_s, during)
                    return
            except (KillError, MemeSnipeError) as error:
                if not isinstance(error, KillError) and not isinstance(error.__cause__, KillError):
                    raise
                self.kills += 1

    def _until_all_ended(
        self, client: SolanaVenueClient, end_s: float, during: Callable[[SolanaVenueClient], None]
    ) -> None:
        submitted: set[str] = set()
        while len(ended := self.ended()) < len(self.orders):
            if time.monotonic() > end_s:
                raise TimeoutError({key: self.reports.get(key, [])[-1:] for key in submitted - ended})
            for order_id, order in self.orders.items():
                if len(submitted - ended) >= self._window:
                    break
                if order_id not in submitted and order_id not in ended:
                    client.submit(order_id, order)
                    submitted.add(order_id)
            during(client)
            self._take(client)
            time.sleep(_POLL_S)

    def _take(self, client: SolanaVenueClient) -> None:
        """Apply reports as the executor does: those that were applied before a kill have no effect again."""
        for report in client.poll():
            before = self.reports.setdefault(f"order-{report.order_no}", [])
            if report not in before:
                assert_transition(before[-1].status if before else OrderStatus.INTENDED, report.status)
                before.append(report)
            client.acknowledge([report])

    def ended(self) -> set[str]:
        """Return the orders that have ended."""
        return {key for key, reports in self.reports.items() if reports and reports[-1].status in ENDED}

    @property
    def fills(self) -> list[Fill]:
        """The fills reported."""
        return [report.fill for reports in self.reports.values() for report in reports if report.fill is not None]

    def outcomes(self) -> Counter[str]:
        """Return the numbers of outcomes, and of orders that were unknown for a while."""
        found = Counter(
            str(next((one.status for one in reversed(reports) if one.status not in ENDED), reports[-1].status))
            for reports in self.reports.values()
        )
        found["unknown for a while"] = sum(
            any(report.status is OrderStatus.UNKNOWN for report in reports) for reports in self.reports.values()
        )
        return found
