from pathlib import Path

import pytest

from memesnipe.errors import StrategyError
from memesnipe.sdk.registry import discover

GOOD = """
from memesnipe.sdk import HOLD, PRICE, Strategy
class {name}(Strategy):
    subscriptions = (PRICE,)
    def on_event(self, p, s, e):
        return HOLD
"""


def test_every_file_without_an_underscore_is_a_family_under_its_name(tmp_path: Path) -> None:
    for file, name in (("b.py", "One"), ("a.py", "Two"), ("_template.py", "Three")):
        (tmp_path / file).write_text(GOOD.format(name=name))
    families = discover(tmp_path)
    assert list(families) == ["a", "b"]
    assert [family.family for family in families.values()] == ["a", "b"]


def test_the_bundled_families_are_found_by_default() -> None:
    assert {"momentum_5m", "mean_revert_1h", "social_buzz"} <= set(discover())


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = 1", "holds 0 strategies"),
        (GOOD.format(name="One") + GOOD.format(name="Two"), "holds 2 strategies"),
        ("def broken(:", "SyntaxError"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("from memesnipe.sdk import param\nx = param(2, 1, default=1)", "low <= default <= high"),
        ("raise ValueError('no')", "ValueError: no"),
    ],
)
def test_a_file_that_breaks_a_rule_is_named_with_the_rule(tmp_path: Path, source: str, says: str) -> None:
    (tmp_path / "bad.py").write_text(source)
    with pytest.raises(StrategyError, match=says) as refused:
        discover(tmp_path)
    assert "bad.py" in str(refused.value)


def test_a_folder_without_strategies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="no strategy found"):
        discover(tmp_path)
