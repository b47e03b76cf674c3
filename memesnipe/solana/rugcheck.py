"""A client of RugCheck's reports. Their amounts exceed 53 bits, and a missing authority field says nothing."""

import msgspec

from memesnipe.solana.service import Service, retrying


class Risk(msgspec.Struct, frozen=True):
    """A finding."""

    name: str
    level: str  # warn or danger


class RugCheckSummary(msgspec.Struct, frozen=True):
    """The summary of a report; the score is from 0 to 100, higher is riskier."""

    score_normalised: float
    risks: list[Risk] | None = None


class RugCheckClient:
    """RugCheck.

    Args:
        service: `https://api.rugcheck.xyz`.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def summary(self, mint: str) -> RugCheckSummary:
        """Return the summary of a token's report.

        Raises:
            ServiceError: there is none.
        """
        async for attempt in retrying(3):
            with attempt:
                return await self._service.get(f"/v1/tokens/{mint}/report/summary", {}, RugCheckSummary)
        raise AssertionError("the last attempt raises")
