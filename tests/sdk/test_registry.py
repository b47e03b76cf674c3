"""Discovery: the files that are families, and the errors of those that are not."""

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


def test_files_without_leading_underscore_are_families(tmp_path: Path) -> None:
    for file, name in (("b.py", "One"), ("a.py", "Two"), ("_template.py", "Three")):
        (tmp_path / file).write_text(GOOD.format(name=name))
    families = discover(tmp_path)
    assert list(families) == sorted(["a", "b", *discover()])
    assert {family.family for family in families.values()} == set(families)


def test_only_bundled_families_are_found_by_default() -> None:
    assert list(discover()) == sorted(path.stem for path in BUNDLED.glob("[!_]*.py"))
    assert len(discover()) == 10


def test_each_folder_is_searched_once(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.py").write_text(GOOD.format(name="Mine"))
    found = discover(tmp_path / "one", tmp_path / "two", tmp_path / "two" / ".." / "one", BUNDLED)
    assert {"one", "two"} == set(found) - set(discover())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1", " contains 0 strategies"),
        (GOOD.format(name="One") + GOOD.format(name="Two"), " contains 2 strategies"),
        ("x = 1\ndef broken(:", ":2: SyntaxError: "),
        ("x = 1\nimport os", ":2: a strategy imports only from memesnipe.sdk, not os"),
        ("from memesnipe.sdk import parm", ":1: memesnipe.sdk has no name parm (did you mean param?)"),
        ("from memesnipe.sdk import param\nx = param(2, 1, default=1)", ":2: param(2, 1, default=1): need low"),
        ("from memesnipe.sdk import param\nx = param('a', 2, default=1)", ":2: does not load: TypeError: "),
        (
            "from memesnipe.sdk import param\nx = param(0, 1e19, default=1)",
            ":2: param(0, 1e+19, default=1): must",
        ),
        (GOOD.format(name="One").replace("(PRICE,)", "()"), ":3: One: subscriptions is empty"),
        (GOOD.format(name="One").replace("HOLD\n", "e.price\n").replace("HOLD, ", ""), ":6: e.price is not a field"),
    ],
)
def test_an_error_names_file_line_and_rule(tmp_path: Path, source: str, expected: str) -> None:
    (tmp_path / "bad.py").write_text(source)
    with pytest.raises(StrategyError) as refused:
        discover(tmp_path)
    assert str(refused.value).startswith(f"{tmp_path / 'bad.py'}{expected}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("added", "line", "expected"),
    [
        ("raise SystemExit(0)", 7, "this is `raise`"),
        ("if __name__ != '__main__':\n    raise SystemExit(0)", 7, "this is `if`"),
        ("print('loaded')", 7, "this is an expression"),
        ("while True:\n    pass", 7, "this is a loop"),
        ("def again():\n    return again()", 7, "this is a function"),
        ("X = print('loaded')", 7, "print() cannot be called here; only functions of the SDK can"),
        ("X = [1 for _ in iter(int, 1)]", 7, "is not a number constant"),
        ("X = 9**9**9", 7, "an exponent must be at most 64"),
        ("A = 2**62\nB = A * A", 8, "a constant must be a finite number, and an integer must fit into 64 bits"),
        ("A = 1e999", 7, "a constant must be a finite number"),
        ("A = 1 // 0", 7, "integer division or modulo by zero"),
        ("A = 'x'\nB = A * 10**10", 8, "A is not a number constant"),
        ("    def __init_subclass__(cls):\n        exit()", 7, "a strategy has only the function on_event"),
        ("    x = exit()", 7, "exit() cannot be called here"),
        ("    for i in (1, 2):\n        pass", 7, "contains only declarations and on_event, but this is a loop"),
        ("    @print\n    def on_event(p, s, e):\n        return HOLD", 7, "on_event takes no decorator"),
        ("    def on_event(p, s, e=exit()):\n        return HOLD", 7, "on_event takes exactly the arguments (p, s, e)"),
        (
            "    def on_event(p: exit(), s, e):\n        return HOLD",
            7,
            "on_event takes exactly the arguments (p, s, e)",
        ),
        ("    x: exit() = 1", 7, "but this is an assignment"),
        ("class Other(print()):\n    pass", 7, "the class of a strategy has no decorator and derives from Strategy"),
        ("        x = " + "+".join(["1"] * 100), 7, "is nested more than 60 levels deep"),
        ("        x = " + "-" * 100 + "1", 7, "is nested more than 60 levels deep"),
    ],
)
def test_loading_a_file_executes_only_declarations(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], added: str, line: int, expected: str
) -> None:
    (tmp_path / "bad.py").write_text(GOOD.format(name="One") + added + "\n")
    with pytest.raises(StrategyError) as refused:
        discover(tmp_path)
    assert str(refused.value).startswith(f"{tmp_path / 'bad.py'}:{line}: ")
    assert expected in str(refused.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (GOOD.format(name="One") + "#" * 70_000, "bad.py is larger than 65536 bytes"),
        (GOOD.format(name="One") + "".join(f"A{i} = {i}\n" for i in range(1_000)), "at most 3000 are allowed"),
        (GOOD.format(name="One") + "A = " + "+".join(["1"] * 20_000), "bad.py is nested too deeply"),
        (GOOD.format(name="One") + "A = " + "(" * 300 + ")" * 300, "bad.py:7: SyntaxError: too many nested"),
        ("A = " + "9" * 5000, "bad.py:1: SyntaxError: Exceeds the limit"),
    ],
)
def test_large_or_deeply_nested_files_are_rejected(tmp_path: Path, source: str, expected: str) -> None:
    (tmp_path / "bad.py").write_text(source)
    with pytest.raises(StrategyError) as refused:
        discover(tmp_path)
    assert expected in str(refused.value)


def test_number_constants_and_annotations_are_allowed(tmp_path: Path) -> None:
    source = GOOD.format(name="One").replace("class", "DAY = 24 * 3600\nHALF: float = -DAY / 2**1\nMINE = PRICE\nclass")
    (tmp_path / "good.py").write_text(source.replace("(p, s, e)", "(p: object, s, e) -> int"))
    assert "good" in discover(tmp_path)


@pytest.mark.parametrize("name", ["two words.py", "Upper.py", "1st.py", "a+b.py", "x" * 65 + ".py", "\x1b[1m.py"])
def test_invalid_family_names_are_rejected(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(GOOD.format(name="One"))
    (tmp_path / ".hidden.py").write_text("not Python")
    with pytest.raises(StrategyError, match="the file's name is the family's: only") as refused:
        discover(tmp_path)
    assert str(refused.value).isprintable()


def test_a_folder_named_like_a_strategy_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "bad.py").mkdir()
    with pytest.raises(StrategyError, match=r"bad.py cannot be read as Python: "):
        discover(tmp_path)


def test_forbidden_imports_are_rejected_before_execution(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("open(__file__ + '.ran', 'w')\nimport os")
    with pytest.raises(StrategyError, match="not os"):
        discover(tmp_path)
    assert not (tmp_path / "bad.py.ran").exists()


def test_errors_name_paths_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "bad.py").write_text("x = 1")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StrategyError, match=r"^mine/bad.py contains 0"):
        discover(Path("mine"))


def test_two_files_with_the_same_name_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "momentum_5m.py").write_text(GOOD.format(name="Mine"))
    with pytest.raises(StrategyError, match="have the same name") as refused:
        discover(tmp_path)
    assert str(tmp_path / "momentum_5m.py") in str(refused.value)
    assert "strategies/momentum_5m.py and" in str(refused.value)


def test_a_missing_or_empty_folder_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="no strategy found in"):
        discover(tmp_path)
    with pytest.raises(StrategyError, match="there is no folder"):
        discover(tmp_path / "none")
