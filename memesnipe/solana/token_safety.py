"""Whether a token may be bought: what the chain, RugCheck, Jupiter and a simulated sale say about it.

It fails closed: a check that cannot be made is a reason against the token. A service that is not configured is not
asked, and the verdict says so; what the chain says, and the simulated sale, are always checked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from memesnipe.errors import MemeSnipeError
from memesnipe.execution.token_verdict import SafetyReason, SafetyVerdict
from memesnipe.solana.jupiter import JupiterToken, TokenAudit
from memesnipe.solana.mint_account import parse_mint
from memesnipe.solana.rpc import AccountData, HeldAmount
from memesnipe.solana.rugcheck import RugCheckSummary

CHECKS: Final = ("mint", "holders", "sale", "rugcheck", "jupiter")
_DANGER: Final = "danger"


class ChainReader(Protocol):
    """The part of `memesnipe.solana.rpc.Rpc` that is needed."""

    async def accounts(self, addresses: Sequence[str]) -> list[AccountData | None]:
        """Return accounts."""

    async def largest_accounts(self, mint: str) -> list[HeldAmount]:
        """Return the largest token accounts of a mint."""


class RugCheck(Protocol):
    """RugCheck."""

    async def summary(self, mint: str) -> RugCheckSummary:
        """Return the summary of a report."""


class TokenList(Protocol):
    """Jupiter's tokens."""

    async def token(self, mint: str) -> JupiterToken | None:
        """Return a token, None if it is unknown."""


# Simulates to buy and then sell a mint; returns why that fails, "" if it does not.
SaleCheck = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class SafetyPolicy:
    """What is accepted.

    Args:
        max_top_holders: share of the supply that the largest accounts may hold, without pools.
        top_holders: number of largest accounts that count.
        max_rugcheck_score: 0 to 100, higher is riskier.
    """

    max_top_holders: float = 0.3
    top_holders: int = 10
    max_rugcheck_score: float = 50.0


class TokenSafety:
    """Checks tokens.

    Args:
        chain: a node.
        rugcheck: RugCheck; None where it is not configured.
        tokens: Jupiter's tokens; None where they are not configured.
        sale: simulates a round trip.
        policy: what is accepted.
    """

    def __init__(
        self,
        chain: ChainReader,
        rugcheck: RugCheck | None,
        tokens: TokenList | None,
        sale: SaleCheck,
        policy: SafetyPolicy,
    ) -> None:
        self._chain, self._rugcheck, self._tokens, self._sale, self._policy = chain, rugcheck, tokens, sale, policy

    async def assess(self, mint: str, pool_accounts: frozenset[str]) -> SafetyVerdict:
        """Return the verdict on a token.

        Args:
            mint: of the token.
            pool_accounts: token accounts of its pools and its curve, which are no holders.
        """
        checks = {
            "mint": self._of_mint(mint),
            "holders": self._of_holders(mint, pool_accounts),
            "sale": self._of_sale(mint),
        }
        if self._rugcheck is not None:
            checks["rugcheck"] = self._of_rugcheck(self._rugcheck, mint)
        if self._tokens is not None:
            checks["jupiter"] = self._of_jupiter(self._tokens, mint)
        sources = dict.fromkeys(CHECKS, "not configured")
        reasons: list[SafetyReason] = []
        found = await asyncio.gather(*checks.values(), return_exceptions=True)
        for check, result in zip(checks, found, strict=True):
            sources[check] = "checked"
            if isinstance(result, MemeSnipeError):
                sources[check] = "no answer"
                reasons.append(SafetyReason(check, f"cannot be checked: {result}"))
            elif isinstance(result, BaseException):
                raise result
            else:
                reasons += [SafetyReason(check, detail) for detail in result]
        return SafetyVerdict(mint, tuple(reasons), sources)

    async def _of_mint(self, mint: str) -> list[str]:
        (account,) = await self._chain.accounts([mint])
        return ["the mint does not exist"] if account is None else parse_mint(account.owner, account.raw).dangers()

    async def _of_holders(self, mint: str, pool_accounts: frozenset[str]) -> list[str]:
        (account,) = await self._chain.accounts([mint])
        supply = 0 if account is None else parse_mint(account.owner, account.raw).supply
        largest = await self._chain.largest_accounts(mint)
        if not largest or supply <= 0:
            return ["no holders are known"]
        held = sorted((int(one.amount) for one in largest if one.address not in pool_accounts), reverse=True)
        share = sum(held[: self._policy.top_holders]) / supply
        if share > self._policy.max_top_holders:
            return [f"the {self._policy.top_holders} largest accounts hold {share:.0%}"]
        return []

    async def _of_rugcheck(self, rugcheck: RugCheck, mint: str) -> list[str]:
        summary = await rugcheck.summary(mint)
        found = [risk.name for risk in summary.risks or () if risk.level == _DANGER]
        if not 0 <= summary.score_normalised <= self._policy.max_rugcheck_score:  # NaN is neither
            found.append(f"score {summary.score_normalised:g}")
        return found

    async def _of_jupiter(self, tokens: TokenList, mint: str) -> list[str]:
        token = await tokens.token(mint)
        audit = None if token is None else token.audit
        return ["has no audit"] if audit is None else _of_audit(audit)

    async def _of_sale(self, mint: str) -> list[str]:
        failure = await self._sale(mint)
        return [failure] if failure else []


def _of_audit(audit: TokenAudit) -> list[str]:
    """Return what an audit says; authorities are read from the chain, so a missing field is no reason."""
    found = ["suspicious"] if audit.is_sus else []
    found += ["mint authority"] if audit.mint_authority_disabled is False else []
    return found + (["freeze authority"] if audit.freeze_authority_disabled is False else [])
