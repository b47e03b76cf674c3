"""A desk that submits orders to a local chain through the client, and takes its reports."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from memesnipe.engine.orders import Order
from memesnipe.execution.landing_record import LandingRecord
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.faults import FaultPlan, FaultRates, FaultyMempool
from memesnipe.localnet.node import Node
from memesnipe.market.events import BUY_SIDE
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.protocol.order_status import OrderStatus, assert_transition
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service import Service, http_client
from memesnipe.solana.submission.actions import Outside
from memesnipe.solana.submission.builder import SwapMessageBuilder
from memesnipe.solana.submission.client import SolanaVenueClient
from memesnipe.solana.submission.ports import Lane
from memesnipe.solana.submission.services import RpcLane
from memesnipe.solana.transaction import FeePlan
from memesnipe.storage.submissions import Submissions
from tests.solana.submission.exchange import (
    MINT,
    TIP_ACCOUNT,
    TOKENS_PER_LAMPORT,
    WALLET,
    ExchangeSource,
    WalletSigner,
    add_exchange,
    tokens_of,
)  # fmt: skip

ENDED = {OrderStatus.RECONCILED, OrderStatus.CANCELLED}
DEADLINE_S = 90.0
FEES = FeePlan(50_000, 100_000, 10_000, TIP_ACCOUNT)


class Desk:
    """Submits orders, and keeps reports."""

    def __init__(
        self,
        node: Node,
        store: Callable[[], Submissions],
        lanes: Callable[[Rpc], list[Lane]] = lambda rpc: [RpcLane(rpc), RpcLane(rpc)],
    ) -> None:
        self.node, self.store, self.lanes = node, store, lanes
        self.outcomes_seen: list[LandingRecord] = []
        self.wallet = WALLET.pubkey()
        self.signer = WalletSigner()
        self.orders: dict[str, Order] = {}
        self.reports: dict[str, list[ExecutionReport]] = {}

    @contextmanager
    def client(self) -> Iterator[SolanaVenueClient]:
        http = http_client(2.0)
        rpc = Rpc([Service(http, self.node.rpc_url)], attempts=6)

        async def fees() -> FeePlan:
            return FEES

        builder = SwapMessageBuilder(rpc, [ExchangeSource()], fees, WALLET.pubkey(), 100)
        lanes = self.lanes(rpc)
        tips = frozenset({str(TIP_ACCOUNT)})
        outside = Outside(rpc, builder, self.signer, lanes, str(WALLET.pubkey()), tips, poll_s=0.05, close=http.aclose)
        note = self.outcomes_seen.append
        with SolanaVenueClient(self.store(), outside, lambda token: str(MINT), note) as client:
            yield client

    def run(self) -> None:
        """Go on until all orders have ended."""
        end = time.monotonic() + DEADLINE_S
        with self.client() as client:
            for order_id, order in self.orders.items():
                client.submit(order_id, order)
            while len(self.ended) < len(self.orders):
                assert time.monotonic() < end, {k: self.reports.get(k, [])[-1:] for k in self.orders}
                self.take(client)
                time.sleep(0.01)

    def take(self, client: SolanaVenueClient) -> None:
        """Apply reports as the executor does: those that were applied before a kill have no effect again."""
        for report in client.poll():
            before = self.reports.setdefault(f"order-{report.order_no}", [])
            if report not in before:
                assert_transition(before[-1].status if before else OrderStatus.INTENDED, report.status)
                before.append(report)
            client.acknowledge([report])

    @property
    def ended(self) -> list[str]:
        return [key for key, reports in self.reports.items() if reports[-1].status in ENDED]

    @property
    def fills(self) -> list[Any]:
        return [report.fill for reports in self.reports.values() for report in reports if report.fill is not None]

    def check(self) -> None:
        """Compare the reports with the chain: transactions, lamports and tokens."""
        chain = self.node.chain
        address = WALLET.pubkey()
        landed = self.node.call(
            lambda: {str(one.signature): one.execution.err for one in chain.history.of_address(address)}
        )
        with_fill = [r for reports in self.reports.values() for r in reports if r.fill is not None]
        assert {r.signature for r in with_fill} == {*landed}
        assert len(with_fill) == len(landed), "an order has landed twice"
        for report in with_fill:
            assert (landed[report.signature] is None) == (report.status is OrderStatus.LANDED)
        assert all(len(messages) == 1 for messages in self.signer.signed.values())
        account = self.node.call(lambda: chain.account(address))
        assert account is not None
        assert account.lamports - 10**10 == sum(fill.cash_change_lamports for fill in self.fills)
        bought = sum(fill.token_raw * (1 if fill.order.side == BUY_SIDE else -1) for fill in self.fills)
        assert self.node.call(lambda: tokens_of(chain)) == bought


def buy(number: int, lamports: int = 1_000_000) -> Order:
    tokens = lamports * TOKENS_PER_LAMPORT
    return Order("spec", number, 0, BUY_SIDE, "signal", 1, 1, 2, 0.1, lamports, 0, tokens)


@contextmanager
def running(rates: FaultRates, seed: int, slot_ms: int = 20) -> Iterator[Node]:
    plan = FaultPlan(rates, seed)
    chain = Chain(slot_ms=slot_ms, confirmed_after=3, finalized_after=8, mempool=FaultyMempool(plan))
    add_exchange(chain)
    with Node(chain, plan=plan) as node:
        yield node
