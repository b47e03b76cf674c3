"""Checks of a transaction before it runs: its form, its signatures and its accounts, with the cluster's reasons."""

from collections.abc import Callable
from typing import Final

from solders.account import Account
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.transaction import SanitizeError, VersionedTransaction

from memesnipe.localnet.errors import RejectedTransactionError
from memesnipe.localnet.lookup_tables import Keys, resolve

_MAX_LOCKS: Final = 64  # accounts of a transaction


def message_of(transaction: VersionedTransaction) -> Message | MessageV0:
    """Return the message of a transaction.

    Raises:
        RejectedTransactionError: it is of a version that the cluster does not know.
    """
    message = transaction.message
    if not isinstance(message, Message | MessageV0):
        raise RejectedTransactionError("UnsupportedVersion")
    return message


def check_form(transaction: VersionedTransaction) -> None:
    """Check that the parts of a transaction fit together.

    Raises:
        RejectedTransactionError: they do not.
    """
    message = message_of(transaction)
    if len(transaction.signatures) != message.header.num_required_signatures or not transaction.signatures:
        raise RejectedTransactionError("SanitizeFailure")
    try:
        transaction.sanitize()
    except SanitizeError as error:
        raise RejectedTransactionError("SanitizeFailure") from error


def check_signatures(transaction: VersionedTransaction) -> None:
    """Check the signatures of a transaction.

    Raises:
        RejectedTransactionError: one is wrong.
    """
    if not all(transaction.verify_with_results()):
        raise RejectedTransactionError("SignatureFailure")


def keys_of(transaction: VersionedTransaction, account: Callable[[Pubkey], Account | None], slot: int) -> Keys:
    """Return the accounts of a transaction, lookup tables resolved.

    Raises:
        RejectedTransactionError: a table is wrong, an account is named twice, or there are too many.
    """
    keys = resolve(message_of(transaction), account, slot)
    if len(set(keys.all)) != len(keys.all):
        raise RejectedTransactionError("AccountLoadedTwice")
    if len(keys.all) > _MAX_LOCKS:
        raise RejectedTransactionError("TooManyAccountLocks")
    return keys
