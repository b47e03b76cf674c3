"""Each rule of a strategy: the code that breaks it, the reported line and the message; and code that is allowed."""

import ast
import importlib.util
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest
from numba import njit

from memesnipe.errors import StrategyError
from memesnipe.sdk import Strategy
from memesnipe.sdk.checks import check, check_imports, explain
from memesnipe.sdk.loops import loop_of
from memesnipe.sdk.registry import BUNDLED, discover

HEADER = '''
"""A strategy."""
from memesnipe.sdk import BUY, BRIDGE, DEPTH, HOLD, PRICE, SELL, SOCIAL, Strategy, blend, decay, param, state
import math
FAST = 8.0
WORDS = ("one", "two")
MINE = PRICE
'''
CLASS = """
class Mine(Strategy):
    subscriptions = (PRICE, SOCIAL)
    rise = param(0.01, 0.5, default=0.1)
    mean_price = state()
    last_ts = state("i8")
    def on_event(p, s, e):
"""
BODY_LINE = (HEADER + CLASS).count("\n")  # the line of the first statement


def made(path: Path, source: str) -> type[Strategy]:
    """Return the strategy of a file."""
    path.write_text(source.removeprefix("\n"))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    strategy: type[Strategy] = module.Mine
    strategy.family = path.stem
    return strategy


def with_body(path: Path, body: str) -> type[Strategy]:
    return made(path, HEADER + CLASS + indent(dedent(body).strip("\n"), " " * 8) + "\n")


# Cases are separated by an empty line; `#!` marks the rejected line, followed by the expected message.
REJECTED = """
return BUY if e.volume > 1.0 else HOLD  #! e.volume is not a field of an event (did you mean volume_usd?)

return BUY if e.rate > 1.0 else HOLD  #! e.rate is a field of FUNDING events, which are missing in subscriptions

x = 1
x = e.price_usd  #! e.price_usd is not a field of SOCIAL events: read it only where e.kind == PRICE
return HOLD

if e.kind == PRICE:
    return HOLD
return BUY if e.price_usd > 1.0 else SELL  #! e.price_usd is not a field of SOCIAL events

if e.kind == PRICE:
    s.mean_price = 1.0
s.mean_price = e.price_usd  #! e.price_usd is not a field of SOCIAL
return HOLD

return BUY if e.price_usd > 1.0 and e.kind == PRICE else HOLD  #! e.price_usd is not a field of SOCIAL

return BUY if s.last_ts > 0 or e.kind == PRICE and e.mentions > 1.0 else HOLD  #! e.mentions is not a field of PRICE

return BUY if p.ris > 0.2 else HOLD  #! p.ris is not a declared parameter (did you mean rise?)

s.mean = 1.0  #! s.mean is not a declared state field
return HOLD

s.nothing = 1  #! s.nothing is not a declared state field
return HOLD

s.last += 1  #! s.last is not a declared state field (did you mean last_ts?)
return HOLD

p.rise = 0.2  #! p is read only
return HOLD

p.rise += 0.2  #! p is read only
return HOLD

e.ts = 1  #! e is read only
return HOLD

s = 1  #! s cannot be assigned
return HOLD

x = s  #! s can only be used with a field
return HOLD

s.last_ts = s.mean_price  #! s.last_ts is an integer, state("i8"), but this is a float
return HOLD

s.last_ts += 0.5  #! s.last_ts is an integer
return HOLD

x = 1
if s.last_ts > 0:
    x = 0.5
s.last_ts = x  #! s.last_ts is an integer
return HOLD

return s.mean_price  #! on_event returns BUY, SELL, SHORT or HOLD, but this is a float

return 2 * BUY  #! on_event returns BUY, SELL, SHORT or HOLD, but 2 * BUY may be another number

return BUY if e.ts > 1 else -3  #! but BUY if e.ts > 1 else -3 may be another number

return e.ts > 1 and e.side  #! may be another number

return s.last_ts  #! s.last_ts may be another number
s.last_ts = e.ts

if e.ts > 1:
    s.last_ts = BUY
    return s.last_ts  #! s.last_ts may be another number
s.last_ts += 1
return HOLD

x, y = BUY, e.side
x, y = y, x
return x  #! x may be another number

s.mean_price = e.ts
return int(s.mean_price)  #! int(s.mean_price) may be another number

return min(BUY, e.side)  #! min(BUY, e.side) may be another number

for i in range(3):  #! a loop is not allowed in on_event
    pass
return HOLD

while True:  #! a loop is not allowed
    pass
return HOLD

x = [1 for i in range(3)]  #! a comprehension is not allowed
return HOLD

x = max(i for i in WORDS)  #! max() takes two or more arguments
return HOLD

with WORDS:  #! with is not allowed
    pass
return HOLD

try:  #! try is not allowed
    pass
finally:
    pass
return HOLD

raise ValueError  #! raise is not allowed

assert e.ts > 0  #! assert is not allowed
return HOLD

x = 1
del x  #! delete is not allowed
return HOLD

match e.side:  #! match is not allowed
    case _:
        return HOLD

x = lambda: 1  #! lambda is not allowed
return HOLD

def inside():  #! a nested function is not allowed
    return 1
return HOLD

yield HOLD  #! yield is not allowed

x = 'a'  #! a string is not allowed
return HOLD

x = f'{e.ts}'  #! a string is not allowed
return HOLD

x = None  #! None is not a number
return HOLD

x = 1j  #! 1j is not a number
return HOLD

x = 9223372036854775808  #! does not fit into 64 bits
return HOLD

x = [1]  #! a list is not allowed
return HOLD

x = {}  #! a dict is not allowed
return HOLD

x = 1, 2  #! a tuple is not allowed
return HOLD

x, y = 1, 2, 3  #! a tuple is not allowed
return HOLD

x = WORDS[0]  #! an index is not allowed
return HOLD

import os  #! import is not allowed
return HOLD

global FAST  #! global is not allowed
FAST = 1.0
return HOLD

return HOLD if (x := 1) else BUY  #! `:=` is not allowed

x: int = 1  #! a type annotation is not allowed
return HOLD

x = print(1)  #! print() cannot be called; on_event may call blend,
return HOLD

x = math.sqrt(2.0)  #! math.sqrt() cannot be called
return HOLD

x = param(1, 2, default=1)  #! param() cannot be called
return HOLD

decay = 1
x = decay(1, 2.0)  #! decay() cannot be called
return HOLD

s.mean_price = blend(1.0, 2.0)  #! blend(mean, value, kept): missing a required argument: 'kept'
return HOLD

x = min(1.0)  #! min() takes two or more arguments
return HOLD

x = int(1.0, 2)  #! int() takes one argument
return HOLD

x = decay  #! decay can only be called
return HOLD

return HOLD if (e.ts > 1) & (e.ts > 2) else BUY  #! for conditions use and, or, not

return HOLD if ~e.side else BUY  #! ~ is not allowed

return HOLD if e.kind in WORDS else BUY  #! `in` and `is` are not allowed

return HOLD if FASTER > 1 else BUY  #! FASTER is not defined (did you mean FAST?)

x = WORDS  #! WORDS is not a number
return HOLD

x = math.pi  #! math.pi: only p, s and e have fields
return HOLD

x = e.ts.real  #! e.ts.real: only p, s and e have fields
return HOLD

if e.ts > 1:
    x = 1
return BUY if x > 0 else HOLD  #! x does not have a value on every path

x += 1  #! x does not have a value on every path
return HOLD

s.last_ts = 1  #! on_event must return BUY, SELL, SHORT or HOLD on every path

s.last_ts = 1
if e.ts > 1:  #! on_event must return BUY, SELL, SHORT or HOLD on every path
    return BUY

if e.ts > 1:
    return  #! on_event must return BUY, SELL, SHORT or HOLD on every path
return BUY

return HOLD
s.last_ts = 1  #! this line cannot be reached
"""
ALLOWED = """
x, y = 1, e.ts
x, y = y, x
a = b = 0.0
return BUY if x > y + a + b else HOLD

x = max(1, min(e.ts, 2, 3)) + abs(e.side) + int(float(3))
s.last_ts = x
return HOLD

s.mean_price = blend(1.0, value=2.0, kept=decay(e.ts, 3.0))
return HOLD

if e.ts > 1:
    x = 1
elif e.ts > 2:
    return BUY
else:
    x = 2
return BUY if x > 1 else HOLD

'''A docstring.'''
return HOLD

if e.kind == PRICE:
    s.mean_price = e.price_usd
else:
    s.mean_price = e.mentions
return HOLD

if e.kind != PRICE:
    return HOLD
return BUY if e.price_usd > 1.0 else HOLD

return BUY if e.kind == MINE and e.price_usd > 1.0 else HOLD

return HOLD if not e.kind == PRICE or e.price_usd > 1.0 else BUY

x = e.price_usd if e.kind == PRICE else e.sentiment
return BUY if x > 1.0 else HOLD

if e.ts > 1:
    s.last_ts = BUY
elif e.ts > 2:
    s.last_ts = s.last_ts
else:
    x, y = SELL, HOLD
    x, y = y, x
    s.last_ts = max(x, y, int(e.ts > 3))
return s.last_ts

return e.ts > 1 or -2

pass
if e.ts > 0:
    pass
return HOLD
"""


@pytest.mark.parametrize("body", REJECTED.strip().split("\n\n"))
def test_a_broken_rule_is_reported_with_its_line(tmp_path: Path, body: str) -> None:
    [(line, expected)] = [(i, text.split("#! ")[1]) for i, text in enumerate(body.splitlines()) if "#! " in text]
    strategy = with_body(tmp_path / "mine.py", body)
    with pytest.raises(StrategyError) as refused:
        check(strategy)
    message = str(refused.value)
    assert message.startswith(f"{tmp_path / 'mine.py'}:{BODY_LINE + line}: ")
    assert expected in message
    assert "\n" not in message


@pytest.mark.parametrize("body", ALLOWED.strip().split("\n\n"))
def test_valid_code_passes_the_checks_and_compiles(tmp_path: Path, body: str) -> None:
    strategy = with_body(tmp_path / "mine.py", body)
    assert "def on_event(p, s, e):" in check(strategy)
    assert loop_of(strategy).address


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        ("(p, s, e)", "(self, p, s, e)", 6, "on_event takes exactly the arguments (p, s, e), without self"),
        ("(p, s, e)", "(p, s, e=1)", 6, "on_event takes exactly the arguments (p, s, e)"),
        ("(p, s, e)", "(p, s, *e)", 6, "on_event takes exactly the arguments (p, s, e)"),
        ("    def", "    @staticmethod\n    def", 6, "on_event takes no decorator"),
        ("def on_event(p, s, e):\n", "on_event = lambda p, s, e: (\n", 6, "must be a function, written with def"),
        ("mean_price", "view", 4, "a parameter or state field cannot be called view"),
        ("mean_price", "mean_", 4, "cannot be called mean_"),
        ("rise", "family", 3, "cannot be called family"),
        ("last_ts", "make_state", 5, "cannot be called make_state"),
        ("(PRICE, SOCIAL)", "(99,)", 2, "must be a tuple of event kinds, such as (PRICE,); kinds: PRICE, SOCIAL"),
        ("(PRICE, SOCIAL)", "PRICE", 2, "subscriptions must be a tuple of event kinds"),
    ],
)  # fmt: skip
def test_declarations_of_a_class_are_checked(tmp_path: Path, old: str, new: str, line: int, expected: str) -> None:
    body = "        HOLD)\n" if "lambda" in new else "        return HOLD\n"
    strategy = made(tmp_path / "mine.py", HEADER + CLASS.replace(old, new) + body)
    with pytest.raises(StrategyError) as refused:
        check(strategy)
    assert str(refused.value).startswith(f"{tmp_path / 'mine.py'}:{HEADER.count(chr(10)) + line}: ")
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("source", "line", "expected"),
    [
        ("import os", 1, "a strategy imports only from memesnipe.sdk, not os"),
        ("x = 1\nfrom memesnipe.market import events", 2, "not memesnipe.market"),
        ("from . import momentum_5m", 1, "not ."),
        ("class A:\n    def f(self):\n        import numpy.linalg", 3, "not numpy.linalg"),
        ("from memesnipe.sdk import HOLD, emma", 1, "memesnipe.sdk has no name emma (did you mean ema?)"),
        ("from memesnipe.sdk import *", 1, "memesnipe.sdk has no name *"),
    ],
)
def test_a_file_may_import_only_the_sdk(source: str, line: int, expected: str) -> None:
    with pytest.raises(StrategyError, match=f"^a.py:{line}: ") as refused:
        check_imports(ast.parse(source), "a.py")
    assert str(refused.value).endswith(expected)


@pytest.mark.parametrize("path", [*sorted(BUNDLED.glob("[!_]*.py")), BUNDLED / "_template.py"], ids=lambda p: p.stem)
def test_bundled_families_and_the_template_pass_the_checks(path: Path, tmp_path: Path) -> None:
    (tmp_path / f"copy_of_{path.stem}.py").write_text(path.read_text())
    assert f"copy_of_{path.stem}" in discover(tmp_path)


def test_a_class_in_a_test_is_checked_like_one_in_a_file() -> None:
    from memesnipe.sdk import HOLD, PRICE

    limit = 3.0

    class Inside(Strategy):
        subscriptions = (PRICE,)

        def on_event(p, s, e):
            return HOLD if e.price_usd > limit else e.nothing

    with pytest.raises(StrategyError, match=r"tests/sdk/test_checks.py:\d+: e.nothing is not a field"):
        check(Inside)


def test_a_strategy_without_source_is_rejected() -> None:
    names: dict[str, object] = {}
    exec("def on_event(p, s, e):\n    return 0", names)
    made = type("Made", (Strategy,), {"subscriptions": (1,), "on_event": names["on_event"]})
    with pytest.raises(StrategyError, match="Made: its source cannot be read"):
        check(made)


@pytest.mark.parametrize(("old", "new"), [("8.0", "0.5"), ("blend, decay", "fading_sum as blend, decay")])
def test_the_checked_source_includes_constants_and_helpers(tmp_path: Path, old: str, new: str) -> None:
    body = "s.mean_price = blend(s.mean_price, FAST, 0.5)\nreturn HOLD"
    rest = CLASS + indent(body, " " * 8) + "\n"
    one, two = (
        made(tmp_path / "one.py", HEADER + rest),
        made(tmp_path / "two.py", HEADER.replace(old, new) + rest),
    )
    assert check(one) != check(two)


def test_a_constant_may_have_the_name_of_a_helper(tmp_path: Path) -> None:
    rest = CLASS + indent("return BUY if e.ts > ema + max else HOLD", " " * 8) + "\n"
    assert "ema = 2\n" in check(made(tmp_path / "mine.py", HEADER + "ema = 2\nmax = 3\n" + rest))


def test_compiler_errors_are_reported_in_one_line(tmp_path: Path) -> None:
    strategy = with_body(tmp_path / "mine.py", "x = 1\nx = ~e\nreturn x")
    with pytest.raises(StrategyError) as error, explain(strategy):
        njit("int64(float64, float64, float64)")(strategy.on_event)
    where = f"{tmp_path / 'mine.py'}:{BODY_LINE + 1}: on_event does not compile: "
    assert str(error.value).startswith(where + "No implementation of function")
    assert str(error.value).endswith("invert(float64)")
    assert "\n" not in str(error.value)


def test_colour_codes_of_the_compiler_are_removed(tmp_path: Path) -> None:
    strategy = with_body(tmp_path / "mine.py", "return HOLD")
    with pytest.raises(StrategyError) as error, explain(strategy):
        raise TypeError("\x1b[1m\x1b[1mNo implementation\x1b[0m of it")
    assert str(error.value).endswith("on_event does not compile: No implementation of it")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("s.last_ts = e.ts * 10", "e.ts * 10 wraps around beyond 2**63"),
        ("s.last_ts = s.last_ts * s.last_ts", "wraps around"),
        ("s.last_ts *= 5_000", "wraps around"),
        ("s.last_ts = s.last_ts ** 2", "wraps around"),
        ("s.last_ts = e.ts % s.last_ts", "e.ts % s.last_ts is 0 if the right side is 0"),
        ("s.last_ts = e.ts // (e.ts - s.last_ts)", "is 0 if the right side is 0"),
        ("s.last_ts = e.ts * 2 + s.last_ts * 1000 - 3 * int(p.rise)", ""),
        ("s.last_ts = e.ts // 60 % -7", ""),
        ("s.last_ts = s.last_ts * (e.ts > 5) + 10**12", ""),
        ("s.mean_price = float(e.ts) * e.ts % s.mean_price", ""),
    ],
)
def test_risky_integer_arithmetic_is_warned_about(tmp_path: Path, line: str, expected: str) -> None:
    strategy = with_body(tmp_path / "mine.py", f"{line}\nreturn HOLD")
    check(strategy)
    assert len(strategy.warnings) == bool(expected)
    assert all(w.startswith(f"{tmp_path / 'mine.py'}:{BODY_LINE}: ") and expected in w for w in strategy.warnings)


@pytest.mark.parametrize("line", ["e.ts % 0", "e.ts // -0", "1.0 / 0.0", "e.ts / NONE"])
def test_division_by_a_constant_zero_is_rejected(tmp_path: Path, line: str) -> None:
    source = HEADER + "NONE = 0\n" + CLASS + indent(f"x = {line}\nreturn HOLD", " " * 8) + "\n"
    with pytest.raises(StrategyError, match="divides by 0"):
        check(made(tmp_path / "mine.py", source))


def test_bundled_families_have_no_warnings() -> None:
    assert [family.warnings for family in discover().values() if family.warnings] == []


def test_a_full_disk_is_not_reported_as_a_strategy_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full"), explain(with_body(tmp_path / "mine.py", "return HOLD")):
        raise OSError("full")
