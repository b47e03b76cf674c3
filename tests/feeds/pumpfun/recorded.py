"""Recorded frames, events and trades of pump.fun, for the tests that need them."""

import json
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[4] / "shared"
FRAMES = SHARED / "data/wire/helius/logs_subscribe_pumpfun.jsonl"
SAMPLES = SHARED / "reference/specs/pump/real_event_samples.json"
TRADES = SHARED / "data/pump_curve_trades.csv.gz"

needs_frames = pytest.mark.skipif(not FRAMES.is_file(), reason="there are no recorded frames")
needs_samples = pytest.mark.skipif(not SAMPLES.is_file(), reason="there are no recorded events")
needs_trades = pytest.mark.skipif(not TRADES.is_file(), reason="there are no recorded trades")


def recorded_frames() -> list[str]:
    """Return the text of each recorded frame."""
    return [json.loads(line)["raw"] for line in FRAMES.read_text().splitlines()]
