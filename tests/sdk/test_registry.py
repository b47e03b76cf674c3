"""Discovery: which files are families, and what is said of those that are none."""

from pathlib import Path

import pytest

from memesnipe.errors import StrategyError
from memesnipe.sdk.registry import BUNDLED, discover

GOOD = """
from memesnipe.sdk import HOLD, PRICE, Strategy
class {name}(Strategy):
    subscriptions = (PRICE,)
    def on_event(p, s, e):
        return HOLD
"""


def test_every_file_without_an_underscore_is_a_family_under_its_name(tmp_path: Path) -> None:
    for file, name in (("b.py", "One"), ("a.py", "Two"), ("_template.py", "Three")):
        (tmp_path / file).write_text(GOOD.format(name=name))
    families = discover(tmp_path)
    assert list(families) == sorted(["a", "b", *discover()])
    assert {family.family for family in families.values()} == set(families)


def test_the_bundled_families_alone_are_found_by_default() -> None:
    assert list(discover()) == sorted(path.stem for path in BUNDLED.glob("[!_]*.py"))
    assert len(discover()) == 10


def test_several_folders_are_searched_each_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.py").write_text(GOOD.format(name="Mine"))
    found = discover(tmp_path / "one", tmp_path / "two", tmp_path / "two" / ".." / "one", BUNDLED)
    assert {"one", "two"} == set(found) - set(discover())


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = 1", " holds 0 strategies"),
        (GOOD.format(name="One") + GOOD.format(name="Two"), " holds 2 strategies"),
        ("x = 1\ndef broken(:", ":2: SyntaxError: "),
        ("x = 1\nimport os", ":2: a strategy imports from memesnipe.sdk alone, not os"),
        ("from memesnipe.sdk import parm", ":1: memesnipe.sdk has nothing called parm (did you mean param?)"),
        ("from memesnipe.sdk import param\nx = param(2, 1, default=1)", ":2: param(2, 1, default=1): need low"),
        ("\nraise ValueError('no\\nsecond line')", ":2: does not load: ValueError: no"),
        (GOOD.format(name="One").replace("(PRICE,)", "()"), ":3: One: subscriptions is empty"),
        (GOOD.format(name="One").replace("HOLD\n", "e.price\n").replace("HOLD, ", ""), ":6: e.price is not a field"),
    ],
)
def test_a_file_that_breaks_a_rule_is_named_with_the_line_and_the_rule(tmp_path: Path, source: str, says: str) -> None:
    (tmp_path / "bad.py").write_text(source)
    with pytest.raises(StrategyError) as refused:
        discover(tmp_path)
    assert str(refused.value).startswith(f"{tmp_path / 'bad.py'}{says}")
    assert "\n" not in str(refused.value)


def test_a_folder_with_the_name_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.py").mkdir()
    with pytest.raises(StrategyError, match=r"bad.py cannot be read as Python: "):
        discover(tmp_path)


def test_what_a_file_imports_is_refused_before_it_runs(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("open(__file__ + '.ran', 'w')\nimport os")
    with pytest.raises(StrategyError, match="not os"):
        discover(tmp_path)
    assert not (tmp_path / "bad.py.ran").exists()


def test_a_folder_is_named_as_its_author_knows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "bad.py").write_text("x = 1")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StrategyError, match=r"^mine/bad.py holds 0"):
        discover(Path("mine"))


def test_two_files_of_one_name_are_refused_with_both(tmp_path: Path) -> None:
    (tmp_path / "momentum_5m.py").write_text(GOOD.format(name="Mine"))
    with pytest.raises(StrategyError, match="have the same name") as refused:
        discover(tmp_path)
    assert str(tmp_path / "momentum_5m.py") in str(refused.value)
    assert "strategies/momentum_5m.py and" in str(refused.value)


def test_a_folder_that_is_not_there_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="no strategy found in"):
        discover(tmp_path)
    with pytest.raises(StrategyError, match="there is no folder"):
        discover(tmp_path / "none")
