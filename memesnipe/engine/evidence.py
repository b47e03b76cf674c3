"""The evidence of the strategies in an arena: a betting account for each, fed by its round trips (compiled).

A round trip begins when its entry is sent, and ends when nothing is held and no order is open; its return is all the
cash that it has earned, network fees of failed orders included, relative to the budget of the entry. While a strategy
trades on a desk, the round trips of the desk count instead of the simulated ones. What was bet on simulated round trips
until then stays in an account of its own, so the evidence is the sum of both, and depends neither on batches nor on the
order in which arena and desk are advanced.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.compiled import compiled, jitable
from memesnipe.engine.layout import MAX_EXPOSURES
from memesnipe.engine.strategy_evidence import StrategyEvidence
from memesnipe.stats.betting import BETTING_ACCOUNT, MAX_OPEN, SIZES, close_position, open_position, position_of

# A sale that fails again and again can cost more than the stake; such losses are clipped and counted.
MAX_LOSS: Final = 1.1

EVIDENCE: Final = np.dtype(
    [
        ("arena", BETTING_ACCOUNT),
        ("desk", BETTING_ACCOUNT),
        ("on_desk", "i8"),
        ("restarts", "i8"),  # how often the strategy has started again without evidence
        # Of each exposure: what its entry was to cost, and the change of the cash since.
        ("stake_lamports", "i8", (MAX_EXPOSURES,)),
        ("profit_lamports", "i8", (MAX_EXPOSURES,)),
    ]
)


@jitable
def on_entry_sent(evidence: Any, row: int, k: int, token: int, budget_lamports: int) -> None:
    """Begin the round trip of exposure ``k``; it is not observed on a desk, nor while too many are open."""
    if len(evidence) == 0:
        return
    record = evidence[row]
    record.stake_lamports[k] = budget_lamports
    record.profit_lamports[k] = 0
    if record.on_desk == 0 and record.arena.open < MAX_OPEN:
        open_position(record.arena, token, 0.0)


@jitable
def on_outcome(evidence: Any, row: int, k: int, token: int, cash_change_lamports: int, has_ended: bool) -> None:
    """Add the outcome of an order of exposure ``k``, and end its round trip where ``has_ended``."""
    if len(evidence) == 0:
        return
    record = evidence[row]
    record.profit_lamports[k] += cash_change_lamports
    if has_ended:
        position = position_of(record.arena, token)
        if position >= 0:
            close_position(record.arena, position, record.profit_lamports[k] / record.stake_lamports[k], MAX_LOSS)


@compiled
def observe_desk(evidence: Any, row: int, token: int, is_opening: bool, value: float) -> None:
    """Begin or end a round trip of the desk; a closing without an opening is ignored.

    Args:
        evidence: shape (strategies,), dtype EVIDENCE.
        row: of the strategy.
        token: of the round trip.
        is_opening: whether it begins.
        value: the return, where it ends.
    """
    account = evidence[row].desk
    position = position_of(account, token)
    if is_opening:
        if position < 0 and account.open < MAX_OPEN and evidence[row].on_desk != 0:
            open_position(account, token, 0.0)
    elif position >= 0:
        close_position(account, position, value, MAX_LOSS)


def may_observe_desk(evidence: NDArray[Any]) -> NDArray[np.bool_]:
    """Return whether `observe_desk` can change each row, or may have changed it, shape (strategies,)."""
    desk = evidence["desk"]
    changed: NDArray[np.bool_] = (evidence["on_desk"] != 0) | (desk["open"] > 0) | (desk["closed"] > 0)
    return changed


def start(evidence: NDArray[Any]) -> None:
    """Set new rows, shape (strategies,), to a strategy without evidence."""
    evidence[:] = 0
    evidence["arena"]["cash"] = 1.0


def restart(evidence: NDArray[Any], row: int) -> None:
    """Start again without evidence; the round trips that are open do not count."""
    restarts = int(evidence[row]["restarts"])
    start(evidence[row : row + 1])
    evidence[row]["restarts"] = restarts + 1


def move_to_desk(evidence: NDArray[Any], row: int) -> None:
    """Bet on the round trips of the desk from now on, with all cash that is not at risk."""
    record = evidence[row]
    if record["on_desk"] == 0:
        record["desk"]["cash"] += record["arena"]["cash"]
        record["arena"]["cash"] = 0.0
        record["on_desk"] = 1


def e_values(evidence: NDArray[Any]) -> NDArray[np.float64]:
    """Return the evidence of each strategy, shape (strategies,): open positions count as total losses."""
    total = np.zeros(len(evidence))
    for size in range(SIZES):  # one addition after the other, so that the bits do not depend on the layout
        total += evidence["arena"]["cash"][:, size]
        total += evidence["desk"]["cash"][:, size]
    return total / SIZES


def statistics(evidence: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the number, the mean and the sample variance of the returns of both accounts, shape (strategies,) each."""
    arena, desk = evidence["arena"], evidence["desk"]
    count = arena["closed"] + desk["closed"]
    safe = np.maximum(count, 1)
    mean = (arena["closed"] * arena["mean"] + desk["closed"] * desk["mean"]) / safe
    # Chan, Golub & LeVeque 1979: the sums of squares of two parts.
    apart = (arena["mean"] - desk["mean"]) ** 2 * arena["closed"] * desk["closed"] / safe
    squares = arena["squares"] + desk["squares"] + apart
    return count, mean, squares / np.maximum(count - 1, 1)


def evidence_columns(evidence: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return the fields of a `StrategyEvidence` as columns, each of shape (strategies,)."""
    return (e_values(evidence), *statistics(evidence), evidence["restarts"])


def evidence_of(evidence: NDArray[Any]) -> list[StrategyEvidence]:
    """Return the evidence of each strategy, in the order of the rows."""
    columns = evidence_columns(evidence)
    return [StrategyEvidence(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
