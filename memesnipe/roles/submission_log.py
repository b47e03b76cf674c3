"""Log lines of what happens outside to a live order: built, signed, sent, seen; with the ids of the order path."""

from typing import Any

from memesnipe.execution.submission_events import (
    BlockHeight,
    BuildFailed,
    Built,
    Observation,
    SendFinished,
    SigningFailed,
    SigningRefused,
    StatusFailed,
    StatusSeen,
    TransactionMissing,
    TransactionSeen,
)
from memesnipe.market.events import SIDE_NAMES
from memesnipe.solana.submission.ports import SubmissionStep
from memesnipe.telemetry.logs import Logger

# Repeated with every poll of the chain; of interest only where they change the status.
_POLLED = (BlockHeight, StatusFailed, StatusSeen, TransactionMissing)


def log_submission(log: Logger, step: SubmissionStep) -> None:
    """Log an observation of a submission; those of polling only at the level DEBUG, unless they change the status.

    Args:
        log: of the venue, with the run bound.
        step: the observation, committed.
    """
    order, after = step.order, step.after
    ids: dict[str, Any] = {
        "seq": order.decided_seq, "order_id": step.order_id, "side": SIDE_NAMES[order.side], "mint": step.mint,
    }  # fmt: skip
    seen = type(step.observation)
    facts = _facts(step.observation) | ({"signature": after.signature} if after.signature else {})
    facts |= {"status": str(after.status), "observed": seen.__name__}
    if after.contradiction and after.contradiction != step.before.contradiction:
        log.error("submission contradicted", **ids, **facts, detail=after.contradiction)
    elif seen in (BuildFailed, SigningFailed, SigningRefused):
        log.warning("submission", **ids, **facts)
    elif seen in _POLLED and after.status is step.before.status:
        log.debug("submission", **ids, **facts)
    else:
        log.info("submission", **ids, **facts)


def _facts(observation: Observation) -> dict[str, Any]:
    match observation:
        case Built(bid=bid) if bid.priority_fee:
            return {
                "priority_fee_basis": bid.priority_fee, "price_estimate": bid.price_estimate,
                "tip_basis": bid.tip, "tip_estimate_lamports": bid.tip_estimate_lamports,
            }  # fmt: skip
        case BuildFailed(detail) | SigningFailed(detail) | SigningRefused(detail):
            return {"reason": detail}
        case SendFinished(accepted, errors):
            return {"lanes": list(accepted), "errors": list(errors)}
        case TransactionSeen(fill, commitment):
            return {"commitment": str(commitment), "outcome": fill.failure or "landed"}
        case _:
            return {}
