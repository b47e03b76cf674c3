"""The key of a search covers everything that its results depend on; changes are named."""

from pathlib import Path
from typing import Any

import pytest

from memesnipe.engine.fills import FillModel
from memesnipe.runtime.search_key import changes, key_of
from memesnipe.sdk.registry import discover

SEARCH = {"population_size": 8, "mutation_rate": 0.2, "crossover_rate": 0.7, "tournament_size": 3}
SOURCE = """
from memesnipe.sdk import BUY, PRICE, SELL, Strategy
class Mine(Strategy):
    subscriptions = (PRICE,)
    def on_event(p, s, e):
        return BUY
"""


def _key(folder: Path, seed: int = 1, capital: float = 1000.0, landing_seed: int = 0, **changed: Any) -> dict[str, Any]:
    fills = {name: value for name, value in changed.items() if name in FillModel._fields}
    search = SEARCH | {name: value for name, value in changed.items() if name in SEARCH}
    return key_of(seed, search, capital, FillModel(seed=landing_seed, **fills), discover(folder))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(SOURCE)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"seed": 2}, "--seed was 1 and is 2"),
        ({"population_size": 9}, "--population was 8 and is 9"),
        ({"mutation_rate": 0.3}, "MUTATION_RATE was 0.2 and is 0.3"),
        ({"capital": 500.0}, "SHADOW_CAPITAL_USD was 1000.0 and is 500.0"),
        ({"slippage_bps": 7}, "SLIPPAGE_BPS was "),
        ({"landing_seed": 5}, "SEED was 0 and is 5"),
    ],
)
def test_each_parameter_is_named(folder: Path, changed: dict[str, Any], expected: str) -> None:
    before, now = _key(folder), _key(folder, **changed)
    (found,) = changes(before, now)
    assert found.startswith(expected)
    assert changes(now, now) == []


def test_a_strategy_with_changed_code_changes_the_key(folder: Path) -> None:
    before = _key(folder)
    (folder / "mine.py").write_text(SOURCE.replace("return BUY", "return SELL"))
    assert changes(before, _key(folder)) == ["the strategy mine has changed"]
    (folder / "mine.py").rename(folder / "other.py")
    assert changes(before, _key(folder)) == ["the strategy mine was removed", "the strategy other is new"]


def test_the_engine_and_the_version_are_part_of_the_key(folder: Path) -> None:
    now = _key(folder)
    assert changes(now | {"engine": "old"}, now) == ["MemeSnipe's code has changed"]
    assert changes({"seed": 1, "families": ["momentum_5m"]}, now)
