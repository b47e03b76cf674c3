"""A chain is made again from its journal: blocks, balances, statuses and its market, also after forks."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from solders.pubkey import Pubkey

from memesnipe.errors import InputError
from memesnipe.localnet.compose import LocalnetOptions, make_node
from memesnipe.localnet.faults import FaultRates
from memesnipe.localnet.node import Node
from memesnipe.solana.addresses import JITO_TIP_ACCOUNTS
from tests.localnet.support import SOL, Client, encoded, pay, signed, wallet

A, B = wallet(1), wallet(2)
# Skipped slots, forks and failures; faults of requests are not of interest.
RATES = FaultRates(skip=0.1, fork=0.1, fail=0.2, delay=0.2, reorder=0.2)
OPTIONS = LocalnetOptions(
    1_790_000_000, slot_ms=100, seed=3, rates=RATES, funded={A.pubkey(): 10 * SOL}, trades_per_s=40.0, waits=True
)


def node_of(journal: Path, options: LocalnetOptions = OPTIONS) -> Node:
    return make_node(options, is_paced=False, journal=journal)


def play(node: Node, client: Client, slots: int) -> list[str]:
    """Let slots pass, with a transfer to B in each; return the signatures."""
    found = []
    for number in range(slots):
        transfer = pay(A, B.pubkey(), SOL // 1_000 + number)
        transaction = node.call(partial(signed, node.chain, A, transfer))
        options = {"encoding": "base64", "skipPreflight": True}
        found.append(client.result("sendTransaction", encoded(transaction), options))
        node.tick()
    return found


def seen(client: Client, node: Node, signatures: list[str]) -> dict[str, Any]:
    """Return what clients can ask for: heights, statuses, transactions, balances, accounts, and the market."""
    commitments: list[dict[str, str]] = [{"commitment": name} for name in ("processed", "confirmed", "finalized")]
    mints = httpx.get(f"{node.rpc_url}/market/mints", trust_env=False).json()
    return {
        "height": [client.result("getBlockHeight", one) for one in commitments],
        "blockhash": [client.result("getLatestBlockhash", one)["value"] for one in commitments],
        "statuses": [client.result("getSignatureStatuses", signatures)["value"]],
        "transactions": [
            client.result("getTransaction", one, {"commitment": "confirmed", "maxSupportedTransactionVersion": 0})
            for one in signatures
        ],
        "balances": [
            client.result("getBalance", str(key.pubkey()), one)["value"] for key in (A, B) for one in commitments
        ],
        "supplies": [client.text("getTokenLargestAccounts", mint) for mint in mints.values()],
        "market": httpx.get(f"{node.rpc_url}/market", trust_env=False).json(),
        "mints": mints,
        "genesis": client.result("getGenesisHash"),
    }


def test_a_chain_goes_on_from_its_journal_as_it_was(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    with node_of(journal) as node:
        client = Client(node)
        play(node, client, 5)
        httpx.post(f"{node.rpc_url}/market/start", trust_env=False)
        signatures = play(node, client, 80)
        before = seen(client, node, signatures)
        assert node.plan.counts["fork"] and node.plan.counts["fail"] and node.plan.counts["skip"]
        client.close()
    assert before["market"]["landed"] > 100
    with journal.open("ab") as file:
        file.write(b'{"slot":350000')  # a kill while a block was added
    with node_of(journal) as node:
        client = Client(node)
        assert seen(client, node, signatures) == before
        later = play(node, client, 40)
        after = seen(client, node, [*signatures, *later])
        client.close()
    assert after["market"]["landed"] > before["market"]["landed"]
    with node_of(journal) as node:
        client = Client(node)
        assert seen(client, node, [*signatures, *later]) == after
        client.close()


def test_a_transaction_that_landed_before_the_kill_lands_no_second_time(tmp_path: Path) -> None:
    journal, options = tmp_path / "journal.jsonl", replace(OPTIONS, rates=FaultRates())
    with node_of(journal, options) as node:
        transaction = node.call(lambda: signed(node.chain, A, pay(A, B.pubkey(), SOL)))
        node.call(lambda: node.chain.send(transaction))
        node.tick()
    with node_of(journal, options) as node:
        node.call(lambda: node.chain.send(transaction))
        node.tick()
        assert node.call(lambda: node.chain.account(B.pubkey())).lamports == SOL  # type: ignore[union-attr]
        assert node.chain.dropped == {"AlreadyProcessed": 1}


def test_the_block_engine_knows_its_bundles_after_a_restart(tmp_path: Path) -> None:
    journal, options = tmp_path / "journal.jsonl", replace(OPTIONS, rates=FaultRates())

    def bundle(node: Node, lamports: int) -> str:
        tip = pay(A, JITO_TIP_ACCOUNTS[0], lamports)
        transaction = encoded(node.call(lambda: signed(node.chain, A, tip)))
        sent = ask(node, "sendBundle", [[transaction], {"encoding": "base64"}])
        assert isinstance(sent, str)
        return sent

    with node_of(journal, options) as node:
        landed = bundle(node, 10_000)
        node.tick(3)
        pending = bundle(node, 20_000)
        before = ask(node, "getBundleStatuses", [[landed, pending]])["value"]
        assert [one["status"] for one in inflight(node, landed, pending)] == ["Landed", "Pending"]
        assert before[0]["confirmation_status"] == "confirmed" and before[1] is None
    with node_of(journal, options) as node:
        assert ask(node, "getBundleStatuses", [[landed, pending]])["value"] == before
        assert [one["status"] for one in inflight(node, landed, pending)] == ["Landed", "Pending"]
        node.tick(160)  # the transaction of the other one was lost with the process, and expires
        assert [one["status"] for one in inflight(node, landed, pending)] == ["Landed", "Failed"]
        node.call(lambda: node.chain.catch_up(OPTIONS.start_unix_s + 320))
        assert [one["status"] for one in inflight(node, landed, pending)] == ["Invalid", "Invalid"]
        assert ask(node, "getBundleStatuses", [[landed]])["value"][0]["confirmation_status"] == "finalized"


def ask(node: Node, method: str, params: list[Any]) -> Any:
    """Return the block engine's result."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return httpx.post(f"{node.rpc_url}/api/v1/bundles", json=body, trust_env=False).json()["result"]


def inflight(node: Node, *bundles: str) -> list[dict[str, Any]]:
    """Return the block engine's answer about bundles of the last five minutes."""
    found: list[dict[str, Any]] = ask(node, "getInflightBundleStatuses", [list(bundles)])["value"]
    return found


def test_the_clock_of_a_chain_is_right_again(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"

    with make_node(OPTIONS, is_paced=False, journal=journal) as node:
        node.tick(30)
        node.call(lambda: node.chain.catch_up(OPTIONS.start_unix_s + 60))
        block = node.call(node.chain.tick)
        assert block is not None and block.unix_timestamp == OPTIONS.start_unix_s + 60
        assert block.height == node.chain.ledger.at(block.height - 1).height + 1
    with make_node(OPTIONS, is_paced=False, journal=journal) as node:
        assert node.chain.ledger.head.unix_timestamp == OPTIONS.start_unix_s + 60


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not an ordinary file; name another"):
        make_node(OPTIONS, journal=tmp_path)


@pytest.mark.parametrize(
    ("content", "options", "problem"),
    [
        (b"a text\n", OPTIONS, "no journal"),
        (None, replace(OPTIONS, trades_per_s=41.0), "other options"),
        (None, replace(OPTIONS, funded={Pubkey.default(): 1}), "other options"),
    ],
)
def test_a_journal_of_another_chain_is_refused(
    tmp_path: Path, content: bytes | None, options: LocalnetOptions, problem: str
) -> None:
    journal = tmp_path / "journal.jsonl"
    with node_of(journal):
        pass
    if content is not None:
        journal.write_bytes(content)
    with pytest.raises(InputError, match=problem):
        make_node(options, journal=journal)


def test_a_journal_with_a_changed_block_is_refused(tmp_path: Path) -> None:
    journal, options = tmp_path / "journal.jsonl", replace(OPTIONS, rates=FaultRates())
    with node_of(journal, options) as node:
        client = Client(node)
        play(node, client, 5)
        client.close()
    first, _, *others = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([first, *others]))  # without the first block and its transfer
    with pytest.raises(InputError, match="another chain"):
        node_of(journal, options)
