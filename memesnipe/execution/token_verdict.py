"""A verdict on a token: whether it may be bought, and why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SafetyReason:
    """Why a token is not bought."""

    check: str  # mint | holders | rugcheck | jupiter | sale
    detail: str


@dataclass(frozen=True, slots=True)
class SafetyVerdict:
    """The result of all checks of a token.

    Args:
        mint: of the token.
        reasons: against it.
        sources: of each check: whether it was made, or is not configured.
    """

    mint: str
    reasons: tuple[SafetyReason, ...]
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_safe(self) -> bool:
        """Whether no check speaks against the token."""
        return not self.reasons

    @property
    def text(self) -> str:
        """The reasons in one line."""
        return "; ".join(f"{reason.check}: {reason.detail}" for reason in self.reasons)
