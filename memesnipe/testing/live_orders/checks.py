"""What must be true of live orders that have ended: the chain, the wallet and the signer agree with the reports."""

import json
from collections.abc import Iterable

from memesnipe.market.events import BUY_SIDE
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.testing.live_orders.desk import LiveDesk
from memesnipe.testing.live_orders.market import FUNDED_LAMPORTS


def differences(desk: LiveDesk, audit: Iterable[str]) -> list[str]:
    """Return what does not agree, in words; [] if everything does.

    Args:
        desk: whose orders have ended.
        audit: the lines of the signer's audit log.
    """
    found: list[str] = []
    landed = desk.market.outcomes()
    with_fill = [one for reports in desk.reports.values() for one in reports if one.fill is not None]
    if {one.signature for one in with_fill} != set(landed):
        found.append("the transactions on the chain are not those of the fills")
    if len(with_fill) != len(landed):
        found.append(f"{len(landed)} transactions landed, and {len(with_fill)} fills were reported")
    for report in with_fill:
        succeeded = landed.get(report.signature, "absent") is None
        if succeeded != (report.status is OrderStatus.LANDED):
            found.append(f"order {report.order_no} is reported as {report.status}")
    cash = sum(fill.cash_change_lamports for fill in desk.fills)
    if desk.market.lamports() - FUNDED_LAMPORTS != cash:
        found.append(f"the wallet changed by {desk.market.lamports() - FUNDED_LAMPORTS} lamports, the fills by {cash}")
    tokens = sum(fill.token_raw * (1 if fill.order.side == BUY_SIDE else -1) for fill in desk.fills)
    if desk.market.held() != tokens:
        found.append(f"the wallet has {desk.market.held()} raw tokens, by the fills {tokens}")
    messages: dict[str, set[str]] = {}
    for line in audit:
        entry = json.loads(line)
        if entry["decision"] == "signed":
            messages.setdefault(entry["order_id"], set()).add(entry["message_hash"])
    found += [f"{key} was signed as {len(hashes)} messages" for key, hashes in messages.items() if len(hashes) > 1]
    return found
