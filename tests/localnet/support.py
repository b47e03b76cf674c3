"""Wallets, transfers and a toy program for tests of the local chain."""

from collections.abc import Sequence
from hashlib import sha256

from solders.account import Account
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.programs import Expansion, MarketAccounts, ProgramError

SOL = 10**9
TOY = Pubkey.from_string("7oyProgram111111111111111111111111111111111")
VAULT, _ = Pubkey.find_program_address([b"vault"], TOY)
COUNTER, _ = Pubkey.find_program_address([b"counter"], TOY)


def wallet(number: int) -> Keypair:
    """Return one of the wallets of a test."""
    return Keypair.from_seed(sha256(f"wallet {number}".encode()).digest())


def pay(source: Keypair, to: Pubkey, lamports: int) -> Instruction:
    """Return a transfer."""
    return transfer(TransferParams(from_pubkey=source.pubkey(), to_pubkey=to, lamports=lamports))


def signed(
    chain: Chain, payer: Keypair, *instructions: Instruction, blockhash: Hash | None = None
) -> VersionedTransaction:
    """Return a signed transaction with the newest blockhash."""
    newest = blockhash or chain.latest_blockhash()[0]
    return VersionedTransaction(MessageV0.try_compile(payer.pubkey(), instructions, [], newest), [payer])


def funded(*wallets: Keypair, lamports: int = 10 * SOL, **options: int) -> Chain:
    """Return a chain on which wallets have lamports."""
    chain = Chain(**options)
    for one in wallets:
        chain.set_account(one.pubkey(), Account(lamports, b"", SYSTEM))
    return chain


class ToyProgram:
    """Pays from its vault what the instruction asks for, up to 1 SOL, and counts its calls in an account."""

    program_id = TOY

    def expand(self, data: bytes, accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
        lamports = int.from_bytes(data, "little")
        if lamports > SOL:
            raise ProgramError(6002, ["Program log: too much"])
        counter = state.account(COUNTER)
        assert counter is not None
        calls = state.pending.get(COUNTER, int.from_bytes(counter.data, "little")) + 1
        state.pending[COUNTER] = calls

        def commit() -> None:
            state.set_account(COUNTER, Account(counter.lamports, calls.to_bytes(8, "little"), TOY))

        paid = transfer(TransferParams(from_pubkey=VAULT, to_pubkey=accounts[0].pubkey, lamports=lamports))
        return Expansion([paid], ["Program log: Instruction: Pay", "Program data: AQID"], commit)

    @staticmethod
    def instruction(to: Pubkey, lamports: int, *, is_writable: bool = True) -> Instruction:
        """Return an instruction that asks for lamports."""
        return Instruction(TOY, lamports.to_bytes(8, "little"), [AccountMeta(to, False, is_writable)])


def add_toy(chain: Chain) -> None:
    """Add the toy program and its accounts to a chain."""
    chain.add_program(ToyProgram())
    chain.set_account(VAULT, Account(5 * SOL, b"", SYSTEM))
    chain.set_account(COUNTER, Account(SOL, bytes(8), TOY))
