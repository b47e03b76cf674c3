"""The parts of `getTransaction`'s reply that are used: accounts, balances, fee, error and logs."""

from typing import Any

import msgspec


class TokenAmount(msgspec.Struct, frozen=True):
    """An amount in raw tokens."""

    amount: str


class TokenBalance(msgspec.Struct, frozen=True, rename="camel"):
    """The tokens of one of the accounts."""

    account_index: int
    mint: str
    ui_token_amount: TokenAmount
    owner: str = ""  # absent before 2021


class LoadedAddresses(msgspec.Struct, frozen=True):
    """The accounts that lookup tables have added, after the message's own."""

    writable: list[str]
    readonly: list[str]


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """What a transaction changed; the lists of balances are parallel to the accounts."""

    err: Any
    fee: int
    pre_balances: list[int]
    post_balances: list[int]
    pre_token_balances: list[TokenBalance] | None = None
    post_token_balances: list[TokenBalance] | None = None
    log_messages: list[str] | None = None
    loaded_addresses: LoadedAddresses | None = None


class ExecutedMessage(msgspec.Struct, frozen=True, rename="camel"):
    """The accounts that a message names itself."""

    account_keys: list[str]


class ExecutedBody(msgspec.Struct, frozen=True):
    """The transaction as it was signed."""

    message: ExecutedMessage
    signatures: list[str]


class Executed(msgspec.Struct, frozen=True, rename="camel"):
    """A transaction in a block, in the encoding `json`."""

    slot: int
    transaction: ExecutedBody
    meta: Meta
    block_time: int | None = None

    @property
    def accounts(self) -> list[str]:
        """All accounts, in the order of the balances."""
        loaded = self.meta.loaded_addresses
        added = [] if loaded is None else loaded.writable + loaded.readonly
        return self.transaction.message.account_keys + added
