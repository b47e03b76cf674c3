"""A small world in LiteSVM: a wallet with tokens, an attacker, pools that swap, lookup tables; transactions run in it.

The programs that swap do not exist in LiteSVM. Their instructions are replaced by the transfers that they cause, to and
from the accounts that they name; with `hostile`, a program also does something else with the wallet's signature.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from solders.account import Account as VmAccount
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message, MessageHeader
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM
from solders.system_program import TransferParams, transfer
from solders.token.associated import get_associated_token_address
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import SimulatedTransactionInfo

from memesnipe.localnet.vm_thread import in_vm_thread
from memesnipe.signer.chain import Account, Simulation, no_answer
from memesnipe.signer.refusal import Reason, RefusedError

TOKEN: Final = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022: Final = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
WSOL: Final = Pubkey.from_string("So11111111111111111111111111111111111111112")
PUMP: Final = Pubkey.from_string("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P")
PUMPSWAP: Final = Pubkey.from_string("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA")
JUPITER: Final = Pubkey.from_string("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")
TABLE_PROGRAM: Final = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
RENT: Final = 2_039_280
SIGNATURE_FEE: Final = 5_000


@cache
def ata_of(owner: Pubkey, mint: Pubkey, program: Pubkey) -> Pubkey:
    return get_associated_token_address(owner, mint, program)


@cache
def key_of(seed: int) -> Keypair:
    return Keypair.from_seed(bytes([seed]) * 32)


@cache
def address(seed: int) -> Pubkey:
    return key_of(seed).pubkey()


WALLET_KEY: Final = key_of(1)
WALLET, ATTACKER, POOL = WALLET_KEY.pubkey(), address(2), address(3)
MINT, OTHER_MINT = address(4), address(5)
OWN, OWN_OTHER, OWN_WSOL = (
    ata_of(WALLET, MINT, TOKEN_2022),
    ata_of(WALLET, OTHER_MINT, TOKEN),
    ata_of(WALLET, WSOL, TOKEN),
)
ATTACKERS, ATTACKERS_WSOL = ata_of(ATTACKER, MINT, TOKEN_2022), ata_of(ATTACKER, WSOL, TOKEN)
ATTACKERS_OTHER = ata_of(ATTACKER, OTHER_MINT, TOKEN)
POOLS, POOLS_WSOL = ata_of(POOL, MINT, TOKEN_2022), ata_of(POOL, WSOL, TOKEN)
POOL_META, POOLS_META = AccountMeta(POOL, True, True), AccountMeta(POOLS, False, True)
POOLS_WSOL_META: Final = AccountMeta(POOLS_WSOL, False, True)
TIP: Final = Pubkey.from_string("96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5")
NONCE: Final = address(6)


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
        swaps = {PUMP: _pump, PUMPSWAP: _pumpswap, JUPITER: _jupiter}
        if program not in swaps:
            return [Instruction(program, data, metas)]
        writable = {meta.pubkey for meta in metas if meta.is_writable}
        if any(meta.is_writable and meta.pubkey not in writable for each in self.hostile for meta in each.accounts):
            raise ProgramError("PrivilegeEscalation")  # a program can use only what its caller gives it
        return swaps[program](data, metas) + self.hostile


class ProgramError(Exception):
    """A program refuses its instruction."""


def _existing(accounts: dict[Pubkey, Account | None]) -> dict[Pubkey, Account]:
    return {key: account for key, account in accounts.items() if account is not None}


def _u64(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")


def move(
    program: Pubkey, source: AccountMeta, destination: AccountMeta, owner: AccountMeta, amount: int
) -> Instruction:
    """Return a transfer of tokens."""
    return Instruction(program, b"\x03" + amount.to_bytes(8, "little"), [source, destination, owner])


def _amounts(name: str, first: int, second: int) -> tuple[int, int]:
    """Return the tokens and the lamports of a trade: a token costs a lamport, 1 % more to buy."""
    if name == "sell":
        tokens = lamports = first
        fits = lamports >= second
    elif name == "buy":
        tokens, lamports = first, first + first // 100
        fits = lamports <= second
    else:
        tokens, lamports = first * 100 // 101, first
        fits = tokens >= second
    if not fits:
        raise ProgramError("TooMuchSlippage")
    return tokens, lamports


def _pump(data: bytes, metas: list[AccountMeta]) -> list[Instruction]:
    """Return the transfers of a trade on the curve, which pays and is paid in SOL that is not wrapped."""
    name = {"07051dc4f5176550": "buy", "e1f7501ed5b38488": "buy_in", "1c92de7726c469d5": "sell"}.get(data[:8].hex())
    if name is None or len(metas) != 17 or len(data) < 24:
        raise ProgramError("InstructionFallbackNotFound")
    tokens, lamports = _amounts(name, _u64(data, 8), _u64(data, 16))
    user, own, program = metas[8], metas[9], metas[3].pubkey
    amount = b"\x02\0\0\0" + lamports.to_bytes(8, "little")
    if name == "sell":
        return [move(program, own, POOLS_META, user, tokens), Instruction(SYSTEM, amount, [POOL_META, user])]
    return [Instruction(SYSTEM, amount, [user, POOL_META]), move(program, POOLS_META, own, POOL_META, tokens)]


def _pumpswap(data: bytes, metas: list[AccountMeta]) -> list[Instruction]:
    """Return the transfers of a trade in a pool."""
    name = {"b817ee6167c5d33d": "buy", "c2ab1c46684d5b2f": "buy_in", "5df6823ce7e940b2": "sell"}.get(data[:8].hex())
    if name is None or len(metas) != 17 or len(data) != 24:
        raise ProgramError("InstructionFallbackNotFound")
    tokens, lamports = _amounts(name, _u64(data, 8), _u64(data, 16))
    user, own, wrapped, program = metas[1], metas[5], metas[6], metas[9].pubkey
    if name == "sell":
        return [
            move(program, own, POOLS_META, user, tokens),
            move(TOKEN, POOLS_WSOL_META, wrapped, POOL_META, lamports),
        ]
    return [move(TOKEN, wrapped, POOLS_WSOL_META, user, lamports), move(program, POOLS_META, own, POOL_META, tokens)]


def _jupiter(data: bytes, metas: list[AccountMeta]) -> list[Instruction]:
    """Return the transfers of a route through the pool."""
    kinds = {"bb64facc31c4af14": (8, 0, 1, 2, 3, 10), "d19853937cfed8e9": (9, 1, 2, 5, 6, 12)}
    at, *places, least = kinds.get(data[:8].hex(), (0, 0, 0, 0, 0, 0))
    if not least or len(data) < at + 22 or len(metas) < least:
        raise ProgramError("InstructionFallbackNotFound")
    amount, quoted, slippage = _u64(data, at), _u64(data, at + 8), int.from_bytes(data[at + 16 : at + 18], "little")
    given = amount * 100 // 101
    if given * 10_000 < quoted * (10_000 - slippage):
        raise ProgramError("SlippageToleranceExceeded")
    user, source, destination, mint = (metas[place] for place in places)
    if at == 8 and metas[7].pubkey != JUPITER:
        destination = metas[7]
    if mint.pubkey == WSOL:
        return [
            move(TOKEN, source, POOLS_WSOL_META, user, amount),
            move(TOKEN_2022, POOLS_META, destination, POOL_META, given),
        ]
    return [
        move(TOKEN_2022, source, POOLS_META, user, amount),
        move(TOKEN, POOLS_WSOL_META, destination, POOL_META, given),
    ]


def pay(lamports: int, to: Pubkey, source: Pubkey = WALLET) -> Instruction:
    """Return a transfer of SOL."""
    return transfer(TransferParams(from_pubkey=source, to_pubkey=to, lamports=lamports))
