"""The families that enter by shorts alone, which the portfolio does not promote to live, are found in their files."""

from pathlib import Path

import pytest

from memesnipe.roles.portfolio import shorting_families

_FILE = """
from memesnipe.sdk import BUY, FUNDING, HOLD, SHORT, Strategy, param


class Crowded(Strategy):
    subscriptions = (FUNDING,)
    rate = param(0.0001, 0.01, default=0.001)

    def on_event(p, s, e):
        return {entry} if e.rate > p.rate else HOLD
"""


@pytest.mark.parametrize(("entry", "found"), [("SHORT", {"crowded"}), ("BUY", set())])
def test_a_family_that_may_short_and_never_buys_is_found(tmp_path: Path, entry: str, found: set[str]) -> None:
    (tmp_path / "crowded.py").write_text(_FILE.format(entry=entry))
    assert shorting_families([tmp_path]) == found  # none of the bundled ones
