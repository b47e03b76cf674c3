"""The rule of what ``on_event`` returns: only expressions that are a vote in any market.

A number that is no vote would be found only when some event leads to it, in the middle of a run.
"""

import ast
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from memesnipe.sdk.strategy import BUY, HOLD, SELL, SHORT

VOTES: Final = (BUY, SELL, SHORT, HOLD)


class VoteValues:
    """Decides for the expressions of a function whether every value they can have is a vote.

    A variable or a state field has only votes if everything that the function stores in it anywhere is one: a state
    field begins with 0, which is HOLD.
    """

    def __init__(self, function: ast.FunctionDef, constant_of: Callable[[ast.expr], float | None]) -> None:
        """Collect what the function stores.

        Args:
            function: its syntax tree.
            constant_of: returns the value of a number or a constant of the file; None for any other expression.
        """
        self._constant_of = constant_of
        self._stored: dict[str, list[ast.expr]] = defaultdict(list)  # by variable, or by field as `s.name`
        for node in ast.walk(function):
            match node:
                case ast.Assign([ast.Tuple(elts=targets)], ast.Tuple(elts=values)) if len(targets) == len(values):
                    for target, value in zip(targets, values, strict=True):
                        self._stored[ast.unparse(target)].append(value)
                case ast.Assign(targets, value):
                    for target in targets:
                        self._stored[ast.unparse(target)].append(value)
                case ast.AugAssign(target, op, value):
                    self._stored[ast.unparse(target)].append(ast.BinOp(target, op, value))

    def is_vote(self, node: ast.expr, assumed: frozenset[str] = frozenset()) -> bool:
        """Return whether an expression is always a vote; the variables and fields ``assumed`` are."""
        constant = self._constant_of(node)
        if constant is not None:
            return constant in VOTES
        match node:
            case ast.Name() | ast.Attribute():
                name = ast.unparse(node)
                known = assumed | {name}  # one that is stored in itself, or in another that is stored in it
                is_stored = name in self._stored or name.startswith("s.")
                return name in assumed or (is_stored and all(self.is_vote(v, known) for v in self._stored[name]))
            case ast.Compare() | ast.UnaryOp(ast.Not()):
                return True  # 0 or 1: HOLD or BUY
            case ast.IfExp(_, yes, no):
                return self.is_vote(yes, assumed) and self.is_vote(no, assumed)
            case ast.BoolOp(_, values) | ast.Call(ast.Name("min" | "max" | "int"), values):
                return all(self.is_vote(value, assumed) for value in values)
        return False

    def may_be(self, node: ast.expr, vote: float, assumed: frozenset[str] = frozenset()) -> bool:
        """Return whether an expression that is always a vote may be this one; ``assumed`` are looked at already."""
        constant, parts = self._constant_of(node), list[ast.expr]()
        match node:
            case _ if constant is not None:
                return constant == vote
            case ast.Name() | ast.Attribute():
                name = ast.unparse(node)
                if vote == HOLD and name.startswith("s."):
                    return True  # a state field is 0 at first
                if name not in assumed:
                    parts, assumed = self._stored[name], assumed | {name}
            case ast.IfExp(_, yes, no):
                parts = [yes, no]
            case ast.BoolOp(_, values) | ast.Call(ast.Name("min" | "max" | "int"), values):
                parts = values
            case _:  # a condition
                return vote in (HOLD, BUY)
        return any(self.may_be(part, vote, assumed) for part in parts)
