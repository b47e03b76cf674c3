"""What a transaction bids: the market's estimates within limits, or the settings where there is no recent estimate."""

from dataclasses import dataclass

from solders.pubkey import Pubkey

from memesnipe.execution.submission_events import BidBasis
from memesnipe.solana.estimate import Reading
from memesnipe.solana.policy_caps import PolicyCaps
from memesnipe.solana.transaction import FeePlan


@dataclass(frozen=True, slots=True)
class BidRange:
    """The limits of one part of a bid, in lamports, and what it is without an estimate; the cap is above the floor."""

    floor: int
    cap: int
    default: int

    def within(self, lamports: int, policy_cap: int | None = None) -> int:
        """Return the amount within the limits; the signer's cap, where it is known, is never exceeded."""
        cap = self.cap if policy_cap is None else min(self.cap, policy_cap)
        return min(max(lamports, self.floor), cap)


def plan_bid(
    price: Reading[int],
    tip: Reading[int],
    priority_fee_range: BidRange,
    tip_range: BidRange,
    account: Pubkey,
    policy: PolicyCaps | None = None,
) -> FeePlan:
    """Return the bid of the next transaction.

    Args:
        price: estimate in micro-lamports a compute unit.
        tip: estimate in lamports.
        priority_fee_range: limits of the priority fee.
        tip_range: limits of the tip.
        account: that gets the tip.
        policy: the signer's limits, None where they are unknown: it refuses what exceeds them.
    """
    fee_cap, tip_cap = (None, None) if policy is None else (policy.priority_fee, policy.tip)
    basis = BidBasis(price.basis, price.value or 0, tip.basis, tip.value or 0)
    tip_lamports = tip_range.within(tip_range.default if tip.value is None else tip.value, tip_cap)
    if price.value is None:
        fee = priority_fee_range.within(priority_fee_range.default, fee_cap)
        return FeePlan(0, fee, tip_lamports, account, fee, basis)
    most = priority_fee_range.within(priority_fee_range.cap, fee_cap)
    least = min(priority_fee_range.floor, most)
    return FeePlan(price.value, most, tip_lamports, account, least, basis)
