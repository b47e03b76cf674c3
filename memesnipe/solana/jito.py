"""Jito's block engine: bundles, their statuses, tip accounts and the tip floor.

A bundle id proves nothing; only the signature's status on the chain does.
"""

import base64
import math
from typing import Any, Final

import msgspec

from memesnipe.solana.json_rpc import call
from memesnipe.solana.service import Service
from memesnipe.solana.service_errors import UnreachableError

MIN_TIP_LAMPORTS: Final = 1_000
MAX_TRANSACTIONS: Final = 5
_BUNDLES: Final = "/api/v1/bundles"
_MAX_TIP_SOL: Final = 1.0
_LAMPORTS_PER_SOL: Final = 10**9


class BundleStatus(msgspec.Struct, frozen=True):
    """A bundle that landed; its block may still be abandoned."""

    bundle_id: str
    transactions: list[str]
    slot: int
    confirmation_status: str | None = None
    confirmationStatus: str | None = None  # noqa: N815 - seen in replies as well
    err: Any = None

    @property
    def commitment(self) -> str | None:
        """The commitment, under either name."""
        return self.confirmation_status or self.confirmationStatus


class InflightStatus(msgspec.Struct, frozen=True):
    """A bundle of the last five minutes: Invalid, Pending, Failed or Landed."""

    bundle_id: str
    status: str
    landed_slot: int | None = None


class _Statuses(msgspec.Struct):
    value: list[BundleStatus | None]


class _Inflight(msgspec.Struct):
    value: list[InflightStatus | None]


class JitoClient:
    """A block engine.

    Args:
        engine: its address; `x-jito-auth` among its headers where there is a key.
        tips: the address of the tip floor.
    """

    def __init__(self, engine: Service, tips: Service) -> None:
        self._engine, self._tips = engine, tips

    async def send_bundle(self, transactions: list[bytes]) -> str:
        """Send up to five signed transactions that land together or not at all; return the bundle's id."""
        if not 0 < len(transactions) <= MAX_TRANSACTIONS:
            raise ValueError(f"a bundle has 1 to {MAX_TRANSACTIONS} transactions")
        encoded = [base64.b64encode(one).decode() for one in transactions]
        return await call(self._engine, "sendBundle", [encoded, {"encoding": "base64"}], str, _BUNDLES)

    async def bundle_statuses(self, bundle_ids: list[str]) -> list[BundleStatus | None]:
        """Return the statuses of up to five bundles that landed."""
        reply = await call(self._engine, "getBundleStatuses", [bundle_ids], _Statuses | None, _BUNDLES)  # type: ignore[arg-type]
        return reply.value if reply is not None else [None] * len(bundle_ids)

    async def inflight_statuses(self, bundle_ids: list[str]) -> list[InflightStatus | None]:
        """Return the statuses of up to five bundles of the last five minutes."""
        reply = await call(self._engine, "getInflightBundleStatuses", [bundle_ids], _Inflight | None, _BUNDLES)  # type: ignore[arg-type]
        return reply.value if reply is not None else [None] * len(bundle_ids)

    async def tip_accounts(self) -> list[str]:
        """Return the accounts that tips are paid to."""
        return await call(self._engine, "getTipAccounts", [], list[str], _BUNDLES)

    async def tip_floor_lamports(self, percentile: int) -> int:
        """Return the tip that a percentile (25, 50, 75, 95 or 99) of landed bundles has paid, at least the minimum.

        Raises:
            UnreachableError: the reply has no plausible tip: not finite, negative, or above 1 SOL.
        """
        rows = await self._tips.get("", {}, list[dict[str, Any]])
        tip = rows[0].get(f"landed_tips_{percentile}th_percentile") if rows else None
        if not isinstance(tip, int | float) or not 0 <= tip <= _MAX_TIP_SOL:
            raise UnreachableError(self._tips.url, f"implausible tip {tip!r}")
        return max(math.ceil(tip * _LAMPORTS_PER_SOL), MIN_TIP_LAMPORTS)
