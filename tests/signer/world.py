"""A small world in LiteSVM: a wallet with tokens, an attacker, pools that swap, lookup tables; transactions run in it.

The programs that swap do not exist in LiteSVM. Their instructions are replaced by the transfers that they cause, to and
from the accounts that they name; with `hostile`, a program also does something else with the wallet's signature.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from solders.account import Account as VmAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.litesvm import LiteSVM
from solders.message import Message, MessageHeader
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import SimulatedTransactionInfo

from memesnipe.localnet.vm_thread import in_vm_thread
from memesnipe.signer.chain import Account, Simulation, no_answer
from memesnipe.signer.refusal import Reason, RefusedError
from tests.signer.addresses import (
    ATTACKER,
    MINT,
    OTHER_MINT,
    POOL,
    RENT,
    SIGNATURE_FEE,
    SYSTEM,
    TIP,
    TOKEN,
    TOKEN_2022,
    WALLET,
    WSOL,
    ata_of,
)
from tests.signer.swap_programs import EXPAND, ProgramError


def token_account(mint: Pubkey, owner: Pubkey, amount: int) -> bytes:
    native = b"\x01\0\0\0" + RENT.to_bytes(8, "little") if mint == WSOL else bytes(12)
    return bytes(mint) + bytes(owner) + amount.to_bytes(8, "little") + bytes(36) + b"\x01" + native + bytes(44)


def mint_account() -> bytes:
    return bytes(36) + (10**18).to_bytes(8, "little") + bytes([6, 1]) + bytes(36)


@dataclass
class World:
    """The accounts, the tables, and the node that a signer asks."""

    has_wsol: bool = True
    tables: dict[Pubkey, list[Pubkey]] = field(default_factory=dict)
    is_valid: bool = True
    hostile: list[Instruction] = field(default_factory=list)
    vm: LiteSVM = field(init=False)
    known: list[Pubkey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.vm = LiteSVM().with_sigverify(False).with_blockhash_check(False).with_transaction_history(0)
        for key, lamports in ((WALLET, 10**10), (ATTACKER, 10**10), (POOL, 10**13), (TIP, 10**7)):
            self._put(key, lamports, SYSTEM, b"")
        for mint, program in ((MINT, TOKEN_2022), (OTHER_MINT, TOKEN), (WSOL, TOKEN)):
            self._put(mint, 10**7, program, mint_account())
        holdings = [
            (MINT, TOKEN_2022, WALLET, 50_000_000), (OTHER_MINT, TOKEN, WALLET, 7_000_000),
            (MINT, TOKEN_2022, ATTACKER, 0),
            (OTHER_MINT, TOKEN, ATTACKER, 0), (WSOL, TOKEN, ATTACKER, 0), (MINT, TOKEN_2022, POOL, 10**15),
            (WSOL, TOKEN, POOL, 10**12),
        ] + [(WSOL, TOKEN, WALLET, 100_000_000)] * self.has_wsol  # fmt: skip
        for mint, program, owner, amount in holdings:
            lamports = RENT + (amount if mint == WSOL else 0)
            self._put(ata_of(owner, mint, program), lamports, program, token_account(mint, owner, amount))

    def _put(self, key: Pubkey, lamports: int, owner: Pubkey, data: bytes) -> None:
        self.vm.set_account(key, VmAccount(lamports, data, owner))
        self.known.append(key)

    # The port of the signer

    def lookup_table(self, address: Pubkey) -> Sequence[Pubkey]:
        if address not in self.tables:
            raise RefusedError(Reason.LOOKUP_TABLE, f"{address} is not a lookup table")
        return self.tables[address]

    def is_blockhash_valid(self, blockhash: Hash) -> bool:
        return self.is_valid

    def simulate(self, transaction: bytes, accounts: Sequence[Pubkey]) -> Simulation:
        if not set(accounts):
            raise no_answer("no accounts")
        ran = self.run(transaction)
        if isinstance(ran, str):
            return Simulation(ran, {}, {})
        before = {key: self._read(key) for key in accounts}
        after = {key: ran.get(key, before[key]) for key in accounts}
        return Simulation("", _existing(before), _existing(after))

    def _read(self, key: Pubkey) -> Account | None:
        account = self.vm.get_account(key)
        return (
            None
            if account is None or not account.lamports
            else Account(account.lamports, account.owner, bytes(account.data))
        )

    # Execution

    def run(self, raw: bytes) -> dict[Pubkey, Account | None] | str:
        """Return the accounts that a transaction changes, or its error; nothing is stored."""
        message = VersionedTransaction.from_bytes(raw).message
        keys = list(message.account_keys)
        lookups = [] if isinstance(message, Message) else message.address_table_lookups
        static = len(keys)
        keys += [self.tables[look.account_key][i] for look in lookups for i in bytes(look.writable_indexes)]
        end_of_writable = len(keys)
        keys += [self.tables[look.account_key][i] for look in lookups for i in bytes(look.readonly_indexes)]
        header: MessageHeader = message.header

        def meta(index: int) -> AccountMeta:
            signed = header.num_required_signatures
            writable = (
                index < signed - header.num_readonly_signed_accounts
                or signed <= index < static - header.num_readonly_unsigned_accounts
                or static <= index < end_of_writable
            )
            return AccountMeta(keys[index], index < signed, writable)

        instructions: list[Instruction] = []
        try:
            for compiled in message.instructions:
                metas = [meta(i) for i in bytes(compiled.accounts)]
                program, data = keys[compiled.program_id_index], bytes(compiled.data)
                instructions += self._expand(program, data, metas)
        except ProgramError as error:
            return str(error)
        return self._simulate(keys[0], instructions, header.num_required_signatures)

    def _simulate(
        self, payer: Pubkey, instructions: list[Instruction], signatures: int
    ) -> dict[Pubkey, Account | None] | str:
        compiled = Message.new_with_blockhash(instructions, payer, Hash.default())
        signers = compiled.header.num_required_signatures
        transaction = VersionedTransaction.populate(compiled, [Signature.new_unique() for _ in range(signers)])
        outcome = in_vm_thread(self.vm.simulate_transaction, transaction)
        if not isinstance(outcome, SimulatedTransactionInfo):
            return str(outcome.err())
        changed: dict[Pubkey, Account | None] = {}
        for key, account in outcome.post_accounts():
            lamports = account.lamports + (SIGNATURE_FEE * (signers - signatures) if key == payer else 0)
            changed[key] = Account(lamports, account.owner, bytes(account.data)) if lamports else None
        return changed

    def _expand(self, program: Pubkey, data: bytes, metas: list[AccountMeta]) -> list[Instruction]:
        if program not in EXPAND:
            return [Instruction(program, data, metas)]
        writable = {meta.pubkey for meta in metas if meta.is_writable}
        if any(meta.is_writable and meta.pubkey not in writable for each in self.hostile for meta in each.accounts):
            raise ProgramError("PrivilegeEscalation")  # a program can use only what its caller gives it
        return EXPAND[program](data, metas) + self.hostile


def _existing(accounts: dict[Pubkey, Account | None]) -> dict[Pubkey, Account]:
    return {key: account for key, account in accounts.items() if account is not None}


def pay(lamports: int, to: Pubkey, source: Pubkey = WALLET) -> Instruction:
    """Return a transfer of SOL."""
    return transfer(TransferParams(from_pubkey=source, to_pubkey=to, lamports=lamports))
