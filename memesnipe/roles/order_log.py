"""Log lines of the order path, with the ids that join them: run, event (`seq`) and order (`order_id`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from memesnipe.engine.orders import Order
from memesnipe.market.events import SIDE_NAMES
from memesnipe.protocol.account import order_id
from memesnipe.telemetry.logs import Logger
from memesnipe.trading.desk_state import order_key
from memesnipe.trading.steps import Step


def log_steps(log: Logger, steps: Sequence[Step], mints: Mapping[int, str]) -> None:
    """Log the orders and their outcomes of committed steps; refused decisions only at the level DEBUG.

    Args:
        log: of the executor, with the run bound.
        steps: all steps of the commit.
        mints: the address of each token.
    """
    for step in steps:
        for order in step.orders:
            log.info("order", **_ids(step, order, mints), spec_id=order.spec_id, reason=order.reason)
        for refused in step.refused:
            ids = _ids(step, refused.order, mints)
            log.debug("refused", **ids, reason=str(refused.reason), detail=refused.detail)
        for cancelled in step.cancelled:
            log.info("order cancelled", **_ids(step, cancelled, mints))
        for key, status in step.reported.items():
            log.info("order reported", seq=step.seq, order_id=order_id(step.account, key), status=str(status))
        for done in step.fills:
            fill = done.fill
            log.info(
                "trade", **_ids(step, fill.order, mints), outcome=fill.failure or "landed",
                token_raw=fill.token_raw, sol_lamports=fill.sol_lamports,
            )  # fmt: skip


def _ids(step: Step, order: Order, mints: Mapping[int, str]) -> dict[str, Any]:
    return {
        "seq": step.seq,
        "order_id": order_id(step.account, order_key(order)),
        "side": SIDE_NAMES[order.side],
        "mint": mints.get(order.token, ""),
    }
