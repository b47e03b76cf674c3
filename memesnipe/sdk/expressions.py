"""The rules of expressions in ``on_event``: values it may read, arithmetic and calls."""

import ast
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Final, NoReturn

from memesnipe import sdk
from memesnipe.errors import StrategyError
from memesnipe.market.events import EVENT, FIELDS, KIND_NAMES
from memesnipe.sdk.strategy import Strategy

HELPERS: Final = {
    name: getattr(sdk, name)
    for name in sdk.__all__
    if inspect.isfunction(getattr(sdk, name)) and name not in ("param", "state")
}
# Minimum and maximum number of arguments.
_BUILTINS: Final = {"min": (2, 99), "max": (2, 99), "abs": (1, 1), "int": (1, 1), "float": (1, 1)}
_ARITHMETIC: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)
_CONDITIONS: Final = (ast.Compare, ast.BoolOp)
_MAX_FACTOR: Final = 1_000  # of an integer, without a warning
_MAX_TIME_FACTOR: Final = 4  # of a time, without a warning: times use a fifth of 64 bits
_COMPARISONS: Final = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_ALL_FIELDS: Final = {name for fields in FIELDS.values() for name in fields}
# Names of nodes that are not allowed; others are named by their type.
_WORDS: Final = {
    "For": "a loop", "AsyncFor": "a loop", "While": "a loop", "ListComp": "a comprehension",
    "SetComp": "a comprehension", "DictComp": "a comprehension", "GeneratorExp": "a comprehension",
    "JoinedStr": "a string", "FunctionDef": "a nested function", "AsyncFunctionDef": "a nested function",
    "ClassDef": "a nested class", "YieldFrom": "yield", "ImportFrom": "import", "NamedExpr": "`:=`",
    "AnnAssign": "a type annotation", "Subscript": "an index", "Starred": "`*`", "List": "a list",
    "Dict": "a dict", "Set": "a set", "Tuple": "a tuple",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Flow:
    """The facts certain at a point of the function."""

    known: dict[str, bool]  # variables that have a value, and whether it is a float
    kinds: frozenset[int]  # kinds of event that can reach this point


def suggestion(name: str, options: Iterable[str]) -> str:
    """Return the closest option in the form " (did you mean ...?)", or nothing."""
    close = get_close_matches(name, sorted(options), 1)
    return f" (did you mean {close[0]}?)" if close else ""


class Expressions:
    """Checks expressions; each check returns whether the value is a float. Collects the constants that are read."""

    def __init__(self, strategy: type[Strategy], names: dict[str, Any], file: str) -> None:
        self.used: dict[str, int | float | str] = {}  # constants by name; helpers by their name in the SDK
        self.warnings: list[str] = []  # code that compiles but may not work as intended
        self._strategy, self._names, self._file = strategy, names, file
        self._locals: set[str] = set()
        self._values: dict[type[ast.AST], Callable[[Any, Flow], bool]] = {
            ast.Constant: self._constant, ast.Name: self._name, ast.Attribute: self._field, ast.BinOp: self._arithmetic,
            ast.UnaryOp: self._unary, ast.BoolOp: self._and_or, ast.Compare: self._comparison, ast.IfExp: self._choice,
            ast.Call: self._call,
        }  # fmt: skip

    def _refuse(self, node: ast.expr | ast.stmt, text: str) -> NoReturn:
        raise StrategyError(f"{self._file}:{node.lineno}: {text}")

    def _refuse_kind(self, node: ast.expr | ast.stmt) -> NoReturn:
        kind = type(node).__name__
        self._refuse(node, f"{_WORDS.get(kind, kind.lower())} is not allowed in on_event")

    def _value(self, node: ast.expr, flow: Flow) -> bool:
        if type(node) not in self._values:
            self._refuse_kind(node)
        return self._values[type(node)](node, flow)

    def _constant(self, node: ast.Constant, _: Flow) -> bool:
        if isinstance(node.value, str | bytes):
            self._refuse(node, "a string is not allowed in on_event")
        if not isinstance(node.value, int | float):
            self._refuse(node, f"{ast.unparse(node)} is not a number")
        if isinstance(node.value, int) and node.value >= 2**63:
            self._refuse(node, f"{node.value} does not fit into 64 bits")
        return isinstance(node.value, float)

    def _name(self, node: ast.Name, flow: Flow) -> bool:
        name = node.id
        if name in ("p", "s", "e"):
            self._refuse(node, f"{name} can only be used with a field, {name}.<name>")
        if name in self._locals:
            if name not in flow.known:
                self._refuse(node, f"{name} does not have a value on every path that leads here")
            return flow.known[name]
        value = self._names.get(name)
        if _is_helper(value) or (name in _BUILTINS and value is None):
            self._refuse(node, f"{name} can only be called")
        if name not in self._names:
            numbers = [known for known, number in self._names.items() if isinstance(number, int | float)]
            self._refuse(node, f"{name} is not defined{suggestion(name, [*flow.known, *numbers, *HELPERS])}")
        if not isinstance(value, int | float):
            self._refuse(node, f"{name} is not a number: on_event reads only its own variables and number constants")
        self.used[name] = value
        return isinstance(value, float)

    def _field(self, node: ast.Attribute, flow: Flow) -> bool:
        match node.value, node.attr:
            case ast.Name(id="p"), field:
                if field not in self._strategy.params:
                    hint = suggestion(field, self._strategy.params)
                    self._refuse(node, f"p.{field} is not a declared parameter{hint}")
                return True
            case ast.Name(id="s"), field:
                if field not in self._strategy.state_fields:
                    hint = suggestion(field, self._strategy.state_fields)
                    self._refuse(node, f"s.{field} is not a declared state field{hint}")
                return self._strategy.state_fields[field].kind == "f8"
            case ast.Name(id="e"), field:
                self._check_event_field(node, field, flow.kinds)
                return EVENT[field].kind == "f"
        self._refuse(node, f"{ast.unparse(node)}: only p, s and e have fields")

    def _check_event_field(self, node: ast.Attribute, field: str, kinds: frozenset[int]) -> None:
        subscribed = self._strategy.subscriptions
        if field not in _ALL_FIELDS:
            hint = suggestion(field, {name for kind in subscribed for name in FIELDS[kind]})
            self._refuse(node, f"e.{field} is not a field of an event{hint}")
        owners = {kind for kind, fields in FIELDS.items() if field in fields}
        if not owners & set(subscribed):
            self._refuse(node, f"e.{field} is a field of {_listed(owners)} events, which are missing in subscriptions")
        # The kinds overlap in memory: in an event of another kind the bytes are another field.
        if others := kinds - owners:
            only = _listed(owners & set(subscribed))
            self._refuse(
                node, f"e.{field} is not a field of {_listed(others)} events: read it only where e.kind == {only}"
            )

    def _arithmetic(self, node: ast.BinOp, flow: Flow) -> bool:
        if not isinstance(node.op, _ARITHMETIC):
            self._refuse(node, "only the operators + - * / // % ** are allowed; for conditions use and, or, not")
        floats = [self._value(node.left, flow), self._value(node.right, flow)]
        if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod) and self._constant_of(node.right) == 0:
            self._refuse(node, f"{ast.unparse(node)[:60]}: divides by 0")
        if not any(floats):
            self._warn_about_integers(node)
        return any(floats) or isinstance(node.op, ast.Div)

    def _warn_about_integers(self, node: ast.BinOp) -> None:
        """Warn about integer arithmetic that may go wrong: compiled code has 64 bits and no exceptions."""
        left, right = self._constant_of(node.left), self._constant_of(node.right)
        text = ast.unparse(node)[:60]
        if isinstance(node.op, ast.FloorDiv | ast.Mod) and right is None:
            self._warn(node, f"{text} is 0 if the right side is 0; compare it with 0 first")
        elif isinstance(node.op, ast.Mult | ast.Pow) and not self._is_small_product(node, left, right):
            self._warn(node, f"{text} wraps around beyond 2**63 (about 9.2e18); write float(...) around one side")

    def _is_small_product(self, node: ast.BinOp, left: float | None, right: float | None) -> bool:
        """Return whether a product cannot overflow: a factor is a condition or a small constant."""
        if left is not None and right is not None:
            return True
        if isinstance(node.op, ast.Pow):
            return False
        if any(isinstance(side, _CONDITIONS) for side in (node.left, node.right)):
            return True
        constant, other = (left, node.right) if left is not None else (right, node.left)
        is_time = isinstance(other, ast.Attribute) and other.attr == "ts"  # 1.8e18 today
        return constant is not None and abs(constant) <= (_MAX_TIME_FACTOR if is_time else _MAX_FACTOR)

    def _constant_of(self, node: ast.expr) -> float | None:
        """Return the value of a number or a constant of the file; None for values known only at run time."""
        match node:
            case ast.Constant(value=int() | float() as value):
                return float(value)
            case ast.Name(id=name) if name not in self._locals and isinstance(self._names.get(name), int | float):
                return float(self._names[name])
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                operand_value = self._constant_of(operand)
                return None if operand_value is None else -operand_value
        return None

    def _warn(self, node: ast.expr, text: str) -> None:
        warning = f"{self._file}:{node.lineno}: {text}"
        if warning not in self.warnings:
            self.warnings.append(warning)

    def _unary(self, node: ast.UnaryOp, flow: Flow) -> bool:
        if isinstance(node.op, ast.Invert):
            self._refuse(node, "~ is not allowed in on_event; for conditions use not")
        return self._value(node.operand, flow) and not isinstance(node.op, ast.Not)

    def _and_or(self, node: ast.BoolOp, flow: Flow) -> bool:
        is_float = False
        for value in node.values:
            is_float |= self._value(value, flow)
            yes, no = self._split(value, flow.kinds)
            flow = replace(flow, kinds=yes if isinstance(node.op, ast.And) else no)
        return is_float

    def _comparison(self, node: ast.Compare, flow: Flow) -> bool:
        if not all(isinstance(op, _COMPARISONS) for op in node.ops):
            self._refuse(node, "`in` and `is` are not allowed in on_event; compare with ==")
        for value in (node.left, *node.comparators):
            self._value(value, flow)
        return False

    def _choice(self, node: ast.IfExp, flow: Flow) -> bool:
        self._value(node.test, flow)
        yes, no = self._split(node.test, flow.kinds)
        floats = [self._value(node.body, replace(flow, kinds=yes)), self._value(node.orelse, replace(flow, kinds=no))]
        return any(floats)

    def _call(self, node: ast.Call, flow: Flow) -> bool:
        called = ast.unparse(node.func)
        value: Any = self._names.get(called)
        is_helper = _is_helper(value)
        if called in self._locals or not (is_helper or (called in _BUILTINS and value is None)):
            options = ", ".join([*HELPERS, *_BUILTINS])
            self._refuse(node, f"{called}() cannot be called; on_event may call {options}")
        if is_helper:
            self.used[called] = value.__name__
            self._check_arguments(node, called, inspect.signature(value))
        elif node.keywords or not _BUILTINS[called][0] <= len(node.args) <= _BUILTINS[called][1]:
            self._refuse(
                node, f"{called}() takes {'one argument' if _BUILTINS[called][1] == 1 else 'two or more arguments'}"
            )
        floats = [self._value(argument, flow) for argument in (*node.args, *(k.value for k in node.keywords))]
        return called == "float" or is_helper or (any(floats) and called != "int")

    def _check_arguments(self, node: ast.Call, called: str, signature: inspect.Signature) -> None:
        try:
            signature.bind(*node.args, **{str(keyword.arg): None for keyword in node.keywords})
        except TypeError as error:
            self._refuse(node, f"{called}({', '.join(signature.parameters)}): {error}")

    # ---- kinds of event that can satisfy a condition

    def _split(self, test: ast.expr, kinds: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
        """Return the kinds for which a condition can be true, and those for which it can be false."""
        match test:
            case ast.Compare(
                ast.Attribute(ast.Name("e"), "kind"), [ast.Eq() | ast.NotEq() as op], [ast.Name(name)]
            ) if name not in self._locals:
                same = kinds & {self._names.get(name)}
                return (same, kinds - same) if isinstance(op, ast.Eq) else (kinds - same, same)
            case ast.UnaryOp(ast.Not(), inner):
                yes, no = self._split(inner, kinds)
                return no, yes
            case ast.BoolOp(op, values):
                is_and, undecided, decided = isinstance(op, ast.And), kinds, frozenset[int]()
                for value in values:
                    yes, no = self._split(value, undecided)
                    undecided, decided = (yes, decided | no) if is_and else (no, decided | yes)
                return (undecided, decided) if is_and else (decided, undecided)
        return kinds, kinds


def _is_helper(value: Any) -> bool:
    return any(value is helper for helper in HELPERS.values())


def _listed(kinds: Iterable[int]) -> str:
    return " or ".join(KIND_NAMES[kind].upper() for kind in sorted(kinds))
