"""What the local chain keeps: blocks, and the transactions in them with everything a node tells about them."""

from dataclasses import dataclass, field
from typing import Literal

from solders.account import Account
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from memesnipe.localnet.errors import Err
from memesnipe.localnet.inner_calls import InnerCall
from memesnipe.localnet.lookup_tables import Keys

Commitment = Literal["processed", "confirmed", "finalized"]


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """The balance of a token account of a transaction."""

    account_index: int
    mint: Pubkey
    owner: Pubkey
    program_id: Pubkey
    amount: int
    decimals: int


@dataclass(frozen=True, slots=True)
class Balances:
    """The balances of a transaction's accounts, in lamports in the order of its keys, and of those with tokens."""

    lamports: list[int]
    tokens: list[TokenBalance]


@dataclass(frozen=True, slots=True)
class Execution:
    """The outcome of a transaction that is in a block."""

    err: Err | None
    fee: int  # lamports; base fee and priority fee
    logs: list[str]
    units: int  # compute units consumed
    before: Balances
    after: Balances
    inner: list[tuple[int, list[InnerCall]]]  # by index of the instruction


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """A transaction in a block."""

    signature: Signature
    transaction: VersionedTransaction
    keys: Keys
    execution: Execution
    slot: int
    height: int
    unix_timestamp: int


@dataclass(slots=True)
class Block:
    """A block; ``before`` has each account that it changed as it was before, None if there was none."""

    slot: int
    parent_slot: int
    height: int
    blockhash: Hash
    unix_timestamp: int
    transactions: list[TransactionRecord] = field(default_factory=list)
    before: dict[Pubkey, Account | None] = field(default_factory=dict)
