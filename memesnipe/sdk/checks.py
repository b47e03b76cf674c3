"""Checks of a strategy before it is compiled, whose errors name a line and a rule, unlike the compiler's."""

import ast
import inspect
from typing import Any, Final

from memesnipe import sdk
from memesnipe.errors import StrategyError
from memesnipe.market.events import KIND_NAMES
from memesnipe.sdk.explain import explain, shown_path
from memesnipe.sdk.expressions import suggestion
from memesnipe.sdk.linter import StrategyLinter
from memesnipe.sdk.strategy import Strategy

__all__ = ["check", "check_imports", "explain", "shown_path"]

_RESERVED: Final = ("view",)  # numba has a method of that name on every record


def check(strategy: type[Strategy]) -> str:
    """Check a strategy; return the source that ``on_event`` depends on: its own and the constants it reads.

    Code that is allowed but may not work as intended is reported in ``strategy.warnings``, one line each.

    Raises:
        StrategyError: the strategy breaks a rule; the message names the file, the line and the rule.
    """
    file, definition, declarations, source = _find(strategy)
    _check_declarations(strategy, file, definition, declarations)
    linter = StrategyLinter(strategy, _names(inspect.unwrap(strategy.on_event)), file)
    linter.check(definition)
    strategy.warnings = tuple(linter.warnings)
    strategy.votes = frozenset(linter.votes)
    return "\n".join([source, *(f"{name} = {value!r}" for name, value in sorted(linter.used.items()))])


def check_imports(tree: ast.Module, file: str) -> None:
    """Check that a strategy file imports only names of the SDK.

    Raises:
        StrategyError: it imports something else.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module, node.level) == ("memesnipe.sdk", 0):
            for name in (alias.name for alias in node.names if alias.name not in sdk.__all__):
                hint = suggestion(name, sdk.__all__)
                raise StrategyError(f"{file}:{node.lineno}: memesnipe.sdk has no name {name}{hint}")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = node.names[0].name if isinstance(node, ast.Import) else "." * node.level + (node.module or "")
            raise StrategyError(f"{file}:{node.lineno}: a strategy imports only from memesnipe.sdk, not {module}")


def _find(strategy: type[Strategy]) -> tuple[str, ast.FunctionDef, dict[str, int], str]:
    """Return a strategy's file, its ``on_event``, the lines of its class's declarations, and the function's source."""
    code: Any = getattr(inspect.unwrap(strategy.on_event), "__code__", None)
    try:
        lines, _ = inspect.findsource(code)
        tree = ast.parse("".join(lines))
    except (OSError, TypeError, SyntaxError) as error:
        raise StrategyError(f"{strategy.__name__}: its source cannot be read, so it cannot be checked") from error
    file = shown_path(code.co_filename)
    for owner in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        for item in (item for item in owner.body if isinstance(item, ast.FunctionDef)):
            first = min([item.lineno, *(decorator.lineno for decorator in item.decorator_list)])
            if item.name == "on_event" and first == code.co_firstlineno:
                return file, item, _declared(owner), "".join(lines[first - 1 : item.end_lineno])
    raise StrategyError(f"{file}:{code.co_firstlineno}: on_event must be a function, written with def in its class")


def _declared(owner: ast.ClassDef) -> dict[str, int]:
    stored = (node for item in owner.body if not isinstance(item, ast.FunctionDef) for node in ast.walk(item))
    names = {n.id: n.lineno for n in stored if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return {"": owner.lineno, **names}


def _check_declarations(
    strategy: type[Strategy], file: str, definition: ast.FunctionDef, lines: dict[str, int]
) -> None:
    subscribed: Any = strategy.subscriptions
    if not isinstance(subscribed, tuple) or not all(kind in KIND_NAMES for kind in subscribed):
        known = ", ".join(name.upper() for name in KIND_NAMES.values())
        line = lines.get("subscriptions", lines[""])
        raise StrategyError(
            f"{file}:{line}: subscriptions must be a tuple of event kinds, such as (PRICE,); kinds: {known}"
        )
    for name in (*strategy.params, *strategy.state_fields):
        if name.endswith("_") or name in _RESERVED or hasattr(Strategy, name):
            line = lines.get(name, definition.lineno)
            raise StrategyError(
                f"{file}:{line}: a parameter or state field cannot be called {name}; choose another name"
            )


def _names(function: Any) -> dict[str, Any]:
    """Return the names that a function can read besides its own variables."""
    closure = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    return {**function.__globals__, **{name: cell.cell_contents for name, cell in closure.items()}}
