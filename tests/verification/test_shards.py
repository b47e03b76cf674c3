"""Arenas with roles of their own: the same books as with one arena, also where an arena and the desk are killed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from memesnipe.protocol.commands import CommandName
from memesnipe.verification.audit import compare, contradictions, read_run
from memesnipe.verification.conditions import audit_of, settings_of
from memesnipe.verification.decisions import compare_decisions, read_decisions
from tests.verification.small_run import SmallRuns, families_in, small_runs

pytestmark = pytest.mark.timeout(600)
EXECUTOR, ARENA = 1, 5  # among the roles
# A promotion is decided by the portfolio, whose place among the steps of the roles differs with their number.
COMMANDS = {0.77: (CommandName.HALT, ""), 0.9: (CommandName.RISK_RESET, "")}


@pytest.fixture(scope="module")
def one(
    tmp_path_factory: pytest.TempPathFactory, database: sa.Engine, empty_redis: Callable[[], str]
) -> Iterator[tuple[SmallRuns, int]]:
    """A run with one arena."""
    home = tmp_path_factory.mktemp("one")
    with small_runs(home, database, empty_redis(), commands=COMMANDS) as made:
        yield made, made.run("replay:one", lambda _: None)


def differences(small: SmallRuns, run_id: int, database: sa.Engine) -> list[str]:
    with database.connect() as connection:
        recorded = read_run(connection, run_id)
        audit = audit_of(recorded, small.event_log(run_id), settings_of(recorded), families_in())
        for _ in audit.derive():
            pass
        return [*contradictions(connection, run_id, recorded, small.event_log(run_id)), *audit.differences()]


def test_the_books_do_not_depend_on_the_number_of_arenas(
    one: tuple[SmallRuns, int], tmp_path: Path, database: sa.Engine, empty_redis: Callable[[], str]
) -> None:
    _, expected = one
    with small_runs(tmp_path, database, empty_redis(), arenas=2, commands=COMMANDS) as two:
        kills = [lambda i=i: two.kill(i) for i in (ARENA, EXECUTOR, ARENA + 1, ARENA, EXECUTOR)]  # type: ignore[misc]
        run_id = two.run("replay:two", lambda _: None, kills)
        assert differences(two, run_id, database) == []
    with database.connect() as connection:
        assert list(compare(read_run(connection, run_id).records, read_run(connection, expected).records)) == []
        decisions = read_decisions(connection, run_id), read_decisions(connection, expected)
        assert list(compare_decisions(*decisions)) == []
        assert read_run(connection, run_id).records.trades
