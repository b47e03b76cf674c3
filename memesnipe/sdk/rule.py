"""The rule of a strategy in words: the paragraph of its file's docstring that begins with `Rule: `.

Each parameter occurs in it as its name in braces, where a description of a genome shows the value with its unit.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

from memesnipe.errors import StrategyError
from memesnipe.sdk.expressions import suggestion

_MARK: Final = "Rule: "
_NAME: Final = re.compile(r"\{(\w*)\}")


def rule_of(docstring: str | None, params: Iterable[str], file: str) -> str:
    """Return the rule in a docstring, in one line and without the mark; "" for a docstring without one.

    Raises:
        StrategyError: it does not name each parameter, or something else in braces.
    """
    paragraphs = (" ".join(text.split()) for text in re.split(r"\n\s*\n", docstring or ""))
    rule = next((text.removeprefix(_MARK) for text in paragraphs if text.startswith(_MARK)), "")
    names, known = set(_NAME.findall(rule)), set(params)
    for name in sorted(names - known):
        raise StrategyError(
            f"{file}:1: the rule in the docstring names {{{name}}}, which is no parameter{suggestion(name, known)}"
        )
    if rule and (missing := sorted(known - names)):
        listed = ", ".join(f"{{{name}}}" for name in missing)
        raise StrategyError(f"{file}:1: the rule in the docstring does not name {listed}; name every parameter")
    return rule


def filled(rule: str, value: Callable[[str], str]) -> str:
    """Return a rule with the value of each parameter in place of its name."""
    return _NAME.sub(lambda found: value(found[1]), rule)
