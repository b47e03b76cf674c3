"""What the signer asks the chain: the port, and the accounts that it reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from solders.hash import Hash
from solders.pubkey import Pubkey

from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.solana.addresses import TOKEN_PROGRAMS

_TOKEN_ACCOUNT_BYTES: Final = 165
_TOKEN_2022_TYPE: Final = 165  # offset of the kind of a longer account; 2 is a token account


@dataclass(frozen=True)
class Account:
    """The state of an account."""

    lamports: int
    owner: Pubkey
    data: bytes


@dataclass(frozen=True)
class TokenAccount:
    """The state of a token account: who may move its tokens."""

    mint: Pubkey
    owner: Pubkey
    amount: int
    delegate: bytes
    state: int
    native: bytes
    close_authority: bytes


@dataclass(frozen=True)
class Simulation:
    """A transaction's effect: accounts before and after; those that do not exist are missing."""

    error: str
    before: Mapping[Pubkey, Account]
    after: Mapping[Pubkey, Account]


class Chain(Protocol):
    """A node. Each method raises `RefusedError` with reason ``rpc`` when the node gives no usable answer."""

    def lookup_table(self, address: Pubkey) -> Sequence[Pubkey]:
        """Return the addresses in a lookup table; refuse one that does not exist or is being closed."""

    def is_blockhash_valid(self, blockhash: Hash) -> bool:
        """Return whether a transaction with this blockhash can still land."""

    def simulate(self, transaction: bytes, accounts: Sequence[Pubkey]) -> Simulation:
        """Run an unsigned transaction without effect, and return the states of some accounts."""


def read_token_account(account: Account) -> TokenAccount | None:
    """Return the token account in an account; None if it is none, for example a mint.

    Layout: `spl-token` and `spl-token-2022`, `state::Account`.
    """
    data = account.data
    if account.owner not in TOKEN_PROGRAMS or len(data) < _TOKEN_ACCOUNT_BYTES:
        return None
    if len(data) > _TOKEN_ACCOUNT_BYTES and data[_TOKEN_2022_TYPE] != 2:
        return None
    return TokenAccount(
        mint=Pubkey(data[:32]),
        owner=Pubkey(data[32:64]),
        amount=int.from_bytes(data[64:72], "little"),
        delegate=data[72:108] if any(data[72:76]) else b"",
        state=data[108],
        native=data[109:121] if any(data[109:113]) else b"",
        close_authority=data[129:165] if any(data[129:133]) else b"",
    )


def no_answer(what: str) -> RefusedError:
    """Return the refusal for a question that the node did not answer."""
    return RefusedError(Reason.RPC, what)
