"""`memesnipe strategies`: its orders are those that the database knows."""

from memesnipe.cli.run_strategies import Sort
from memesnipe.storage.strategy_list import SortKey


def test_each_order_is_known() -> None:
    assert {sort.value for sort in Sort} <= {key.value for key in SortKey}
