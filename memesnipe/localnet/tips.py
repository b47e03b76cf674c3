"""The tips of a transaction: system transfers to tip accounts that are not loaded through a lookup table."""

from collections.abc import Collection
from typing import Final

from solders.account import Account
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from memesnipe.localnet.chain import Chain
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.solana.addresses import SYSTEM

_TRANSFER: Final = (2).to_bytes(4, "little")


def add_tip_accounts(chain: Chain, accounts: Collection[Pubkey]) -> None:
    """Give tip accounts the lamports without which a small tip could not create them."""
    for address in accounts:
        if chain.account(address) is None:
            chain.set_account(address, Account(LAMPORTS_PER_SOL, b"", SYSTEM))


def tip_lamports(transaction: VersionedTransaction, accounts: Collection[Pubkey]) -> int:
    """Return the lamports that a transaction pays to some accounts."""
    keys = transaction.message.account_keys
    total = 0
    for one in transaction.message.instructions:
        data, indices = bytes(one.data), bytes(one.accounts)
        is_transfer = keys[one.program_id_index] == SYSTEM and data[:4] == _TRANSFER and len(indices) > 1
        if is_transfer and indices[1] < len(keys) and keys[indices[1]] in accounts:
            total += int.from_bytes(data[4:12], "little")
    return total
