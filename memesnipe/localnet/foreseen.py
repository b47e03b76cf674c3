"""The accounts of the chain as trades that have not been executed would leave them."""

from dataclasses import dataclass, field
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from memesnipe.localnet.chain import Chain


@dataclass(slots=True)
class ForeseenAccounts:
    """The accounts of a chain for trades that change nothing; each trade finds what those before it left in `pending`.

    It is the `MarketAccounts` of an emulated program that quotes.
    """

    chain: Chain
    slot: int = 0
    unix_timestamp: int = 0
    pending: dict[Pubkey, Any] = field(default_factory=dict)

    def account(self, address: Pubkey) -> Account | None:
        """Return an account of the newest block; None if there is none."""
        return self.chain.account(address)

    def set_account(self, address: Pubkey, account: Account) -> None:
        """Refuse.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(f"a quote changes nothing, and {address} would have {account.lamports} lamports")
