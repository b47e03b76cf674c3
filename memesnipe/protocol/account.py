"""The accounts of a run: paper money and live money, each with its own capital, orders, positions and breaker."""

from enum import StrEnum


class Account(StrEnum):
    """The accounts. A strategy trades in the account that has the name of its mode."""

    PAPER = "paper"
    LIVE = "live"  # exists only in a run with a venue that moves real money


def order_id(account: Account, key: str) -> str:
    """Return the id of an order in the records and at the venue; ``key`` is unique within the account."""
    return key if account is Account.PAPER else f"{account}-{key}"
