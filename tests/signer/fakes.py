"""A chain for tests of the signer's other parts, and transactions that swap on it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM_PROGRAM
from solders.system_program import TransferParams, transfer
from solders.token.associated import get_associated_token_address
from solders.transaction import VersionedTransaction

from memesnipe.signer.chain import Account, Simulation, no_answer
from memesnipe.solana.addresses import PUMP, TOKEN, TOKEN_2022, WRAPPED_SOL

TIP_ACCOUNT = Pubkey.from_string("96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5")
BUY_EXACT_IN = bytes.fromhex("e1f7501ed5b38488")
SELL = bytes.fromhex("1c92de7726c469d5")
RENT = 2_039_280


def token_data(mint: Pubkey, owner: Pubkey, amount: int, delegate: Pubkey | None = None) -> bytes:
    """Return a token account, as SPL Token stores it."""
    option = b"\x01\0\0\0" + bytes(delegate) if delegate else bytes(36)
    return bytes(mint) + bytes(owner) + amount.to_bytes(8, "little") + option + b"\x01" + bytes(12 + 8 + 36)


def pump_swap(wallet: Pubkey, mint: Pubkey, discriminator: bytes, first: int, second: int) -> Instruction:
    """Return a swap of pump.fun with 17 accounts, of which those of the pool are made up."""
    other = [Pubkey.find_program_address([bytes([i]), bytes(mint)], PUMP)[0] for i in range(9)]
    keys = [
        other[0], mint, WRAPPED_SOL, TOKEN_2022, TOKEN, other[1], other[2], other[3], wallet,
        get_associated_token_address(wallet, mint, TOKEN_2022),
        get_associated_token_address(wallet, WRAPPED_SOL), other[4], other[5], other[6], SYSTEM_PROGRAM, other[7], PUMP,
    ]  # fmt: skip
    writable = {5, 6, 7, 8, 9, 10, 11, 13}
    data = discriminator + first.to_bytes(8, "little") + second.to_bytes(8, "little")
    return Instruction(PUMP, data, [AccountMeta(key, i == 8, i in writable) for i, key in enumerate(keys)])


def compose(wallet: Pubkey, *instructions: Instruction, blockhash: Hash | None = None) -> bytes:
    """Return an unsigned transaction of version 0."""
    message = MessageV0.try_compile(wallet, list(instructions), [], blockhash or Hash.default())
    return bytes(VersionedTransaction.populate(message, [Signature.default()]))


@dataclass
class FakeChain:
    """A chain on which every swap costs and gives what a test says; it answers nothing while it is down."""

    wallet: Pubkey
    mint: Pubkey
    cost: int = 1_000_000
    gives: int = 1_000
    is_valid: bool = True
    is_down: bool = False
    simulated: int = 0
    changes: dict[Pubkey, Account] = field(default_factory=dict)

    def lookup_table(self, address: Pubkey) -> Sequence[Pubkey]:
        raise no_answer("there are no tables")

    def is_blockhash_valid(self, blockhash: Hash) -> bool:
        if self.is_down:
            raise no_answer("isBlockhashValid: ConnectError")
        return self.is_valid

    def simulate(self, transaction: bytes, accounts: Sequence[Pubkey]) -> Simulation:
        if self.is_down:
            raise no_answer("simulateTransaction: ConnectError")
        self.simulated += 1
        own = get_associated_token_address(self.wallet, self.mint, TOKEN_2022)
        before = {
            self.wallet: Account(10**10, SYSTEM_PROGRAM, b""),
            own: Account(RENT, TOKEN_2022, token_data(self.mint, self.wallet, 10_000)),
        }
        after = {
            self.wallet: replace(before[self.wallet], lamports=10**10 - self.cost),
            own: replace(before[own], data=token_data(self.mint, self.wallet, 10_000 + self.gives)),
        }
        return Simulation("", before, after | self.changes)


def buy_transaction(
    keypair: Keypair, mint: Pubkey, lamports: int = 1_000_000, tip: int = 10_000, salt: int = 0
) -> bytes:
    """Return an unsigned purchase; with another salt it is another transaction."""
    wallet = keypair.pubkey()
    return compose(
        wallet,
        set_compute_unit_limit(200_000 + salt),
        set_compute_unit_price(10_000),
        pump_swap(wallet, mint, BUY_EXACT_IN, lamports, 900),
        transfer(TransferParams(from_pubkey=wallet, to_pubkey=TIP_ACCOUNT, lamports=tip)),
    )


def sell_transaction(keypair: Keypair, mint: Pubkey, tokens: int, min_out: int, salt: int = 0) -> bytes:
    """Return an unsigned sale; with another salt it is another transaction."""
    wallet = keypair.pubkey()
    return compose(
        wallet,
        set_compute_unit_limit(200_000 + salt),
        set_compute_unit_price(10_000),
        pump_swap(wallet, mint, SELL, tokens, min_out),
    )


def request_body(transaction: bytes, order_id: str, intent: dict[str, Any]) -> bytes:
    """Return the body of a request to sign."""
    content = {"transaction": base64.b64encode(transaction).decode(), "order_id": order_id, "intent": intent}
    return orjson.dumps(content)
