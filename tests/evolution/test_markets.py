"""Two rows of the table in docs/statistics.md at a smaller size; `make honesty` computes the whole table."""

from benchmarks.false_discovery import search_market
from memesnipe.testing.labelled_markets import Edge


def test_no_champion_is_promotable_on_noise() -> None:
    found = search_market(Edge.NOISE, 0, hours=6.0, generations=4)
    assert found.promotable == 0
    assert found.best_deflated < 0.5


def test_a_planted_edge_is_found_and_profitable() -> None:
    found = search_market(Edge.SOCIAL, 0, hours=6.0, generations=4)
    assert found.found > 0
    assert found.best_holdout_return > 0.0
    assert found.best_deflated > 0.95
