"""What is accepted as a vote is one of the four numbers in whatever order events come."""

import ast
from types import SimpleNamespace
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from memesnipe.sdk.strategy import BUY, HOLD, SELL, SHORT
from memesnipe.sdk.vote_values import VoteValues

VOTES = {"BUY": BUY, "SELL": SELL, "SHORT": SHORT, "HOLD": HOLD}
_LEAVES = st.sampled_from([*VOTES, "s.a", "s.b", "x", "y", "e.ts", "e.side", "2"])
_FORMS = ("({} if {} else {})", "({} and {})", "({} or {})", "(not {})", "({} < {})", "min({}, {})", "int({})", "-{}")
_EXPRESSIONS = st.recursive(
    st.one_of(st.sampled_from([*VOTES]), _LEAVES),
    lambda inner: st.sampled_from(_FORMS).flatmap(
        lambda form: st.tuples(*[inner] * form.count("{}")).map(lambda parts: form.format(*parts))
    ),
    max_leaves=4,
)


def constant_of(node: ast.expr) -> float | None:
    return VOTES[node.id] if isinstance(node, ast.Name) and node.id in VOTES else None


@given(
    parts=st.tuples(*[_EXPRESSIONS] * 5),
    events=st.lists(st.tuples(st.integers(-3, 3), st.integers(-1, 2)), min_size=5, max_size=20),
)
def test_an_accepted_return_is_a_vote_at_every_event(parts: tuple[str, ...], events: list[tuple[int, int]]) -> None:
    lines = ["x = y = HOLD", "s.a, x = {}, {}", "if e.ts > 0:", "    y = s.b = {}", "    s.a = {}", "return {}"]
    body = "\n    ".join(lines).format(*parts)
    source = f"def on_event(p, s, e):\n    {body}"
    function: Any = ast.parse(source).body[0]
    values = VoteValues(function, constant_of)
    is_accepted = values.is_vote(function.body[-1].value)
    event(f"accepted: {is_accepted}")
    if is_accepted:
        names: dict[str, Any] = dict(VOTES)
        exec(source, names)
        state = SimpleNamespace(a=0, b=0)
        returned = {names["on_event"](None, state, SimpleNamespace(ts=ts, side=side)) for ts, side in events}
        assert returned <= {vote for vote in VOTES.values() if values.may_be(function.body[-1].value, vote)}
