"""The port of emulated programs: what an instruction of a trading program causes, in terms of real programs.

The local chain has no trading programs. It replaces each of their instructions by token and system instructions with
the same effect, and runs those in LiteSVM. An emulated program keeps no state of its own: everything that it remembers
is in accounts, so that a fork that is rolled back takes it along.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey


class MarketAccounts(Protocol):
    """What an emulated program sees while a transaction is expanded, and changes once it has succeeded.

    `pending` is empty at the start of each transaction. A program leaves there what an instruction will have changed,
    by account, because a later instruction of the same transaction is expanded before the accounts change.
    """

    slot: int
    unix_timestamp: int  # seconds, of the block
    pending: dict[Pubkey, Any]

    def account(self, address: Pubkey) -> Account | None:
        """Return an account as it was before the transaction (in `commit`: after it); None if there is none."""

    def set_account(self, address: Pubkey, account: Account) -> None:
        """Write an account; only in `commit`. The sum of all lamports must be the same after all commits."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """What one instruction causes.

    An account of ``instructions`` may be a signer although it has not signed, if it has no key (an address off the
    curve): so a program signs for its own addresses. The fee does not count it.
    """

    instructions: list[Instruction]  # of programs that LiteSVM has
    log_lines: list[str] = field(default_factory=list)  # "Program data: ..." after the lines of the instructions
    commit: Callable[[], None] = lambda: None  # called once the whole transaction has succeeded


class ProgramError(Exception):
    """The instruction fails with a custom error of its program; the transaction lands and pays its fee."""

    def __init__(self, code: int, log_lines: Sequence[str] = ()) -> None:
        super().__init__(f"custom program error: {code:#x}")
        self.code = code
        self.log_lines = list(log_lines)


class EmulatedProgram(Protocol):
    """A program of the cluster that the local chain emulates."""

    program_id: Pubkey

    def expand(self, data: bytes, accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
        """Return what an instruction causes.

        Args:
            data: of the instruction.
            accounts: of the instruction, lookup tables resolved, with the privileges of the transaction.
            state: the accounts of the chain.

        Raises:
            ProgramError: the program refuses the instruction.
        """
