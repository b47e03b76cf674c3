"""An emulated program that sells and buys one token at a fixed price, and a source of swaps there."""

from collections.abc import Sequence
from hashlib import sha256

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.system_program import TransferParams, transfer

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.programs import Expansion, MarketAccounts
from memesnipe.localnet.tokens import TOKEN
from memesnipe.solana.swap_plan import Swap, SwapPlan

ASSOCIATED = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
PROGRAM = Pubkey.from_string("ExchangeProgram1111111111111111111111111111")
VAULT, _ = Pubkey.find_program_address([b"vault"], PROGRAM)
MINT = Keypair.from_seed(sha256(b"mint").digest()).pubkey()
WALLET = Keypair.from_seed(sha256(b"trader").digest())
TOKENS_PER_LAMPORT = 3
SOL = 10**9


def token_address(owner: Pubkey) -> Pubkey:
    return Pubkey.find_program_address([bytes(owner), bytes(TOKEN), bytes(MINT)], ASSOCIATED)[0]


class Exchange:
    """Swaps between its vault and a user: a byte that is 1 for a buy, and the amount that the user gives."""

    program_id = PROGRAM

    def expand(self, data: bytes, accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
        user, is_buy, amount = accounts[0].pubkey, data[0] == 1, int.from_bytes(data[1:9], "little")
        if is_buy:
            tokens = _tokens(VAULT, user, amount * TOKENS_PER_LAMPORT)
            return Expansion([transfer(TransferParams(from_pubkey=user, to_pubkey=VAULT, lamports=amount)), tokens])
        paid = TransferParams(from_pubkey=VAULT, to_pubkey=user, lamports=amount // TOKENS_PER_LAMPORT)
        return Expansion([_tokens(user, VAULT, amount), transfer(paid)])


def _tokens(source: Pubkey, destination: Pubkey, raw: int) -> Instruction:
    metas = [AccountMeta(token_address(source), False, True), AccountMeta(token_address(destination), False, True)]
    return Instruction(TOKEN, b"\x03" + raw.to_bytes(8, "little"), [*metas, AccountMeta(source, True, False)])


class ExchangeSource:
    """Plans swaps at the exchange; a first buy creates the token account."""

    def __init__(self) -> None:
        self.wallet = WALLET.pubkey()

    async def plan(self, swap: Swap) -> SwapPlan:
        is_buy = swap.side == "buy"
        out = swap.amount_in * TOKENS_PER_LAMPORT if is_buy else swap.amount_in // TOKENS_PER_LAMPORT
        own = token_address(self.wallet)
        keys = (self.wallet, own, self.wallet, MINT, SYSTEM, TOKEN)
        create = Instruction(ASSOCIATED, b"\x01", [AccountMeta(key, n == 0, n < 2) for n, key in enumerate(keys)])
        metas = [
            AccountMeta(self.wallet, True, True), AccountMeta(own, False, True), AccountMeta(VAULT, False, True),
            AccountMeta(token_address(VAULT), False, True), AccountMeta(SYSTEM, False, False),
            AccountMeta(TOKEN, False, False),
        ]  # fmt: skip
        traded = Instruction(PROGRAM, bytes([is_buy]) + swap.amount_in.to_bytes(8, "little"), metas)
        return SwapPlan("exchange", (create, traded), out, out)


def add_exchange(chain: Chain) -> None:
    """Add the program, its vault, the mint, and the wallet with 10 SOL."""
    chain.add_program(Exchange())
    supply = 10**15
    mint_data = bytes(36) + supply.to_bytes(8, "little") + bytes([6, 1]) + bytes(36)
    held = bytes(MINT) + bytes(VAULT) + supply.to_bytes(8, "little") + bytes(36) + b"\x01" + bytes(56)
    chain.set_account(MINT, Account(chain.minimum_balance(82), mint_data, TOKEN))
    chain.set_account(token_address(VAULT), Account(chain.minimum_balance(165), held, TOKEN))
    chain.set_account(VAULT, Account(100 * SOL, b"", SYSTEM))
    chain.set_account(WALLET.pubkey(), Account(10 * SOL, b"", SYSTEM))
