"""Two lines of the table in docs/statistics.md, smaller; `make honesty` makes all of it."""

from benchmarks.false_discovery import search_market
from memesnipe.testing.labelled_markets import Edge


def test_nothing_is_promotable_where_there_is_nothing_to_find() -> None:
    found = search_market(Edge.NOISE, 0, generations=5)
    assert found.promotable == 0
    assert found.best_deflated < 0.5


def test_an_edge_that_is_there_is_found_and_used() -> None:
    found = search_market(Edge.SOCIAL, 0, generations=5)
    assert found.found > 0
    assert found.best_holdout_return > 0.0
    assert found.best_deflated > 0.95
