"""The limits of a bid that the signer's policy has, as the signer's health shows them."""

from typing import Annotated, Final

import msgspec

from memesnipe.solana.service import Service
from memesnipe.solana.service_errors import UnreachableError

_HEALTH: Final = "/signer/health"
_Lamports = Annotated[int, msgspec.Meta(ge=0)]


class PolicyCaps(msgspec.Struct, frozen=True):
    """The highest priority fee and the highest tip of a transaction that the signer signs, in lamports."""

    priority_fee: _Lamports
    tip: _Lamports


class _Health(msgspec.Struct):
    max_bid_lamports: PolicyCaps | None = None


async def policy_caps(signer: Service) -> PolicyCaps:
    """Return the limits of a signer.

    Raises:
        ServiceError: it does not answer, or has no policy.
    """
    caps = (await signer.get(_HEALTH, {}, _Health)).max_bid_lamports
    if caps is None:
        raise UnreachableError(signer.url, "the signer has no policy")
    return caps
