"""The rules of a strategy file as a whole: the statements allowed in it, and its size.

A file is executed when it is loaded. A file of imports of the SDK, number constants and a class of declarations cannot
end the process, print, wait or loop, so that loading needs no further protection.
"""

import ast
import math
import operator
from typing import Any, Final, NoReturn

from memesnipe import sdk
from memesnipe.errors import StrategyError

MAX_BYTES: Final = 65_536
# The largest bundled family has 505 nodes and a depth of 13. A file at these limits compiles in some 20 seconds.
MAX_NODES: Final = 3_000
MAX_DEPTH: Final = 60
MAX_CONSTANT: Final = 2**63
_MAX_EXPONENT: Final = 64
_OPERATIONS: Final[dict[type[ast.AST], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}  # fmt: skip
_WORDS: Final = {
    "FunctionDef": "a function", "AsyncFunctionDef": "a function", "Import": "an import", "ImportFrom": "an import",
    "ClassDef": "a class", "For": "a loop", "While": "a loop", "Expr": "an expression", "Assign": "an assignment",
    "AnnAssign": "an assignment", "AugAssign": "an assignment",
}  # fmt: skip

Number = int | float


def check_file(tree: ast.Module, file: str) -> None:
    """Check that a strategy file consists of declarations and is not too large.

    Args:
        tree: the syntax tree of the file.
        file: the path for messages.

    Raises:
        StrategyError: the file breaks a rule; the message names the file, the line and the rule.
    """
    _check_size(tree, file)
    _FileLinter(file).check(tree)


def _check_size(tree: ast.Module, file: str) -> None:
    left: list[tuple[ast.AST, int, int]] = [(tree, 1, 1)]
    nodes = 0
    while left:
        node, depth, line = left.pop()
        line = getattr(node, "lineno", line)
        nodes += 1
        if depth > MAX_DEPTH:
            raise StrategyError(
                f"{file}:{line}: is nested more than {MAX_DEPTH} levels deep (a long sum, a chain of elif); "
                "split it with variables"
            )
        left += [(child, depth + 1, line) for child in ast.iter_child_nodes(node)]
    if nodes > MAX_NODES:
        raise StrategyError(f"{file}: has {nodes} syntax nodes, but at most {MAX_NODES} are allowed; shorten it")


class _FileLinter:
    """Checks the statements that run when the file is loaded, and evaluates its constants."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._numbers: dict[str, Number] = {}
        self._imported: set[str] = set()

    def _refuse(self, node: ast.stmt | ast.expr, text: str) -> NoReturn:
        raise StrategyError(f"{self._file}:{node.lineno}: {text}")

    def check(self, tree: ast.Module) -> None:
        for statement in tree.body:
            match statement:
                case ast.ImportFrom():
                    self._import(statement)
                case ast.ClassDef():
                    self._class(statement)
                case _ if not self._is_declaration(statement):
                    statement_name = _statement_name(statement)
                    self._refuse(
                        statement,
                        f"a strategy file has imports, number constants and one class, but this is {statement_name}",
                    )

    def _import(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            name, value = alias.asname or alias.name, getattr(sdk, alias.name)
            if isinstance(value, int | float):
                self._numbers[name] = value
            else:
                self._imported.add(name)

    def _class(self, node: ast.ClassDef) -> None:
        if node.decorator_list or node.keywords or not all(isinstance(base, ast.Name) for base in node.bases):
            self._refuse(node, "the class of a strategy has no decorator and derives from Strategy")
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef):
                self._function(statement)
            elif not self._is_declaration(statement):
                statement_name = _statement_name(statement)
                text = f"a strategy's class contains only declarations and on_event, but this is {statement_name}"
                self._refuse(statement, text)

    def _function(self, node: ast.FunctionDef) -> None:
        """Reject expressions that would run at the function's definition."""
        arguments = node.args
        if node.name != "on_event":
            self._refuse(node, f"a strategy has only the function on_event, but this is {node.name}")
        if node.decorator_list:
            self._refuse(node.decorator_list[0], "on_event takes no decorator")
        annotated = [*arguments.args, *arguments.posonlyargs, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        types = [node.returns, *(argument.annotation for argument in annotated if argument is not None)]
        if arguments.defaults or arguments.kw_defaults or not all(_is_plain_type(found) for found in types):
            self._refuse(node, "on_event takes exactly the arguments (p, s, e), without self")

    def _is_declaration(self, node: ast.stmt) -> bool:
        match node:
            case ast.Pass() | ast.Expr(ast.Constant()):
                return True
            case ast.Assign(targets=targets) if all(isinstance(target, ast.Name) for target in targets):
                self._value(node.value)
                for target in targets:
                    self._store(target, node.value)
                return True
            case ast.AnnAssign(target=ast.Name() as target, annotation=kind, value=value) if _is_plain_type(kind):
                if value is not None:
                    self._value(value)
                    self._store(target, value)
                return True
        return False

    def _store(self, target: ast.expr, value: ast.expr) -> None:
        assert isinstance(target, ast.Name)  # noqa: S101 - checked by the caller
        number = self._number(value) if self._is_number(value) else None
        self._imported.discard(target.id)
        self._numbers.pop(target.id, None)
        if number is not None:
            self._numbers[target.id] = number

    def _value(self, node: ast.expr) -> None:
        """Reject a value other than a number, a text, a name, a tuple of them, or a declaration made of them."""
        match node:
            case ast.Constant() | ast.Name():
                return
            case ast.Tuple(elts=parts):
                for part in parts:
                    self._value(part)
            case ast.Call(func=ast.Name(id=called)) if called in self._imported:
                for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                    self._value(argument)
            case ast.Call():
                self._refuse(
                    node, f"{ast.unparse(node.func)[:60]}() cannot be called here; only functions of the SDK can"
                )
            case _:
                self._number(node)

    def _is_number(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant(value=value):
                return isinstance(value, int | float)
            case ast.Name(id=name):
                return name in self._numbers
        return isinstance(node, ast.BinOp | ast.UnaryOp)

    def _number(self, node: ast.expr) -> Number:
        """Evaluate a constant expression, with bounds on every step."""
        match node:
            case ast.Constant(value=int() | float() as value):
                return self._bounded(node, value)
            case ast.Name(id=name) if name in self._numbers:
                return self._numbers[name]
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATIONS:
                return self._bounded(node, _OPERATIONS[type(op)](self._number(operand)))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
                return self._calculated(node, op, self._number(left), self._number(right))
        self._refuse(node, f"{ast.unparse(node)[:60]} is not a number constant")

    def _calculated(self, node: ast.expr, op: ast.operator, left: Number, right: Number) -> Number:
        if isinstance(op, ast.Pow) and abs(right) > _MAX_EXPONENT:
            self._refuse(node, f"an exponent must be at most {_MAX_EXPONENT}")
        try:
            value = _OPERATIONS[type(op)](left, right)
        except (ArithmeticError, ValueError) as error:
            self._refuse(node, f"{ast.unparse(node)[:60]}: {error}")
        return self._bounded(node, value)

    def _bounded(self, node: ast.expr, value: Any) -> Number:
        is_number = isinstance(value, int | float) and math.isfinite(value)
        if not is_number or (isinstance(value, int) and abs(value) > MAX_CONSTANT):
            self._refuse(node, "a constant must be a finite number, and an integer must fit into 64 bits")
        found: Number = value
        return found


def _statement_name(node: ast.stmt) -> str:
    kind = type(node).__name__
    return _WORDS.get(kind, f"`{kind.lower()}`")


def _is_plain_type(node: ast.expr | None) -> bool:
    return node is None or isinstance(node, ast.Name | ast.Constant)
