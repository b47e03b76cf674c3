"""The landing report on orders whose landing is known: the fit finds it, and says where the simulation is wrong."""

from dataclasses import replace

import pytest

from memesnipe.cli.landing_text import landing_text
from memesnipe.engine.fills import FillModel
from memesnipe.execution.landing_record import LandingRecord, LaneRecord
from memesnipe.runtime.landing_report import landing_report, latency_ns
from memesnipe.runtime.simulated_orders import MEDIAN_LATENCY_MS, TRUTH, simulated_orders
from memesnipe.storage.live_orders import LiveOrder

ASSUMED = FillModel()
MS = 1_000_000


def order(outcome: str = "landed", **measured: object) -> LiveOrder:
    """Return an order that was decided at 1,000 s; sent after 100 ms, unknown after 600 ms, seen after 1,100 ms."""
    start = 10**12
    record = LandingRecord(
        accepted_ns=start + 50 * MS, built_ns=start + 90 * MS, built_slot=7, signed_ns=start + 95 * MS,
        sent_ns=start + 100 * MS, sends=2, lanes={"rpc": LaneRecord(2, 0, start)}, absent_ns=start + 600 * MS,
        seen_ns=start + 1_100 * MS, landed_slot=9, priority_fee_lamports=90_000, tip_lamports=20_000, outcome=outcome,
    )  # fmt: skip
    for name, value in measured.items():
        setattr(record, name, value)
    return LiveOrder("live-s-1", "s", start, 115_000, record)


def test_the_fit_finds_the_landing_and_the_latency_of_simulated_orders() -> None:
    report = landing_report(simulated_orders(3_000, 5), ASSUMED)
    fit = report["fit"]
    assert fit["landing_max"]["low"] <= TRUTH.maximum <= fit["landing_max"]["high"]
    assert fit["landing_half_lamports"]["low"] <= TRUTH.half <= fit["landing_half_lamports"]["high"]
    assert report["latency"]["fitted_ms"] == pytest.approx(MEDIAN_LATENCY_MS, rel=0.2), "within a poll's half second"
    assert all(group["contradicts"] for group in fit["bids"][:3])
    assert all(group["fitted"] == pytest.approx(group["rate"], abs=0.05) for group in fit["bids"])
    assert set(report["settings"]) == {"LANDING_MAX", "LANDING_HALF_LAMPORTS", "LATENCY_MS"}
    assert sum(report["outcomes"].values()) == report["orders"] == 3_000


def test_where_the_simulation_is_right_nothing_contradicts_it() -> None:
    right = FillModel(landing_max=TRUTH.maximum, landing_half_lamports=int(TRUTH.half))
    report = landing_report(simulated_orders(2_000, 6), right)
    assert not any(group["contradicts"] for group in report["fit"]["bids"])


def test_latency_ends_between_two_questions_and_begins_with_a_decision_of_now() -> None:
    assert latency_ns(order()) == 850 * MS
    assert latency_ns(order(absent_ns=0)) == 600 * MS, "since the first send"
    replayed = replace(order(), decided_ts=5)
    assert latency_ns(replayed) == 800 * MS, "since its acceptance"
    report = landing_report([order(), replayed], ASSUMED)
    assert (report["latency"]["from_decision"], report["latency"]["from_acceptance"]) == (1, 1)
    assert latency_ns(order("expired")) is None
    assert latency_ns(order(seen_ns=0)) is None


def test_a_price_beyond_the_tolerance_counts_as_landed_and_an_unsent_order_not_at_all() -> None:
    outcomes = ("landed", "slipped", "failed", "expired", "unsent", "cancelled", "")
    report = landing_report([order(outcome) for outcome in outcomes], ASSUMED)
    assert (report["landing"]["sent"], report["landing"]["landed"]) == (4, 2)
    assert report["outcomes"]["open"] == 1
    assert report["landing"]["assumed"] == pytest.approx(0.95 * 110 / 116)


def test_what_the_bids_follow_is_counted() -> None:
    bases = [("estimate", "estimate"), ("stale", "estimate"), ("", "")]
    orders = [order(priority_fee_basis=fee, tip_basis=tip) for fee, tip in bases]
    report = landing_report(orders, ASSUMED)
    assert report["bids_follow"] == {"priority_fee": {"estimate": 1, "stale": 1}, "tip": {"estimate": 2}}
    assert "bids      priority fee from: estimate 1, stale 1" in landing_text({"run_id": 1, **report})


def test_only_orders_that_one_lane_accepted_are_attributed_exactly() -> None:
    both = {"rpc": LaneRecord(1, 0, 1), "jito": LaneRecord(1, 0, 1)}
    refused = {"rpc": LaneRecord(1, 0, 1), "jito": LaneRecord(0, 3, 0, "429")}
    none = {"jito": LaneRecord(0, 1, 0, "timeout")}
    orders = [order(lanes=both), order(lanes=refused), order(lanes=none, outcome="expired")]
    report = landing_report(orders, ASSUMED)
    assert [(one["lanes"], one["is_exact"], one["sent"]) for one in report["accepted_by"]] == [
        ("jito+rpc", False, 1), ("none", True, 1), ("rpc", True, 1),
    ]  # fmt: skip
    assert report["lanes"] == [
        {"lane": "jito", "accepted": 1, "failed": 4, "last_error": "timeout"},
        {"lane": "rpc", "accepted": 2, "failed": 0, "last_error": ""},
    ]


def test_prices_are_compared_with_quotes_and_with_simulated_fills() -> None:
    orders = [replace(order(), slippage_bps=bps) for bps in (0.0, 100.0, 200.0)]
    prices = landing_report([*orders, order("expired")], ASSUMED, [50.0, -10.0, 10_000.0, -10_000.0, 10_000.0])[
        "prices"
    ]
    assert (prices["quote"]["fills"], prices["quote"]["mean"], prices["quote"]["p50"]) == (3, 100.0, 100.0)
    assert (prices["simulated"]["fills"], prices["simulated"]["mean"]) == (2, 20.0)
    assert (prices["only_simulated_landed"], prices["only_live_landed"]) == (2, 1)


def test_few_orders_take_little_over_and_none_nothing() -> None:
    report = landing_report([order("expired")] * 2, ASSUMED)
    assert float(report["settings"]["LANDING_MAX"]) > 0.93
    assert "LATENCY_MS" not in report["settings"]
    empty = landing_report([], ASSUMED)
    assert empty["settings"] == {}
    assert (empty["landing"]["rate"], empty["fit"]["bids"]) == (None, [])


def test_the_cost_of_not_trading_is_what_the_chain_took() -> None:
    lost = [replace(order("expired"), network_fee_lamports=0), replace(order("failed"), network_fee_lamports=95_000)]
    costs = landing_report([order(), *lost], ASSUMED)["costs"]
    assert (costs["failure_lamports"], costs["assumed_failure_lamports"]) == (47_500, 105_000)
