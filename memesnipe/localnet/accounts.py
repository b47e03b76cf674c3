"""The accounts of the chain: in LiteSVM, with a journal that undoes changes."""

from collections.abc import Iterable
from typing import Final

from solders.account import Account
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

Before = dict[Pubkey, Account | None]  # accounts as they were before a change; None if there was none
_NO_ACCOUNT: Final = Account(0, b"", Pubkey.default())  # LiteSVM removes an account without lamports


class Accounts:
    """The accounts of a LiteSVM. Whoever changes one notes it first, so that `undo` can restore it."""

    def __init__(self, vm: LiteSVM) -> None:
        self._vm = vm
        self._journals: list[Before] = [{}]

    def get(self, address: Pubkey) -> Account | None:
        """Return an account; None if there is none."""
        return self._vm.get_account(address)

    def lamports(self, address: Pubkey) -> int:
        """Return the balance of an account in lamports."""
        return self._vm.get_balance(address) or 0

    def note(self, addresses: Iterable[Pubkey]) -> None:
        """Keep accounts as they are, because they are about to change."""
        journal = self._journals[-1]
        for address in addresses:
            if address not in journal:
                journal[address] = self._vm.get_account(address)

    def put(self, address: Pubkey, account: Account | None) -> None:
        """Write an account, or remove it."""
        self.note((address,))
        self._vm.set_account(address, account or _NO_ACCOUNT)

    def begin(self) -> None:
        """Begin a change that may be undone by itself."""
        self._journals.append({})

    def keep(self) -> None:
        """End the change that was begun last: it is part of the one around it."""
        journal = self._journals.pop()
        for address, account in journal.items():
            self._journals[-1].setdefault(address, account)

    def undo(self) -> None:
        """End the change that was begun last, and restore the accounts."""
        self.restore(self._journals.pop())

    def restore(self, before: Before) -> None:
        """Restore accounts as they were, without noting it."""
        for address, account in before.items():
            self._vm.set_account(address, account or _NO_ACCOUNT)

    def take_journal(self) -> Before:
        """Return what has changed since the last call."""
        taken, self._journals[0] = self._journals[0], {}
        return taken
