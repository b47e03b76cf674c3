"""The betting account of one strategy: what a fixed share of a capital of 1, bet on each of its round trips, becomes.

There is one capital for each of six bet sizes. A position at risk of the amount r ties up r, the loss at a return of
-c, where c (``max_loss``) bounds the loss; its stake is r / c. At the closing the account gets r (1 + x / c) back, x
being the return. The amounts at risk are fixed at the opening and never exceed the cash, so the cash is never negative,
whatever is open and however it ends. The formulas and their guarantees are in `docs/statistics.md`.
"""

from typing import Any, Final

import numpy as np

from memesnipe.compiled import compiled, jitable

MAX_OPEN: Final = 16  # positions of one strategy; `memesnipe.engine.layout.MAX_EXPOSURES`
BET_SIZES: Final = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5)  # share of the equity at risk in each position
SIZES: Final = len(BET_SIZES)
MAX_RETURN: Final = 1e6  # a larger gain counts as this: a smaller gain never adds evidence
MAX_EQUITY: Final = 1e100  # a richer account stops betting, because products of gains would overflow

# The open positions are the first ``open`` ones.
BETTING_ACCOUNT: Final = np.dtype(
    [
        ("cash", "f8", (SIZES,)),
        ("open", "i8"),
        ("tokens", "i8", (MAX_OPEN,)),
        ("at_risk", "f8", (MAX_OPEN, SIZES)),
        ("closed", "i8"),  # round trips
        ("mean", "f8"),  # of their returns
        ("squares", "f8"),  # sum of squared deviations of the returns from their mean
        ("clipped", "i8"),  # round trips that lost more than ``max_loss``
        ("unmatched", "i8"),  # closings without an opening
    ]
)


@compiled
def apply_log(
    accounts: Any, rows: Any, tokens: Any, is_opening: Any, returns: Any, max_loss: float, refill: float
) -> int:
    """Apply the entries of a `TradeLog` in order.

    Args:
        accounts: shape (strategies,), dtype BETTING_ACCOUNT.
        rows: and the arguments up to ``returns``: the columns of the log.
        tokens: see ``rows``.
        is_opening: see ``rows``.
        returns: see ``rows``.
        max_loss: bound of the loss of a round trip, relative to its stake.
        refill: equity to which an account below it is raised at each opening; 0 for an e-process.

    Returns:
        The number of entries applied: all, unless a position is opened that is open already, or one too many.
    """
    for entry in range(len(rows)):
        account = accounts[rows[entry]]
        position = position_of(account, tokens[entry])
        if is_opening[entry]:
            if position >= 0 or account.open == MAX_OPEN:
                return entry
            open_position(account, tokens[entry], refill)
        elif position >= 0:
            close_position(account, position, returns[entry], max_loss)
        else:
            account.unmatched += 1
    return len(rows)


@jitable
def position_of(account: Any, token: int) -> int:
    """Return the position of a token in an account, or -1."""
    for position in range(account.open):
        if account.tokens[position] == token:
            return position
    return -1


@jitable
def open_position(account: Any, token: int, refill: float) -> None:
    """Fix the amounts at risk in a new position; there are fewer than MAX_OPEN open ones."""
    position = account.open
    account.tokens[position] = token
    for size in range(SIZES):
        equity = account.cash[size]
        for other in range(position):
            equity += account.at_risk[other, size]
        if equity < refill:
            account.cash[size] += refill - equity
            equity = refill
        at_risk = 0.0 if equity > MAX_EQUITY else min(BET_SIZES[size] * equity, account.cash[size])
        account.cash[size] -= at_risk
        account.at_risk[position, size] = at_risk
    account.open += 1


@jitable
def close_position(account: Any, position: int, value: float, max_loss: float) -> None:
    """Return the rest of a position to the cash, and move the last position to its place."""
    value = min(value, MAX_RETURN)
    if value < -max_loss:
        account.clipped += 1
    last = account.open - 1
    kept = 1.0 + max(value, -max_loss) / max_loss
    for size in range(SIZES):
        account.cash[size] += account.at_risk[position, size] * kept
        account.at_risk[position, size] = account.at_risk[last, size]
        account.at_risk[last, size] = 0.0
    account.tokens[position] = account.tokens[last]
    account.tokens[last] = 0
    account.open = last
    # Welford 1962: no cancellation of large sums.
    account.closed += 1
    deviation = value - account.mean
    account.mean += deviation / account.closed
    account.squares += deviation * (value - account.mean)
