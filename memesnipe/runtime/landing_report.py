"""The landing report: the live orders of a run, the fitted landing model, and what the simulation assumes."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from memesnipe.engine.fills import FillModel
from memesnipe.stats.landing_fit import Estimate, LandingCurve, LandingFit, fit_landing
from memesnipe.stats.proportion import wilson_interval
from memesnipe.storage.live_orders import LiveOrder
from memesnipe.trading.parity import MISSED_BPS

Json = dict[str, Any]
_QUANTILES: Final = (10, 50, 90, 99)
_MS: Final = 1_000_000  # ns
_PRIOR_LATENCIES: Final = 20  # orders' worth of the assumed latency
_MAX_DECIDED_AGO_NS: Final = 60 * 10**9  # an older event is of a replay: its time says nothing about latency
_BINS: Final = 4  # of bids
_EQUAL: Final = 0.05  # of ln(bid): the compute limit, and so the fee, differs slightly between orders


def landing_report(orders: Sequence[LiveOrder], assumed: FillModel, parity_bps: Sequence[float] = ()) -> Json:
    """Return the figures as plain values.

    Args:
        orders: of one run.
        assumed: the fill model with which the run was simulated.
        parity_bps: how much worse the live fills were than the simulated ones.
    """
    sent = [order for order in orders if order.was_sent]
    curve = LandingCurve(assumed.landing_max, assumed.landing_half_lamports)
    bids = np.array([order.bid_lamports for order in sent], np.int64)
    fit = fit_landing(bids, np.array([order.landed for order in sent], np.bool_), curve)
    latency = _latency(sent, assumed)
    return {
        "orders": len(orders),
        "outcomes": dict(sorted(Counter(order.record.outcome or "open" for order in orders).items())),
        "landing": {**_rate(sent), "assumed": _mean(curve.rate(bids.astype(np.float64)))},
        "bids_follow": _bids_follow(orders),
        "accepted_by": _by_lanes(sent),
        "lanes": _lanes(orders),
        "latency": latency,
        "fit": _fit(fit, curve, sent),
        "prices": _prices(orders, parity_bps),
        "costs": _costs(sent, assumed),
        "settings": settings_of(fit, latency["fitted_ms"]) if sent else {},
    }


def _bids_follow(orders: Sequence[LiveOrder]) -> Json:
    """Return, for both parts of a bid, the number of orders by what the bid follows: `BidBasis`."""
    parts = {
        "priority_fee": [order.record.priority_fee_basis for order in orders],
        "tip": [order.record.tip_basis for order in orders],
    }
    return {name: dict(sorted(Counter(filter(None, bases)).items())) for name, bases in parts.items()}


def settings_of(fit: LandingFit, latency_ms: int | None) -> dict[str, str]:
    """Return the settings that would take a fit over, as they are written in `.env`."""
    found = {
        "LANDING_MAX": f"{fit.curve.maximum:.4f}",
        "LANDING_HALF_LAMPORTS": str(round(fit.curve.half)),
    }
    return found if latency_ms is None else {**found, "LATENCY_MS": str(latency_ms)}


def latency_ns(order: LiveOrder) -> int | None:
    """Return the time until an order had landed, in ns; None where that is unknown.

    It begins with the decision, or, where the events are those of a replay, with the order's acceptance.
    """
    record = order.record
    if not order.landed or not record.landed_ns:
        return None
    return record.landed_ns - (order.decided_ts if is_of_now(order) else record.accepted_ns)


def is_of_now(order: LiveOrder) -> bool:
    """Return whether the event of an order's decision had the time of this machine's clock."""
    return 0 <= order.record.accepted_ns - order.decided_ts <= _MAX_DECIDED_AGO_NS


def _rate(sent: Sequence[LiveOrder]) -> Json:
    landed = sum(order.landed for order in sent)
    low, high = wilson_interval(landed, len(sent))
    return {"sent": len(sent), "landed": landed, "rate": landed / len(sent) if sent else None, "low": low, "high": high}


def _quantiles(values: Sequence[float]) -> Json:
    if not values:
        return {f"p{q}": None for q in _QUANTILES}
    return {f"p{q}": round(float(np.percentile(values, q)), 1) for q in _QUANTILES}


def _mean(values: Any) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _by_lanes(sent: Sequence[LiveOrder]) -> list[Json]:
    """Return the figures of each set of lanes that accepted the same orders; of a single lane they are its own."""
    groups: dict[str, list[LiveOrder]] = defaultdict(list)
    for order in sent:
        groups[order.record.accepted_by].append(order)
    return [
        {"lanes": lanes, "is_exact": "+" not in lanes, **_rate(group), **_times(group)}
        for lanes, group in sorted(groups.items())
    ]


def _times(group: Sequence[LiveOrder]) -> Json:
    latencies = [ns / _MS for ns in map(latency_ns, group) if ns is not None]
    slots = [one.record.landed_slot - one.record.built_slot for one in group if one.landed and one.record.built_slot]
    return {"latency_ms": _quantiles(latencies), "slots": _quantiles(slots)}


def _lanes(orders: Sequence[LiveOrder]) -> list[Json]:
    """Return how each lane has replied."""
    found: dict[str, Json] = {}
    for order in orders:
        for name, lane in order.record.lanes.items():
            row = found.setdefault(name, {"lane": name, "accepted": 0, "failed": 0, "last_error": ""})
            row["accepted"] += lane.accepted
            row["failed"] += lane.failed
            row["last_error"] = lane.error or row["last_error"]
    return [found[name] for name in sorted(found)]


def _latency(sent: Sequence[LiveOrder], assumed: FillModel) -> Json:
    known = [(order, ns) for order in sent if (ns := latency_ns(order)) is not None]
    fitted_ms = None
    if known:
        # The logarithm of the median, shrunk towards that of the assumed latency.
        logs = np.log([float(np.median([max(ns, 1) for _, ns in known])), max(assumed.latency_ns, _MS)])
        fitted_ms = round(float(np.exp(np.average(logs, weights=[len(known), _PRIOR_LATENCIES]))) / _MS)
    return {
        "from_decision": sum(is_of_now(order) for order, _ in known),
        "from_acceptance": sum(not is_of_now(order) for order, _ in known),
        **_times(sent),
        "assumed_ms": assumed.latency_ns // _MS,
        "fitted_ms": fitted_ms,
    }


def _fit(fit: LandingFit, curve: LandingCurve, sent: Sequence[LiveOrder]) -> Json:
    return {
        "landing_max": {**_estimate(fit.maximum()), "assumed": curve.maximum},
        "landing_half_lamports": {**_estimate(fit.half()), "assumed": curve.half},
        "bids": [_bin(fit, curve, group) for group in _binned(sent)],
    }


def _estimate(estimate: Estimate) -> Json:
    return {"fitted": estimate.value, "low": estimate.low, "high": estimate.high}


def _binned(sent: Sequence[LiveOrder]) -> list[list[LiveOrder]]:
    """Return the orders in up to four groups of about equal size by their bid; similar bids stay together."""
    levels = np.rint(np.log([max(order.bid_lamports, 1) for order in sent]) / _EQUAL)
    ordered = np.sort(levels)
    edges = np.unique(ordered[[len(ordered) * part // _BINS for part in range(_BINS)]]) if len(sent) else ordered
    groups: list[list[LiveOrder]] = [[] for _ in edges]
    for order, group in zip(sent, np.searchsorted(edges, levels, side="right") - 1, strict=True):
        groups[int(group)].append(order)
    return groups


def _bin(fit: LandingFit, curve: LandingCurve, group: Sequence[LiveOrder]) -> Json:
    bids = np.array([order.bid_lamports for order in group], np.float64)
    rate = _rate(group)
    assumed = _mean(curve.rate(bids)) or 0.0
    return {
        "from_lamports": int(bids.min()),
        "to_lamports": int(bids.max()),
        **rate,
        "fitted": _mean(fit.curve.rate(bids)),
        "assumed": assumed,
        "contradicts": not rate["low"] <= assumed <= rate["high"],
    }


def _prices(orders: Sequence[LiveOrder], parity_bps: Sequence[float]) -> Json:
    """Return how much worse live prices were than the quotes at the decisions, and than the simulated fills, in bps."""
    slippage = [order.slippage_bps for order in orders if order.slippage_bps is not None]
    compared = [error for error in parity_bps if abs(error) != MISSED_BPS]
    return {
        "quote": {"fills": len(slippage), "mean": _mean(slippage), **_quantiles(slippage)},
        "simulated": {"fills": len(compared), "mean": _mean(compared), **_quantiles(compared)},
        "only_simulated_landed": sum(error == MISSED_BPS for error in parity_bps),
        "only_live_landed": sum(error == -MISSED_BPS for error in parity_bps),
    }


def _costs(sent: Sequence[LiveOrder], assumed: FillModel) -> Json:
    """Return the mean cost of an order that did not trade, and the mean bid, in lamports."""
    lost = [order.network_fee_lamports for order in sent if order.record.outcome != "landed"]
    return {
        "failure_lamports": _mean(lost),
        "assumed_failure_lamports": assumed.base_fee_lamports + assumed.priority_fee_lamports,
        "priority_fee_lamports": _mean([order.record.priority_fee_lamports for order in sent]),
        "assumed_priority_fee_lamports": assumed.priority_fee_lamports,
        "tip_lamports": _mean([order.record.tip_lamports for order in sent]),
        "assumed_tip_lamports": assumed.tip_lamports,
    }
