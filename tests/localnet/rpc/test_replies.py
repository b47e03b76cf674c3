"""The replies of every method: solders, which real clients use, parses each, and they say what the chain holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from solders.account import Account
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.pubkey import Pubkey
from solders.rpc import responses as parsed
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from memesnipe.localnet.node import Node
from memesnipe.localnet.rpc.methods import METHODS
from memesnipe.localnet.tokens import TOKEN, TOKEN_2022
from tests.localnet.support import (
    SOL,
    Client,
    add_mint,
    add_toy,
    encoded,
    funded,
    pay,
    pay_tokens,
    signed,
    token_address,
    wallet,
)

A, B = wallet(1), wallet(2)
MINT, OTHER_MINT = wallet(8).pubkey(), wallet(9).pubkey()
CONFIRMED = {"commitment": "confirmed"}
PROCESSED = {"commitment": "processed"}


class Cluster(NamedTuple):
    node: Node
    client: Client
    sent: VersionedTransaction  # in a confirmed block
    failed: VersionedTransaction


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    chain = funded(A)
    add_toy(chain)
    add_mint(chain, MINT, {A.pubkey(): 5_000_000, B.pubkey(): 1})
    add_mint(chain, OTHER_MINT, {A.pubkey(): 7}, decimals=0, program=TOKEN_2022)
    with Node(chain, is_paced=False) as node:
        budget = (set_compute_unit_limit(50_000), set_compute_unit_price(40_000))
        sent = signed(chain, A, *budget, pay(A, B.pubkey(), SOL), pay_tokens(A, B.pubkey(), MINT, 1_500_000))
        failed = signed(chain, A, pay_tokens(A, B.pubkey(), MINT, 10**9))
        for transaction in (sent, failed):
            node.call(lambda one=transaction: chain.send(one))
        node.tick(2)
        client = Client(node)
        yield Cluster(node, client, sent, failed)
        client.close()


def reply(cluster: Cluster, kind: Any, method: str, *parameters: Any) -> Any:
    """Return a reply as solders parses it."""
    text = cluster.client.text(method, *parameters)
    found = kind.from_json(text)
    assert isinstance(found, kind), text
    return found


def test_get_latest_blockhash(cluster: Cluster) -> None:
    found = reply(cluster, parsed.GetLatestBlockhashResp, "getLatestBlockhash", CONFIRMED).value
    assert (found.blockhash, found.last_valid_block_height) == cluster.node.chain.latest_blockhash("confirmed")
    finalized = reply(cluster, parsed.GetLatestBlockhashResp, "getLatestBlockhash").value
    assert finalized.last_valid_block_height < found.last_valid_block_height


def test_is_blockhash_valid(cluster: Cluster) -> None:
    newest = str(cluster.node.chain.latest_blockhash()[0])
    assert reply(cluster, parsed.IsBlockhashValidResp, "isBlockhashValid", newest, PROCESSED).value
    assert not reply(cluster, parsed.IsBlockhashValidResp, "isBlockhashValid", newest, CONFIRMED).value


def test_get_block_height_and_slot(cluster: Cluster) -> None:
    head = cluster.node.chain.ledger.head
    assert reply(cluster, parsed.GetBlockHeightResp, "getBlockHeight", PROCESSED).value == head.height
    assert reply(cluster, parsed.GetSlotResp, "getSlot", PROCESSED).value == head.slot
    assert reply(cluster, parsed.GetSlotResp, "getSlot", CONFIRMED).value == head.slot - 1


def test_get_epoch_info(cluster: Cluster) -> None:
    found = reply(cluster, parsed.GetEpochInfoResp, "getEpochInfo", PROCESSED).value
    assert found.absolute_slot == cluster.node.chain.slot
    assert found.epoch * found.slots_in_epoch + found.slot_index == found.absolute_slot
    assert found.transaction_count == 2


def test_get_health_version_and_genesis(cluster: Cluster) -> None:
    assert reply(cluster, parsed.GetHealthResp, "getHealth").value == "ok"
    assert reply(cluster, parsed.GetVersionResp, "getVersion").value.solana_core
    genesis = reply(cluster, parsed.GetGenesisHashResp, "getGenesisHash").value
    assert genesis == cluster.node.chain.genesis_hash


def test_get_recent_performance_samples() -> None:
    chain = funded(A)
    with Node(chain, is_paced=False) as node:
        client = Client(node)
        node.call(lambda: chain.send(signed(chain, A, pay(A, B.pubkey(), SOL))))
        node.tick(301)
        text = client.text("getRecentPerformanceSamples", 2)
        client.close()
    found = parsed.GetRecentPerformanceSamplesResp.from_json(text).value
    assert [sample.num_transactions for sample in found] == [0, 1]
    assert found[0].slot - found[1].slot == found[0].num_slots == 150


def test_get_balance(cluster: Cluster) -> None:
    assert reply(cluster, parsed.GetBalanceResp, "getBalance", str(B.pubkey()), CONFIRMED).value == SOL
    assert reply(cluster, parsed.GetBalanceResp, "getBalance", str(B.pubkey())).value == 0


@pytest.mark.parametrize("encoding", ["base58", "base64"])
def test_get_account_info(cluster: Cluster, encoding: str) -> None:
    config = {"encoding": encoding, **CONFIRMED}
    found = reply(cluster, parsed.GetAccountInfoResp, "getAccountInfo", str(MINT), config).value
    assert found == Account(
        found.lamports, cluster.node.chain.account(MINT).data, TOKEN, rent_epoch=2**64 - 1  # type: ignore[union-attr]
    )  # fmt: skip
    sliced = {**config, "dataSlice": {"offset": 36, "length": 8}}
    part = reply(cluster, parsed.GetAccountInfoResp, "getAccountInfo", str(MINT), sliced).value
    assert int.from_bytes(part.data, "little") == 5_000_001
    unknown = str(Pubkey.new_unique())
    assert reply(cluster, parsed.GetAccountInfoResp, "getAccountInfo", unknown, config).value is None


def test_get_account_info_parses_tokens(cluster: Cluster) -> None:
    config = {"encoding": "jsonParsed", **CONFIRMED}
    holder = str(token_address(B.pubkey(), MINT))
    kind = parsed.GetAccountInfoMaybeJsonParsedResp
    held = reply(cluster, kind, "getAccountInfo", holder, config).value.data.parsed
    assert held["type"] == "account"
    assert held["info"]["owner"] == str(B.pubkey())
    assert held["info"]["tokenAmount"]["uiAmountString"] == "1.500001"
    minted = reply(cluster, kind, "getAccountInfo", str(OTHER_MINT), config).value.data.parsed
    assert minted["info"] == {
        "decimals": 0, "freezeAuthority": None, "isInitialized": True, "mintAuthority": None, "supply": "7",
    }  # fmt: skip
    plain = reply(cluster, kind, "getAccountInfo", str(B.pubkey()), config).value
    assert plain.data == b""


def test_get_multiple_accounts(cluster: Cluster) -> None:
    keys = [str(B.pubkey()), str(Pubkey.new_unique()), str(MINT)]
    found = reply(cluster, parsed.GetMultipleAccountsResp, "getMultipleAccounts", keys, CONFIRMED).value
    assert [one and one.lamports for one in found[:2]] == [SOL, None]
    assert found[2].data == cluster.node.chain.account(MINT).data  # type: ignore[union-attr]


def test_get_minimum_balance_for_rent_exemption(cluster: Cluster) -> None:
    kind, method = parsed.GetMinimumBalanceForRentExemptionResp, "getMinimumBalanceForRentExemption"
    assert reply(cluster, kind, method, 0).value == 890_880
    assert reply(cluster, kind, method, 165).value == 2_039_280


def test_get_token_account_balance(cluster: Cluster) -> None:
    holder = str(token_address(A.pubkey(), MINT))
    found = reply(cluster, parsed.GetTokenAccountBalanceResp, "getTokenAccountBalance", holder, CONFIRMED).value
    assert (found.amount, found.decimals, found.ui_amount_string) == ("3500000", 6, "3.5")
    before = reply(cluster, parsed.GetTokenAccountBalanceResp, "getTokenAccountBalance", holder).value
    assert before.amount == "5000000"  # finalized
    assert "not a Token account" in cluster.client.error("getTokenAccountBalance", str(A.pubkey()))["message"]
    assert "could not find" in cluster.client.error("getTokenAccountBalance", str(Pubkey.new_unique()))["message"]


def test_get_token_accounts_by_owner(cluster: Cluster) -> None:
    kind, method, owner = parsed.GetTokenAccountsByOwnerResp, "getTokenAccountsByOwner", str(A.pubkey())
    config = {"encoding": "base64", **CONFIRMED}
    by_mint = reply(cluster, kind, method, owner, {"mint": str(MINT)}, config).value
    assert [one.pubkey for one in by_mint] == [token_address(A.pubkey(), MINT)]
    by_program = reply(cluster, kind, method, owner, {"programId": str(TOKEN_2022)}, config).value
    assert [one.pubkey for one in by_program] == [token_address(A.pubkey(), OTHER_MINT, TOKEN_2022)]
    as_json = parsed.GetTokenAccountsByOwnerJsonParsedResp
    config = {"encoding": "jsonParsed", **CONFIRMED}
    assert len(reply(cluster, as_json, method, owner, {"programId": str(TOKEN)}, config).value) == 1
    assert cluster.client.error(method, owner, {})["code"] == -32602
    assert "could not find mint" in cluster.client.error(method, owner, {"mint": str(Pubkey.new_unique())})["message"]
    assert "not a Token mint" in cluster.client.error(method, owner, {"mint": owner})["message"]


def test_get_token_supply_and_largest_accounts(cluster: Cluster) -> None:
    supply = reply(cluster, parsed.GetTokenSupplyResp, "getTokenSupply", str(MINT)).value
    assert supply.amount == "5000001"
    kind, method = parsed.GetTokenLargestAccountsResp, "getTokenLargestAccounts"
    largest = reply(cluster, kind, method, str(MINT), CONFIRMED).value
    holders = [token_address(one.pubkey(), MINT) for one in (A, B)]
    assert [(one.address, one.amount.amount) for one in largest] == [(holders[0], "3500000"), (holders[1], "1500001")]


def test_get_recent_prioritization_fees(cluster: Cluster) -> None:
    kind, method = parsed.GetRecentPrioritizationFeesResp, "getRecentPrioritizationFees"
    writes_both = [str(A.pubkey()), str(B.pubkey())]
    assert [one.prioritization_fee for one in reply(cluster, kind, method, writes_both).value] == [0, 40_000, 0]
    assert [one.prioritization_fee for one in reply(cluster, kind, method).value] == [0, 0, 0]


def test_get_priority_fee_estimate(cluster: Cluster) -> None:
    method = "getPriorityFeeEstimate"
    levels = {"options": {"includeAllPriorityFeeLevels": True}}
    found = cluster.client.result(method, {"accountKeys": [str(B.pubkey())], **levels})
    assert found["priorityFeeLevels"] == dict.fromkeys(("min", "low", "medium", "high", "veryHigh", "unsafeMax"), 4e4)
    high = {"options": {"priorityLevel": "VeryHigh"}}
    assert cluster.client.result(method, {"transaction": encoded(cluster.sent), **high}) == {
        "priorityFeeEstimate": 40_000.0
    }
    assert cluster.client.error(method, {})["code"] == -32602


def test_request_airdrop(cluster: Cluster) -> None:
    found = reply(cluster, parsed.RequestAirdropResp, "requestAirdrop", str(wallet(5).pubkey()), SOL).value
    cluster.node.tick()
    assert cluster.node.chain.account(wallet(5).pubkey()).lamports == SOL  # type: ignore[union-attr]
    assert cluster.client.result("getSignatureStatuses", [str(found)])["value"][0]["err"] is None


def test_simulate_transaction(cluster: Cluster) -> None:
    chain = cluster.node.chain
    transaction = cluster.node.call(lambda: signed(chain, A, pay(A, B.pubkey(), SOL)))
    config = {"encoding": "base64", "accounts": {"addresses": [str(B.pubkey())], "encoding": "base64"}, **PROCESSED}
    found = reply(cluster, parsed.SimulateTransactionResp, "simulateTransaction", encoded(transaction), config).value
    assert (found.err, found.units_consumed, len(found.logs)) == (None, 150, 2)
    assert found.accounts[0].lamports == 2 * SOL
    assert chain.account(B.pubkey()).lamports == SOL  # type: ignore[union-attr]


def test_simulate_transaction_replaces_the_blockhash(cluster: Cluster) -> None:
    old = encoded(
        signed(cluster.node.chain, A, pay(A, B.pubkey(), 11 * SOL), blockhash=cluster.node.chain.genesis_hash)
    )

    def simulate(**config: bool) -> Any:
        options = {"encoding": "base64", **config}
        return reply(cluster, parsed.SimulateTransactionResp, "simulateTransaction", old, options).value

    assert str(simulate().err) == "TransactionErrorFieldless.BlockhashNotFound"
    replaced = simulate(replaceRecentBlockhash=True)
    assert replaced.err.index == 0
    assert replaced.err.err.code == 1


def test_send_transaction(cluster: Cluster) -> None:
    transaction = cluster.node.call(lambda: signed(cluster.node.chain, A, pay(A, B.pubkey(), 3)))
    config = {"encoding": "base64", "preflightCommitment": "processed", "maxRetries": 0}
    found = reply(cluster, parsed.SendTransactionResp, "sendTransaction", encoded(transaction), config)
    assert found.value == transaction.signatures[0]
    cluster.node.tick()
    assert cluster.node.call(lambda: cluster.node.chain.history.get(found.value)) is not None


def test_get_signature_statuses(cluster: Cluster) -> None:
    signatures = [str(cluster.sent.signatures[0]), str(cluster.failed.signatures[0]), str(Signature.new_unique())]
    sent, failed, unknown = reply(cluster, parsed.GetSignatureStatusesResp, "getSignatureStatuses", signatures).value
    assert (sent.err, unknown) == (None, None)
    assert (failed.err.index, failed.err.err.code) == (0, 1)
    assert str(sent.confirmation_status) == "TransactionConfirmationStatus.Confirmed"
    assert sent.confirmations >= 1


def test_get_signatures_for_address(cluster: Cluster) -> None:
    kind, method, key = parsed.GetSignaturesForAddressResp, "getSignaturesForAddress", str(MINT)
    found = reply(cluster, kind, method, key, CONFIRMED).value
    assert [one.signature for one in found] == [cluster.failed.signatures[0], cluster.sent.signatures[0]]
    newest = str(cluster.failed.signatures[0])
    (before,) = reply(cluster, kind, method, key, {"before": newest, **CONFIRMED}).value
    assert before.signature == cluster.sent.signatures[0]
    (until,) = reply(cluster, kind, method, key, {"until": str(before.signature), **CONFIRMED}).value
    assert until.signature == cluster.failed.signatures[0]
    assert len(reply(cluster, kind, method, key, {"limit": 1, **CONFIRMED}).value) == 1
    assert reply(cluster, kind, method, key).value == []  # finalized


@pytest.mark.parametrize("encoding", ["json", "base64", "base58"])
def test_get_transaction(cluster: Cluster, encoding: str) -> None:
    config = {"encoding": encoding, "maxSupportedTransactionVersion": 0, **CONFIRMED}
    signature = str(cluster.sent.signatures[0])
    found = reply(cluster, parsed.GetTransactionResp, "getTransaction", signature, config).value
    if encoding != "json":
        assert found.transaction.transaction == cluster.sent
    meta = found.transaction.meta
    assert meta.err is None
    assert meta.fee == 5_000 + 2_000
    assert meta.pre_balances[0] - meta.post_balances[0] == SOL + 7_000
    amounts = [
        {one.owner: one.ui_token_amount.amount for one in balances}
        for balances in (meta.pre_token_balances, meta.post_token_balances)
    ]
    assert amounts == [
        {A.pubkey(): "5000000", B.pubkey(): "1"}, {A.pubkey(): "3500000", B.pubkey(): "1500001"},
    ]  # fmt: skip
    assert meta.log_messages[-1].endswith("success")
    assert meta.compute_units_consumed > 450


def test_get_transaction_that_failed(cluster: Cluster) -> None:
    config = {"maxSupportedTransactionVersion": 0, **CONFIRMED}
    signature = str(cluster.failed.signatures[0])
    meta = reply(cluster, parsed.GetTransactionResp, "getTransaction", signature, config).value.transaction.meta
    assert (meta.err.index, meta.err.err.code, meta.fee) == (0, 1, 5_000)
    assert cluster.client.result("getTransaction", signature, config)["meta"]["err"] == {
        "InstructionError": [0, {"Custom": 1}]
    }
    assert cluster.client.error("getTransaction", signature, CONFIRMED)["code"] == -32015
    assert cluster.client.error("getTransaction", signature, PROCESSED)["code"] == -32602
    assert cluster.client.result("getTransaction", signature, {"maxSupportedTransactionVersion": 0}) is None


def test_every_method_is_tested() -> None:
    source = Path(__file__).read_text()
    assert [method for method in METHODS if f'"{method}"' not in source] == []
