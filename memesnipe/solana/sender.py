"""Helius' Sender, a lane that forwards a transaction to validators and to Jito at once; it requires a tip."""

import base64
from typing import Final

from memesnipe.solana.json_rpc import call
from memesnipe.solana.service import Service

MIN_TIP_LAMPORTS: Final = 1_000_000
SWQOS_MIN_TIP_LAMPORTS: Final = 5_000  # of the tier that forwards to validators alone


class SenderClient:
    """The Sender.

    Args:
        service: its address.
        is_swqos_only: use the cheaper tier.
    """

    def __init__(self, service: Service, *, is_swqos_only: bool = False) -> None:
        self._service = service
        self._path = "/fast?swqos_only=true" if is_swqos_only else "/fast"

    async def send(self, transaction: bytes) -> str:
        """Send a signed transaction; return its signature, which says nothing about its landing."""
        options = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
        encoded = base64.b64encode(transaction).decode()
        return await call(self._service, "sendTransaction", [encoded, options], str, self._path)
