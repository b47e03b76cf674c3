"""Where a start begins another run of a feed, it says why, and what the earlier run has left."""

from uuid import uuid4

import sqlalchemy as sa

from memesnipe.runtime.earlier_run import why_not_continued
from memesnipe.storage.runs import begin_run
from memesnipe.storage.schema import PositionRow

SETTINGS = {"code": "a", "max_open_positions": 5}


def begin(database: sa.Engine, feed: str, settings: dict[str, object]) -> int:
    return begin_run(database, feed, {}, settings).run_id


def hold(database: sa.Engine, run_id: int, account: str) -> None:
    row = {"run_id": run_id, "account": account, "spec_id": "a", "token": 1, "mint": "m", "cost_lamports": 7}
    filled = {
        column.name: 0
        for column in PositionRow.__table__.columns
        if column.name not in row and not column.nullable and column.server_default is None
    }
    with database.begin() as connection:
        connection.execute(sa.insert(PositionRow).values(filled | row))


def test_the_first_run_of_a_feed_has_no_earlier_one(database: sa.Engine) -> None:
    feed = uuid4().hex
    begin(database, uuid4().hex, SETTINGS)
    assert why_not_continued(database, feed, begin(database, feed, SETTINGS), SETTINGS) == ""


def test_changed_code_and_changed_settings_are_named(database: sa.Engine) -> None:
    feed = uuid4().hex
    first = begin(database, feed, SETTINGS)
    changed = SETTINGS | {"max_open_positions": 6, "slippage": 2}
    second = begin(database, feed, changed)
    sentence = why_not_continued(database, feed, second, changed)
    assert f"Run {first} of this feed is not continued: MAX_OPEN_POSITIONS, SLIPPAGE changed. Run {second}" in sentence
    upgraded = changed | {"code": "b"}
    third = begin(database, feed, upgraded)
    sentence = why_not_continued(database, feed, third, upgraded)
    assert f"Run {second} of this feed is not continued: the code that decides has changed." in sentence
    assert f"`memesnipe verify --run {second}`" in sentence and "position" not in sentence


def test_positions_that_the_earlier_run_has_left_are_named(database: sa.Engine) -> None:
    for account, expected in (("paper", "Its 1 open position on paper stay"), ("live", "ATTENTION: run")):
        feed = uuid4().hex
        hold(database, begin(database, feed, SETTINGS), account)
        upgraded = SETTINGS | {"code": "b"}
        assert expected in why_not_continued(database, feed, begin(database, feed, upgraded), upgraded)
