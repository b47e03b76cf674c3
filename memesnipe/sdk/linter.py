"""The rules of statements in ``on_event``, applied to its syntax tree.

The walk follows every path through the function and tracks at each point which variables have a value and which kinds
of event can reach it. Without loops one pass is enough. Node types that are not listed as allowed are rejected.
"""

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from memesnipe.sdk.expressions import Expressions, Flow
from memesnipe.sdk.strategy import Strategy
from memesnipe.sdk.vote_values import VOTES, VoteValues

_VOTES: Final = "BUY, SELL, SHORT or HOLD"


class StrategyLinter(Expressions):
    """Checks one ``on_event``. Each statement's check returns the flow after it, or None if all paths have returned."""

    def __init__(self, strategy: type[Strategy], names: dict[str, Any], file: str) -> None:
        super().__init__(strategy, names, file)
        self.votes: set[int] = set()  # that on_event may return
        self._statements: dict[type[ast.AST], Callable[[Any, Flow], Flow | None]] = {
            ast.Return: self._return, ast.If: self._if, ast.Assign: self._assign, ast.AugAssign: self._change,
            ast.Expr: self._bare, ast.Pass: lambda _, flow: flow,
        }  # fmt: skip

    def check(self, function: ast.FunctionDef) -> None:
        """Check the function.

        Raises:
            StrategyError: the function breaks a rule; the message names the first one.
        """
        arguments = function.args
        plain = [a.arg for a in arguments.args] == ["p", "s", "e"] and not arguments.defaults
        if not plain or arguments.posonlyargs or arguments.kwonlyargs or arguments.vararg or arguments.kwarg:
            self._refuse(function, "on_event takes exactly the arguments (p, s, e), without self")
        if function.decorator_list:
            self._refuse(function.decorator_list[0], "on_event takes no decorator")
        stored = (n for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
        self._locals = {node.id for node in stored}
        self._votes = VoteValues(function, self._constant_of)
        body = function.body[1:] if ast.get_docstring(function) is not None else function.body
        if self._block(body, Flow({}, frozenset(self._strategy.subscriptions))) is not None:
            self._refuse(function.body[-1], f"on_event must return {_VOTES} on every path")

    def _block(self, body: list[ast.stmt], flow: Flow) -> Flow | None:
        now: Flow | None = flow
        for statement in body:
            if now is None:
                self._refuse(statement, "this line cannot be reached")
            if type(statement) not in self._statements:
                self._refuse_kind(statement)
            now = self._statements[type(statement)](statement, now)
        return now

    def _return(self, node: ast.Return, flow: Flow) -> None:
        if node.value is None:
            self._refuse(node, f"on_event must return {_VOTES} on every path")
        if self._value(node.value, flow):
            self._refuse(node, f"on_event returns {_VOTES}, but this is a float")
        if not self._votes.is_vote(node.value):
            text = ast.unparse(node.value)[:60]
            self._refuse(node, f"on_event returns {_VOTES}, but {text} may be another number")
        self.votes |= {vote for vote in VOTES if self._votes.may_be(node.value, vote)}

    def _if(self, node: ast.If, flow: Flow) -> Flow | None:
        self._value(node.test, flow)
        yes, no = self._split(node.test, flow.kinds)
        first = self._block(node.body, replace(flow, kinds=yes))
        second = self._block(node.orelse, replace(flow, kinds=no))
        if first is None or second is None:
            return first or second
        both = {name: first.known[name] or second.known[name] for name in first.known if name in second.known}
        return Flow(both, first.kinds | second.kinds)

    def _assign(self, node: ast.Assign, flow: Flow) -> Flow:
        match node.targets, node.value:
            case [ast.Tuple(elts=targets)], ast.Tuple(elts=values) if len(targets) == len(values):
                pairs = list(zip(targets, values, strict=True))
            case _:
                pairs = [(target, node.value) for target in node.targets]
        floats = [self._value(value, flow) for _, value in pairs]  # all values are computed before the first is stored
        for (target, _), is_float in zip(pairs, floats, strict=True):
            flow = self._store(target, flow, is_float=is_float)
        return flow

    def _change(self, node: ast.AugAssign, flow: Flow) -> Flow:
        before = ast.copy_location(ast.Name(node.target.id), node) if isinstance(node.target, ast.Name) else node.target
        whole = ast.copy_location(ast.BinOp(before, node.op, node.value), node)
        return self._store(node.target, flow, is_float=self._value(whole, flow))

    def _store(self, target: ast.expr, flow: Flow, *, is_float: bool) -> Flow:
        match target:
            case ast.Name(id="p" | "s" | "e" as name):
                self._refuse(target, f"{name} cannot be assigned")
            case ast.Name(id=name):
                return replace(flow, known={**flow.known, name: is_float})
            case ast.Attribute(value=ast.Name(id="s"), attr=field):
                if not self._field(target, flow) and is_float:
                    self._refuse(target, f's.{field} is an integer, state("i8"), but this is a float')
                return flow
            case ast.Attribute(value=ast.Name(id="p" | "e" as owner)):
                self._refuse(target, f"{owner} is read only; store changing values in a state field, s.<name> = ...")
            case ast.Attribute():
                self._refuse(target, "only fields of s can be written")
        self._refuse_kind(target)

    def _bare(self, node: ast.Expr, flow: Flow) -> Flow:
        self._value(node.value, flow)
        return flow
