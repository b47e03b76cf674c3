"""The calibrated market has the measured figures, and the page shows the table of all of them."""

import re
from pathlib import Path

import numpy as np
import pytest

from memesnipe.feeds.synth_market.market import SynthMarket
from memesnipe.market.events import join
from memesnipe.testing.market_figures import Figures, MarketTrades, all_figures
from memesnipe.testing.market_targets import TARGETS, Target

PAGE = Path(__file__).resolve().parents[2] / "docs" / "synthetic-market.md"
WIDER = 2.0  # a single seed varies more than the median on the page


@pytest.fixture(scope="module")
def figures() -> Figures:
    market = SynthMarket(seed=4, tokens=21_800, hours=24.0)
    return all_figures(MarketTrades.of(join(*market.windows(1800.0)), market.launches))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.key)
def test_a_day_has_the_measured_figure(figures: Figures, target: Target) -> None:
    assert target.low / WIDER <= figures[target.key] <= target.high * WIDER


def test_figures_follow_their_definition() -> None:
    market = SynthMarket(seed=2, tokens=400, hours=1.0)
    trades = MarketTrades.of(join(*market.windows(1800.0)), market.launches)
    assert trades.counts.sum() == len(trades.token)
    assert (np.diff(trades.token) >= 0).all()
    of_first = trades.token == 0
    assert (np.diff(trades.ts[of_first]) >= 0).all()
    assert trades.age_s[0] == 0.0
    assert trades.top_sol().max() == max(trades.pool_sol[trades.is_curve].max(), 115.0 * (~trades.is_curve).any())


def test_the_page_shows_every_figure() -> None:
    rows = re.findall(
        r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \| [^|]+ \| (?:yes|\*\*no\*\*) \| ([^|]+) \|$", PAGE.read_text(), re.M
    )
    shown = [
        (label.removesuffix(" (set)"), float(measured.replace(",", "")), source) for label, measured, source in rows
    ]
    assert [(label, source) for label, _, source in shown] == [(t.label, t.source) for t in TARGETS]
    assert [value for _, value, _ in shown] == pytest.approx([t.measured for t in TARGETS], rel=0.01)
    for image in re.findall(r"\((img/[^)]+)\)", PAGE.read_text()):
        assert (PAGE.parent / image).is_file(), image
