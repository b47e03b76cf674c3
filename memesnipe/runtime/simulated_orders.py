"""Live orders of a chain with known landing, to see how the fit behaves: `memesnipe landing --simulated`."""

from typing import Final

import numpy as np

from memesnipe.execution.landing_record import LandingRecord, LaneRecord
from memesnipe.stats.landing_fit import LandingCurve
from memesnipe.storage.live_orders import LiveOrder

TRUTH: Final = LandingCurve(0.8, 20_000.0)
MEDIAN_LATENCY_MS: Final = 900.0
_LATENCY_DEVIATION: Final = 0.4  # of its logarithm
_POLL_NS: Final = 500_000_000
_SLOT_NS: Final = 300_000_000
_BASE_FEE: Final = 5_000
_START_NS: Final = 1_790_000_000 * 10**9
_FAILED: Final = 0.4  # of the orders that do not land: an error on the chain; the others expire


def simulated_orders(count: int, seed: int) -> list[LiveOrder]:
    """Return orders that land as TRUTH says, after a median of MEDIAN_LATENCY_MS; bids span three decades."""
    draw = np.random.default_rng(seed)
    bids = np.exp(draw.uniform(np.log(1_000), np.log(1_000_000), count)).astype(np.int64)
    lands = draw.random(count) < TRUTH.rate(bids.astype(np.float64))
    latencies = MEDIAN_LATENCY_MS * 1e6 * np.exp(_LATENCY_DEVIATION * draw.standard_normal(count))
    fails, both = draw.random(count) < _FAILED, draw.random(count) < 0.5
    columns = zip(bids.tolist(), lands.tolist(), latencies.tolist(), fails.tolist(), both.tolist(), strict=True)
    return [_order(number, *row) for number, row in enumerate(columns, start=1)]


def _order(number: int, bid: int, lands: bool, latency_ns: float, fails: bool, both: bool) -> LiveOrder:
    start = _START_NS + number * 60 * 10**9
    tip = bid // 10
    outcome = "landed" if lands else "failed" if fails else "expired"
    polls = int(latency_ns // _POLL_NS)
    record = LandingRecord(
        accepted_ns=start + 10_000_000,
        built_ns=start + 110_000_000,
        built_slot=1_000_000 + number * 200,
        priority_fee_lamports=bid - tip,
        tip_lamports=tip,
        signed_ns=start + 120_000_000,
        sent_ns=start + 125_000_000,
        sends=1 + polls,
        lanes={name: LaneRecord(1 + polls, 0, start) for name in (("jito", "rpc") if both else ("rpc",))},
        outcome=outcome,
    )
    if outcome != "expired":
        record.landed_slot = record.built_slot + int(latency_ns // _SLOT_NS)
        # Seen at the next poll; the one before did not know it.
        record.seen_ns, record.absent_ns = start + (polls + 1) * _POLL_NS, start + polls * _POLL_NS
        record.absent_ns = max(record.absent_ns, record.sent_ns)
    fee = {"landed": _BASE_FEE + bid, "failed": _BASE_FEE + bid - tip, "expired": 0}[outcome]
    return LiveOrder(f"simulated-{number}", "simulated", start, fee, record)
