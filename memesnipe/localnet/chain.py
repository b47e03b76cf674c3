"""A local Solana without network: slots, blocks, commitments, and transactions that LiteSVM executes.

Nothing here reads the machine's time: `tick` begins the next slot, and the chain's own clock follows the slots.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

from solders.account import Account
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from memesnipe.localnet.checks import check_form, check_signatures, keys_of
from memesnipe.localnet.errors import RejectedTransactionError
from memesnipe.localnet.fee_market import FeeMarket
from memesnipe.localnet.history import History
from memesnipe.localnet.journal import BlockStep, ForkStep, Journal, StartStep
from memesnipe.localnet.ledger import BLOCKHASH_BLOCKS, Ledger
from memesnipe.localnet.mempool import Entry, Mempool, Pool
from memesnipe.localnet.programs import EmulatedProgram
from memesnipe.localnet.records import Block, Commitment, TransactionRecord
from memesnipe.localnet.runner import Runner, Simulation
from memesnipe.localnet.tokens import TokenIndex

FIRST_SLOT: Final = 350_000_000
FIRST_HEIGHT: Final = 328_000_000  # below the slot, as on mainnet: not every slot has a block
FAUCET_LAMPORTS: Final = 500_000_000 * 10**9
_SLOT_HASHES: Final = 64  # in the sysvar, for new lookup tables
Listener = Callable[[Block], None]


class Chain:
    """A chain of one node.

    Args:
        seed: of the blockhashes and the faucet.
        slot_ms: length of a slot on the chain's clock.
        start_unix_s: the chain's time at the first block.
        confirmed_after: number of blocks after which one is confirmed.
        finalized_after: number of blocks after which one is finalized.
        history: number of transactions kept.
        mempool: where transactions wait for their block.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        slot_ms: int = 400,
        start_unix_s: int = 1_790_000_000,
        confirmed_after: int = 1,
        finalized_after: int = 31,
        history: int = 50_000,
        mempool: Pool | None = None,
    ) -> None:
        self.slot_ms = slot_ms
        self.slot = FIRST_SLOT
        self.tokens = TokenIndex()
        self.history = History(history)
        self.mempool: Pool = Mempool() if mempool is None else mempool
        self.dropped: Counter[str] = Counter()  # sent, and in no block, by reason
        self.fees_lamports = 0  # burnt
        self.listeners: list[Listener] = []  # called with each new block
        self.fees = FeeMarket()
        self.journal: Journal | None = None  # to which blocks and forks are added from now on
        self._programs: dict[Pubkey, EmulatedProgram] = {}
        self._runner = Runner(self._programs)
        self._start_unix_s = start_unix_s
        self._seed = seed.to_bytes(8, "little")
        self._faucet = Keypair.from_seed(sha256(b"faucet" + self._seed).digest())
        self._airdrops = self._forks = 0
        self.genesis_hash = Hash.hash(bytes(self._hash(0)) + start_unix_s.to_bytes(8, "little"))  # names this chain
        genesis = Block(self.slot, self.slot - 1, FIRST_HEIGHT, self._hash(FIRST_HEIGHT), start_unix_s)
        self.ledger = Ledger(genesis, self._runner.accounts, confirmed_after, finalized_after)
        self.set_account(self._faucet.pubkey(), Account(FAUCET_LAMPORTS, b"", SYSTEM))
        self._set_sysvars(genesis)

    @property
    def blocks(self) -> int:
        """Return the number of blocks after the first."""
        return self.ledger.head.height - FIRST_HEIGHT

    @property
    def faucet(self) -> Pubkey:
        """Return the account from which airdrops are paid."""
        return self._faucet.pubkey()

    def add_program(self, program: EmulatedProgram) -> None:
        """Emulate a program from now on."""
        self._programs[program.program_id] = program

    def account(self, address: Pubkey, commitment: Commitment = "processed") -> Account | None:
        """Return an account; None if there is none."""
        return self.ledger.account(address, commitment)

    def set_account(self, address: Pubkey, account: Account) -> None:
        """Write an account outside of any block, as if it had always been so: at all commitments, in every fork."""
        self.ledger.amend(address, account)
        self.tokens.add(address, account)

    def fund(self, address: Pubkey, lamports: int) -> None:
        """Move lamports from the faucet to a wallet outside of any block."""
        for key, change in ((self.faucet, -lamports), (address, lamports)):
            account = self.account(key) or Account(0, b"", SYSTEM)
            self.set_account(key, Account(account.lamports + change, account.data, account.owner))

    def latest_blockhash(self, commitment: Commitment = "processed") -> tuple[Hash, int]:
        """Return the newest blockhash, and the last block height at which it is valid."""
        block = self.ledger.block(commitment)
        return block.blockhash, block.height + BLOCKHASH_BLOCKS

    def is_blockhash_valid(self, blockhash: Hash, commitment: Commitment = "processed") -> bool:
        """Return whether the newest block accepts a blockhash."""
        age = self.ledger.age(blockhash, commitment)
        return age is not None and age <= BLOCKHASH_BLOCKS

    def send(self, transaction: VersionedTransaction) -> Signature:
        """Queue a transaction for the next block, as a node does without preflight.

        Raises:
            RejectedTransactionError: it is malformed or a signature is wrong.
        """
        self.verify(transaction)
        self.mempool.add(Entry((transaction,)))
        return transaction.signatures[0]

    def send_bundle(self, transactions: Sequence[VersionedTransaction]) -> list[Signature]:
        """Queue transactions that land together in this order, all of them without error, or not at all.

        Raises:
            RejectedTransactionError: one is malformed or a signature is wrong.
        """
        for transaction in transactions:
            self.verify(transaction)
        self.mempool.add(Entry(tuple(transactions)))
        return [transaction.signatures[0] for transaction in transactions]

    def airdrop(self, address: Pubkey, lamports: int) -> Signature:
        """Queue a transfer from the faucet."""
        self._airdrops += 1  # in the amount that the faucet pays to itself, so that no two are the same
        source = self._faucet.pubkey()
        payments = ((address, lamports), (source, self._airdrops))
        instructions = [
            transfer(TransferParams(from_pubkey=source, to_pubkey=to, lamports=amount)) for to, amount in payments
        ]
        message = MessageV0.try_compile(source, instructions, [], self.ledger.head.blockhash)
        return self.send(VersionedTransaction(message, [self._faucet]))

    def verify(self, transaction: VersionedTransaction) -> None:
        """Check a transaction's form and signatures.

        Raises:
            RejectedTransactionError: with the cluster's reason.
        """
        check_form(transaction)
        check_signatures(transaction)

    def simulate(
        self, transaction: VersionedTransaction, *, verify: bool = True, check_blockhash: bool = True
    ) -> Simulation:
        """Return what a transaction would do after the newest block.

        Args:
            transaction: to simulate.
            verify: check the signatures.
            check_blockhash: fail if its blockhash is not valid.

        Raises:
            RejectedTransactionError: it would not be put into a block.
        """
        if verify:
            self.verify(transaction)
        else:
            check_form(transaction)
        if check_blockhash and not self.is_blockhash_valid(transaction.message.recent_blockhash):
            raise RejectedTransactionError("BlockhashNotFound")
        if check_blockhash and self.history.get(transaction.signatures[0]) is not None:
            raise RejectedTransactionError("AlreadyProcessed")
        keys = keys_of(transaction, self._runner.accounts.get, self.ledger.head.slot)
        return self._runner.simulate(transaction, keys, self.ledger.head.slot, self.ledger.head.unix_timestamp)

    def tick(self, *, is_skipped: bool = False) -> Block | None:
        """Begin the next slot; return its block, None if the slot is skipped."""
        self.slot += 1
        if is_skipped:
            return None
        parent = self.ledger.head
        height = parent.height + 1
        unix_timestamp = self._start_unix_s + (self.slot - FIRST_SLOT) * self.slot_ms // 1000
        block = Block(self.slot, parent.slot, height, self._hash(height), unix_timestamp)
        self._set_sysvars(block)
        entries = self.mempool.take()
        for entry in entries:
            self._include(entry, block)
        block.before = self._runner.accounts.take_journal()
        self.ledger.append(block)
        if self.journal is not None:
            self.journal.block(BlockStep(self.slot, self.fees_lamports, entries))
        for listener in self.listeners:
            listener(block)
        return block

    def note_start(self) -> None:
        """Add the beginning of the market to the journal."""
        if self.journal is not None:
            self.journal.start(StartStep(self.slot))

    def catch_up(self, now_unix_s: float) -> None:
        """Let slots pass without blocks until the chain's clock has reached a time, after it did not run."""
        passed = int((now_unix_s - self._start_unix_s) * 1_000) // self.slot_ms
        self.slot = max(self.slot, FIRST_SLOT + passed)

    def roll_back(self, blocks: int) -> list[Block]:
        """Leave a fork: remove the newest blocks with all of their effects; return them, the newest first.

        Their blockhashes are unknown from now on. Slots are not repeated.

        Raises:
            ValueError: a block is finalized.
        """
        removed = self.ledger.roll_back(blocks)
        for block in removed:
            for record in reversed(block.transactions):
                self.history.remove_newest(record)
                self.fees_lamports -= record.execution.fee
        self._forks += 1
        if self.journal is not None:
            self.journal.fork(ForkStep(blocks))
        self._set_sysvars(self.ledger.head)
        return removed

    def minimum_balance(self, size: int) -> int:
        """Return the lamports with which an account of some bytes pays no rent."""
        return self._runner.vm.minimum_balance_for_rent_exemption(size)

    def _include(self, entry: Entry, block: Block) -> None:
        """Execute an entry in a block; count it if it does not land."""
        is_bundle = len(entry.transactions) > 1
        records: list[TransactionRecord] = []
        accounts = self._runner.accounts
        accounts.begin()
        try:
            for transaction in entry.transactions:
                record = self._execute(transaction, block, entry.forced_error, records)
                records.append(record)
                if is_bundle and record.execution.err is not None:
                    raise RejectedTransactionError(record.execution.err)
        except RejectedTransactionError as error:
            accounts.undo()
            reason = error.err if isinstance(error.err, str) else next(iter(error.err))
            self.dropped[f"bundle: {reason}" if is_bundle else reason] += 1
            return
        accounts.keep()
        for record in records:
            self.history.add(record)
            block.transactions.append(record)
            self.fees_lamports += record.execution.fee
            for balance in record.execution.after.tokens:
                address = record.keys.all[balance.account_index]
                self.tokens.add(address, accounts.get(address))

    def _execute(
        self,
        transaction: VersionedTransaction,
        block: Block,
        forced_error: int | None,
        others: Iterable[TransactionRecord],
    ) -> TransactionRecord:
        signature = transaction.signatures[0]
        age = self.ledger.age(transaction.message.recent_blockhash)
        if age is None or age >= BLOCKHASH_BLOCKS:  # it is one block older in the new block
            raise RejectedTransactionError("BlockhashNotFound")
        if self.history.get(signature) is not None or any(other.signature == signature for other in others):
            raise RejectedTransactionError("AlreadyProcessed")
        keys = keys_of(transaction, self._runner.accounts.get, block.slot)
        execution = self._runner.execute(transaction, keys, block.slot, block.unix_timestamp, forced_error)
        return TransactionRecord(
            signature, transaction, keys, execution, block.slot, block.height, block.unix_timestamp
        )

    def _set_sysvars(self, block: Block) -> None:
        """Write the clock and the slot hashes that programs see while a block is executed."""
        clock = self._runner.vm.get_clock()
        clock.slot, clock.unix_timestamp = block.slot, block.unix_timestamp
        self._runner.vm.set_clock(clock)
        self._runner.vm.set_slot_hashes([(one.slot, one.blockhash) for one in self.ledger.newest(_SLOT_HASHES)])

    def _hash(self, height: int) -> Hash:
        """Return the blockhash of a height in the current fork."""
        return Hash(sha256(f"block {height} of fork {self._forks}".encode() + self._seed).digest())
