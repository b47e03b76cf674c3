"""What emulated programs share: rent, system instructions, and accounts as earlier instructions will have left them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from solders.account import Account
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer

from memesnipe.localnet.programs import MarketAccounts, ProgramError
from memesnipe.localnet.tokens import mint, token_account
from memesnipe.solana.pump_accounts import PumpAccountError

# Anchor's errors that clients meet.
ACCOUNT_NOT_INITIALIZED: Final = 3012
INSTRUCTION_FALLBACK_NOT_FOUND: Final = 101
CONSTRAINT_SEEDS: Final = 2006
ACCUMULATOR_BYTES: Final = 137
_ACCUMULATOR: Final = bytes.fromhex("56ff700e66359afa")


def rent(size: int) -> int:
    """Return the least balance of an account with ``size`` bytes, in lamports."""
    return (size + 128) * 6_960


def pay(source: Pubkey, to: Pubkey, lamports: int) -> Instruction:
    """Return a transfer of lamports."""
    return transfer(TransferParams(from_pubkey=source, to_pubkey=to, lamports=lamports))


def create(payer: Pubkey, address: Pubkey, size: int, owner: Pubkey) -> Instruction:
    """Return the creation of an account that pays no rent."""
    return create_account(
        CreateAccountParams(from_pubkey=payer, to_pubkey=address, lamports=rent(size), space=size, owner=owner)
    )


def write(state: MarketAccounts, address: Pubkey, data: bytes) -> None:
    """Replace the data of an account that exists."""
    account = state.account(address)
    if account is None:
        raise RuntimeError(f"{address} is to be written, and does not exist")
    state.set_account(address, Account(account.lamports, data, account.owner))


def token_amount(state: MarketAccounts, address: Pubkey) -> int:
    """Return the raw tokens in a token account before the transaction; 0 if there is none."""
    found = token_account(state.account(address))
    return found.amount if found else 0


def mint_supply(state: MarketAccounts, address: Pubkey) -> int:
    """Return the supply of a mint before the transaction, raw; 0 if there is none."""
    found = mint(state.account(address))
    return found.supply if found else 0


def read(state: MarketAccounts, address: Pubkey, owner: Pubkey, decode: Callable[[bytes], object]) -> object:
    """Return the decoded data of an account of a program.

    Raises:
        ProgramError: there is no such account.
    """
    account = state.account(address)
    try:
        if account is not None and account.owner == owner:
            return decode(bytes(account.data))
    except PumpAccountError:
        pass  # an account of the program of another kind is as wrong as none
    raise ProgramError(ACCOUNT_NOT_INITIALIZED, anchor_error("AccountNotInitialized", ACCOUNT_NOT_INITIALIZED, ""))


def anchor_error(name: str, code: int, text: str) -> list[str]:
    """Return the log line of an error of an Anchor program."""
    return [f"Program log: AnchorError occurred. Error Code: {name}. Error Number: {code}. Error Message: {text}."]


@dataclass(frozen=True, slots=True)
class Accumulator:
    """The account in which a program adds up what a wallet trades; it is created by the wallet's first trade."""

    program: Pubkey
    address: Pubkey
    user: Pubkey

    def instructions(self, state: MarketAccounts) -> list[Instruction]:
        """Return its creation, paid by the wallet, if it does not exist."""
        if self.address in state.pending or state.account(self.address) is not None:
            return []
        state.pending[self.address] = True
        return [create(self.user, self.address, ACCUMULATOR_BYTES, self.program)]

    def commit(self, state: MarketAccounts) -> None:
        """Write the account's kind and wallet."""
        data = _ACCUMULATOR + bytes(self.user)
        write(state, self.address, data.ljust(ACCUMULATOR_BYTES, b"\0"))
