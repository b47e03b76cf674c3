"""`memesnipe close TOKEN` sells what is still held, and names what its holders have sold meanwhile."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.runtime.lock import acquire
from memesnipe.storage.schema import PositionRow, StrategyRow
from tests.cli.in_process import Done, memesnipe

HOLDERS = ("aa11", "bb22", "cc33")
# The run's part, at the moment at which a command is recorded: the first one is applied, the second holder sells before
# its command is recorded, and the third one after that and before it is applied.
RUN = """
CREATE FUNCTION answer_close() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    NEW.seq = 5;
    NEW.outcome = CASE NEW.spec_id WHEN '{applied}' THEN 'being sold since event 5' ELSE 'refused: {why}' END;
    UPDATE positions SET cost_lamports = 0 WHERE run_id = NEW.run_id AND spec_id IN (NEW.spec_id, 'bb22');
    RETURN NEW;
END $$;
CREATE TRIGGER answer_close BEFORE INSERT ON commands FOR EACH ROW EXECUTE FUNCTION answer_close();
"""
Close = Callable[..., Done]


@pytest.fixture
def close(tmp_path: Path, database: sa.Engine, database_url: str, insert: Callable[..., None]) -> Iterator[Close]:
    """Run `close So1` where the holders hold it; the run applies the close of the one that is named."""
    for spec_id in HOLDERS:
        insert(StrategyRow, spec_id=spec_id, mode="paper")
        insert(PositionRow, spec_id=spec_id, token=7, mint="So1", token_raw=5, cost_lamports=9, account="paper")
    given = {"memesnipe_home": tmp_path, "database_url": database_url}

    def run(*options: str, applied: str = "aa11", why: str = "it is not held") -> Done:
        with database.begin() as connection:
            connection.execute(sa.text(RUN.format(applied=applied, why=why)))
        return memesnipe(tmp_path, "close", "So1", "--yes", *options, MEMESNIPE_HOME=str(tmp_path))

    with acquire(tmp_path):
        write_resolved(settings_from(given, env_file=None), tmp_path / "settings.json")
        yield run
    with database.begin() as connection:
        connection.execute(sa.text("DROP FUNCTION IF EXISTS answer_close CASCADE"))


def _ids(positions: list[dict[str, Any]]) -> list[str]:
    return [position["spec_id"] for position in positions]


def test_what_a_holder_sold_meanwhile_does_not_keep_the_others_from_being_sold(close: Close) -> None:
    done = close("--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (_ids(answer["sold"]), _ids(answer["already_sold"]), answer["left"]) == (["aa11"], ["bb22", "cc33"], [])
    assert len(answer["command_ids"]) == 2, "nothing is recorded for a position that is not held"


def test_what_was_already_sold_is_said(close: Close) -> None:
    done = close()
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        "paper bb22 So1: was sold before this command",
        "paper cc33 So1: was sold before this command",
        "paper aa11 So1: closed by an earlier order",
    ]


def test_a_close_that_a_halt_forbids_is_still_refused(close: Close) -> None:
    done = close(applied="nobody", why="trading is halted")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "memesnipe: refused: trading is halted\n"
