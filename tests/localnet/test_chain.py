"""The chain: fees, errors, blockhashes, duplicates, commitments and forks, in plain transfers."""

import struct

import pytest
from solders.account import Account
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM
from solders.transaction import VersionedTransaction

from memesnipe.localnet import lookup_tables
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.errors import RejectedTransactionError
from memesnipe.localnet.mempool import Entry
from memesnipe.localnet.records import TransactionRecord
from tests.localnet.support import SOL, funded, pay, signed, wallet

A, B, C = wallet(1), wallet(2), wallet(3)


def landed(chain: Chain, transaction: VersionedTransaction) -> TransactionRecord:
    """Send a transaction, and return it from the next block."""
    signature = chain.send(transaction)
    chain.tick()
    record = chain.history.get(signature)
    assert record is not None, chain.dropped
    return record


def lamports(chain: Chain, key: Pubkey) -> int:
    account = chain.account(key)
    return account.lamports if account else 0


def test_a_transfer_lands_in_the_next_block() -> None:
    chain = funded(A)
    transaction = signed(chain, A, pay(A, B.pubkey(), SOL))
    signature = chain.send(transaction)
    assert chain.history.get(signature) is None
    block = chain.tick()
    assert block is not None
    (record,) = block.transactions
    assert (record.signature, record.execution.err, record.slot) == (signature, None, block.slot)
    assert record.execution.fee == 5_000
    assert record.execution.before.lamports[:2] == [10 * SOL, 0]
    assert record.execution.after.lamports[:2] == [9 * SOL - 5_000, SOL]
    assert record.execution.logs[-1] == "Program 11111111111111111111111111111111 success"
    assert lamports(chain, B.pubkey()) == SOL


def test_a_transaction_that_fails_pays_base_and_priority_fee() -> None:
    chain = funded(A)
    budget = (set_compute_unit_limit(100_000), set_compute_unit_price(2_000_000))
    record = landed(chain, signed(chain, A, *budget, pay(A, B.pubkey(), 11 * SOL)))
    assert record.execution.err == {"InstructionError": [2, {"Custom": 1}]}
    assert record.execution.fee == 5_000 + 200_000
    assert lamports(chain, A.pubkey()) == 10 * SOL - 205_000
    assert lamports(chain, B.pubkey()) == 0
    assert chain.fees_lamports == 205_000


def test_a_forced_error_fails_the_last_instruction() -> None:
    chain = funded(A)
    transaction = signed(chain, A, pay(A, B.pubkey(), SOL), pay(A, B.pubkey(), SOL))
    chain.mempool.add(Entry((transaction,), forced_error=6002))
    chain.tick()
    record = chain.history.get(transaction.signatures[0])
    assert record is not None
    assert record.execution.err == {"InstructionError": [1, {"Custom": 6002}]}
    assert record.execution.logs[-1] == "Program 11111111111111111111111111111111 failed: custom program error: 0x1772"
    assert lamports(chain, B.pubkey()) == 0


@pytest.mark.parametrize(
    ("source", "reason"), [(B, "AccountNotFound"), (C, "InsufficientFundsForFee")], ids=["no account", "no money"]
)
def test_a_transaction_that_cannot_pay_its_fee_is_in_no_block(source: Keypair, reason: str) -> None:
    chain = funded(A)
    chain.set_account(C.pubkey(), Account(4_999, b"", SYSTEM))
    transaction = signed(chain, source, pay(source, A.pubkey(), 1))
    chain.send(transaction)
    chain.tick()
    assert chain.history.get(transaction.signatures[0]) is None
    assert chain.dropped == {reason: 1}


def test_a_wrong_signature_is_refused() -> None:
    chain = funded(A)
    message = signed(chain, A, pay(A, B.pubkey(), 1)).message
    with pytest.raises(RejectedTransactionError, match="SignatureFailure"):
        chain.send(VersionedTransaction.populate(message, [Signature.new_unique()]))


def test_a_transaction_lands_once() -> None:
    chain = funded(A)
    transaction = signed(chain, A, pay(A, B.pubkey(), SOL))
    chain.send(transaction)
    chain.send(transaction)
    chain.tick()
    chain.send(transaction)
    chain.tick()
    assert lamports(chain, B.pubkey()) == SOL
    assert chain.dropped == {"AlreadyProcessed": 2}
    with pytest.raises(RejectedTransactionError, match="AlreadyProcessed"):
        chain.simulate(transaction)


def test_a_blockhash_is_valid_up_to_its_last_height() -> None:
    chain = funded(A)
    transaction, late = (signed(chain, A, pay(A, B.pubkey(), SOL + n)) for n in range(2))
    blockhash, last = chain.latest_blockhash()
    while chain.ledger.head.height < last - 1:
        chain.tick()
    chain.send(transaction)
    chain.tick()
    assert chain.ledger.head.height == last
    assert chain.is_blockhash_valid(blockhash)
    assert lamports(chain, B.pubkey()) == SOL
    chain.send(late)
    chain.tick()
    assert not chain.is_blockhash_valid(blockhash)
    assert lamports(chain, B.pubkey()) == SOL
    assert chain.dropped == {"BlockhashNotFound": 1}
    with pytest.raises(RejectedTransactionError, match="BlockhashNotFound"):
        chain.simulate(late)


def test_heights_follow_blocks_and_time_follows_slots() -> None:
    chain = funded(A, slot_ms=400)
    first = chain.ledger.head
    assert chain.tick(is_skipped=True) is None
    for _ in range(4):
        block = chain.tick()
    assert block is not None
    assert (block.slot, block.height) == (first.slot + 5, first.height + 4)
    assert block.unix_timestamp == first.unix_timestamp + 2


def test_commitments_follow_the_head() -> None:
    chain = funded(A, confirmed_after=2, finalized_after=5)
    landed(chain, signed(chain, A, pay(A, B.pubkey(), SOL)))
    seen = []
    for _ in range(6):
        seen.append([chain.account(B.pubkey(), c) is not None for c in ("processed", "confirmed", "finalized")])
        chain.tick()
    assert [row.count(True) for row in seen] == [1, 1, 2, 2, 2, 3]


def test_a_fork_that_is_left_takes_its_transactions_along() -> None:
    chain = funded(A)
    chain.tick()
    kept = landed(chain, signed(chain, A, pay(A, B.pubkey(), SOL)))
    lost = signed(chain, A, pay(A, B.pubkey(), 2 * SOL))
    landed(chain, lost)
    landed(chain, orphan := signed(chain, A, pay(A, B.pubkey(), 3 * SOL)))
    slot = chain.slot
    assert len(chain.roll_back(2)) == 2
    assert lamports(chain, B.pubkey()) == SOL
    assert lamports(chain, A.pubkey()) == 9 * SOL - 5_000
    assert chain.fees_lamports == 5_000
    assert [r.signature for r in chain.history.of_address(B.pubkey())] == [kept.signature]
    landed(chain, lost)  # its blockhash is older than the fork
    assert chain.slot == slot + 1
    chain.send(orphan)
    chain.tick()
    assert chain.dropped == {"BlockhashNotFound": 1}
    assert lamports(chain, B.pubkey()) == 3 * SOL
    with pytest.raises(ValueError, match="cannot be rolled back"):
        chain.roll_back(100)


def test_accounts_written_outside_of_blocks_stay() -> None:
    chain = funded(A)
    landed(chain, signed(chain, A, pay(A, B.pubkey(), SOL)))
    chain.set_account(B.pubkey(), chain.account(A.pubkey()))  # type: ignore[arg-type]
    expected = lamports(chain, A.pubkey())
    assert chain.account(B.pubkey(), "finalized").lamports == expected  # type: ignore[union-attr]
    chain.roll_back(1)
    assert lamports(chain, B.pubkey()) == expected


def test_a_bundle_lands_as_a_whole_or_not_at_all() -> None:
    chain = funded(A, B)
    good, bad = signed(chain, A, pay(A, C.pubkey(), SOL)), signed(chain, B, pay(B, C.pubkey(), 11 * SOL))
    chain.send_bundle([good, bad])
    chain.tick()
    assert chain.dropped == {"bundle: InstructionError": 1}
    assert (lamports(chain, A.pubkey()), lamports(chain, C.pubkey())) == (10 * SOL, 0)
    chain.send_bundle([good, signed(chain, B, pay(B, C.pubkey(), SOL))])
    chain.tick()
    assert lamports(chain, C.pubkey()) == 2 * SOL


def set_table(chain: Chain, table: Pubkey, *addresses: Pubkey, extended_slot: int) -> None:
    """Write a lookup table whose addresses were all added in a slot."""
    state = struct.pack("<IQQB?32sH", 1, 2**64 - 1, extended_slot, 0, True, bytes(A.pubkey()), 0)
    chain.set_account(table, Account(SOL, state + b"".join(map(bytes, addresses)), lookup_tables.PROGRAM_ID))


def test_lookup_tables_are_resolved() -> None:
    chain = funded(A)
    table = Pubkey.new_unique()
    set_table(chain, table, C.pubkey(), B.pubkey(), extended_slot=chain.slot)
    known = AddressLookupTableAccount(table, [C.pubkey(), B.pubkey()])
    message = MessageV0.try_compile(A.pubkey(), [pay(A, B.pubkey(), SOL)], [known], chain.latest_blockhash()[0])
    assert message.address_table_lookups
    transaction = VersionedTransaction(message, [A])
    with pytest.raises(RejectedTransactionError, match="InvalidAddressLookupTableIndex"):
        chain.simulate(transaction)  # an address is usable from the next slot on
    record = landed(chain, transaction)
    assert record.keys.writable == (B.pubkey(),)
    assert record.execution.after.lamports[-1] == SOL
    assert record.execution.err is None


@pytest.mark.parametrize(
    ("data", "owner", "reason"),
    [
        (None, None, "AddressLookupTableNotFound"),
        (bytes(88), SYSTEM, "InvalidAddressLookupTableOwner"),
        (bytes(57), lookup_tables.PROGRAM_ID, "InvalidAddressLookupTableData"),
        (bytes(88), lookup_tables.PROGRAM_ID, "InvalidAddressLookupTableData"),
    ],
    ids=["none", "another owner", "cut", "empty"],
)
def test_a_wrong_lookup_table_is_refused(data: bytes | None, owner: Pubkey, reason: str) -> None:
    chain = funded(A)
    table = Pubkey.new_unique()
    if data is not None:
        chain.set_account(table, Account(SOL, data, owner))
    known = AddressLookupTableAccount(table, [B.pubkey()])
    message = MessageV0.try_compile(A.pubkey(), [pay(A, B.pubkey(), SOL)], [known], chain.latest_blockhash()[0])
    with pytest.raises(RejectedTransactionError, match=reason):
        chain.simulate(VersionedTransaction(message, [A]))


def test_the_faucet_pays() -> None:
    chain = Chain()
    first, second = chain.airdrop(B.pubkey(), SOL), chain.airdrop(B.pubkey(), SOL)
    assert first != second
    chain.tick()
    assert lamports(chain, B.pubkey()) == 2 * SOL
