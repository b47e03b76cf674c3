"""Faults: each happens as often as planned, has its effect, and is counted."""

import json
from collections import Counter

import httpx
import pytest
from solders.rpc.errors import NodeUnhealthyMessage
from solders.rpc.responses import GetHealthResp
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from memesnipe.errors import InputError
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.faults import KINDS, FaultPlan, FaultRates, FaultyMempool, SlotDriver
from memesnipe.localnet.node import Node
from tests.localnet.support import SOL, Client, encoded, funded, pay, signed, wallet

A, B = wallet(1), wallet(2)


class Faulty:
    """A chain with a plan without random faults; a test forces those that it needs."""

    def __init__(self) -> None:
        self.plan = FaultPlan()
        self.chain = funded(A, mempool=FaultyMempool(self.plan))
        self.driver = SlotDriver(self.chain, self.plan)
        self._sent = 0

    def send(self, *forced: str) -> str:
        """Send a transfer with faults; return its signature."""
        for kind in forced:
            self.plan.force(kind)
        self._sent += 1
        return str(self.chain.send(signed(self.chain, A, pay(A, B.pubkey(), SOL // 100 + self._sent))))

    def landed(self) -> list[str]:
        """Let a slot pass; return the transactions of its block."""
        height = self.chain.ledger.head.height
        self.driver.step()
        head = self.chain.ledger.head
        return [str(record.signature) for record in head.transactions] if head.height > height else []


@pytest.fixture
def faulty() -> Faulty:
    return Faulty()


def test_a_dropped_transaction_never_lands(faulty: Faulty) -> None:
    faulty.send("drop")
    assert [faulty.landed() for _ in range(20)] == [[]] * 20
    assert faulty.plan.counts == {"drop": 1}


def test_a_delayed_transaction_lands_later(faulty: Faulty) -> None:
    late, other = faulty.send("delay"), faulty.send()
    blocks = [faulty.landed() for _ in range(faulty.plan.rates.delay_blocks + 2)]
    assert blocks[0] == [other]
    assert [block for block in blocks[1:] if block] == [[late]]


def test_a_failed_transaction_lands_with_the_error(faulty: Faulty) -> None:
    signature = faulty.send("fail")
    assert faulty.landed() == [signature]
    (record,) = faulty.chain.ledger.head.transactions
    assert record.execution.err == {"InstructionError": [0, {"Custom": 6002}]}
    assert record.execution.fee == 5_000


def test_reordered_transactions_all_land(faulty: Faulty) -> None:
    orders = set()
    for _ in range(8):
        sent = [faulty.send() for _ in range(3)]
        faulty.plan.force("reorder")
        landed = faulty.landed()
        assert sorted(landed) == sorted(sent)
        orders.add(tuple(landed.index(one) for one in sent))
    assert len(orders) > 1


def test_a_skipped_slot_has_no_block(faulty: Faulty) -> None:
    slot, height = faulty.chain.slot, faulty.chain.ledger.head.height
    faulty.plan.force("skip")
    signature = faulty.send()
    assert faulty.landed() == []
    assert (faulty.chain.slot, faulty.chain.ledger.head.height) == (slot + 1, height)
    assert faulty.landed() == [signature]


def test_a_stall_stops_slots_for_a_while(faulty: Faulty) -> None:
    slot = faulty.chain.slot
    faulty.plan.force("stall")
    signature = faulty.send()
    blocks = [faulty.landed() for _ in range(faulty.plan.rates.stall_slots + 1)]
    assert blocks[0] == []
    assert [block for block in blocks if block] == [[signature]]
    assert slot < faulty.chain.slot < slot + len(blocks)


def test_a_fork_takes_back_the_newest_blocks(faulty: Faulty) -> None:
    for _ in range(5):
        faulty.landed()
    signature = faulty.send()
    assert faulty.landed() == [signature]
    height, slot = faulty.chain.ledger.head.height, faulty.chain.slot
    faulty.plan.force("fork")
    faulty.landed()
    assert height - 2 <= faulty.chain.ledger.head.height <= height
    assert faulty.chain.slot == slot + 1
    assert faulty.chain.account(B.pubkey()) is None
    assert faulty.plan.counts["fork"] == 1


def test_faults_are_as_frequent_as_their_rates() -> None:
    plan = FaultPlan(FaultRates(drop=0.3, delay=0.05), seed=7)
    for _ in range(4_000):
        plan.happens("drop")
        plan.happens("delay")
        plan.happens("fail")
    assert 1_100 < plan.counts["drop"] < 1_300
    assert 150 < plan.counts["delay"] < 250
    assert plan.counts["fail"] == 0


def test_one_kind_does_not_shift_another() -> None:
    alone, both = FaultPlan(FaultRates(drop=0.5), seed=3), FaultPlan(FaultRates(drop=0.5, delay=0.5), seed=3)
    expected = [alone.happens("drop") for _ in range(50)]
    found = []
    for _ in range(50):
        found.append(both.happens("drop"))
        both.happens("delay")
    assert found == expected


def test_forks_one_after_the_other_take_back_no_confirmed_block() -> None:
    plan = FaultPlan(FaultRates(fork=1.0, skip=0.5), seed=3)
    chain = Chain(confirmed_after=1, finalized_after=8)
    driver = SlotDriver(chain, plan)
    confirmed: dict[int, object] = {}
    for _ in range(200):
        driver.step()
        height = chain.ledger.height("confirmed")
        block = chain.ledger.at(height)
        assert confirmed.setdefault(height, block.blockhash) == block.blockhash
    assert plan.counts["fork"] > 20


@pytest.mark.parametrize("rates", [{"drop": 1.1}, {"fork": -0.1}, {"delay_blocks": 0}])
def test_wrong_rates_are_refused(rates: dict[str, float]) -> None:
    with pytest.raises(InputError):
        FaultRates(**rates)  # type: ignore[arg-type]


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(InputError, match="is no fault"):
        FaultPlan().force("everything")
    assert len(KINDS) == 11


def test_a_node_refuses_too_many_requests(node: Node, client: Client) -> None:
    node.plan.force("rate_limit")
    refused = client.post(b'{"jsonrpc":"2.0","id":1,"method":"getSlot"}')
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert client.result("getSlot") > 0


def test_a_node_is_behind(node: Node, client: Client) -> None:
    node.plan.force("node_behind")
    refused = json.loads(client.text("getHealth"))
    assert (refused["error"]["code"], refused["id"]) == (-32005, 1)
    assert isinstance(GetHealthResp.from_json(json.dumps(refused)), NodeUnhealthyMessage)
    assert client.result("getHealth") == "ok"


def test_a_broken_connection_may_have_had_its_effect(node: Node, client: Client) -> None:
    effects: Counter[bool] = Counter()
    for number in range(30):
        transaction = signed(node.chain, A, pay(A, B.pubkey(), 10**6 + number))
        node.plan.force("closed_socket")
        with pytest.raises(httpx.RemoteProtocolError):
            client.text("sendTransaction", encoded(transaction), {"encoding": "base64", "skipPreflight": True})
        node.tick()
        effects[node.call(lambda one=transaction: node.chain.history.get(one.signatures[0])) is not None] += 1
    assert effects[True] > effects[False] > 0
    assert node.plan.counts == {"closed_socket": 30}


def test_websockets_are_cut(node: Node) -> None:
    with connect(node.websocket_url, proxy=None) as client:
        node.plan.force("cut_websockets")
        node.tick()
        with pytest.raises(ConnectionClosed):
            client.recv(10)


def test_an_error_of_the_chain_ends_the_node() -> None:
    chain = Chain(slot_ms=1)

    def break_down(_block: object) -> None:
        raise ZeroDivisionError("in a block")

    chain.listeners.append(break_down)
    with pytest.raises(ZeroDivisionError, match="in a block"), Node(chain) as node:
        node._thread.join(20)
    assert not node.is_running()


def test_a_paced_node_goes_on_by_itself() -> None:
    with Node(Chain(slot_ms=5)) as node, connect(node.websocket_url, proxy=None) as client:
        client.send('{"jsonrpc":"2.0","id":1,"method":"slotSubscribe"}')
        assert [bool(client.recv(10)) for _ in range(5)] == [True] * 5


def test_a_port_in_use_is_refused(node: Node) -> None:
    port = int(node.rpc_url.rpartition(":")[2])
    with pytest.raises(InputError, match=f"--rpc-port {port}: this port cannot be used"):
        Node(Chain(), rpc_port=port)
