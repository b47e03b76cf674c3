"""`memesnipe evolve` finds the same whatever happens to the machines that run it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from memesnipe.notebook import Search, backtest
from memesnipe.storage.schema_searches import SearchGeneration, SearchRow
from memesnipe.tapes.tape import Tape, write_tape
from memesnipe.testing.labelled_markets import Edge, labelled_market
from tests.system.installation import Installation, processes_of, wait_for
from tests.system.nodes import Nodes

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

GENERATIONS = 4
SEARCH = ("--generations", str(GENERATIONS), "--population", "100", "--polish", "8", "--seed", "3", "--json")


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labelled_market") / "momentum.tape"
    made = labelled_market(Edge.MOMENTUM, 1, hours=2.0)
    write_tape(path, Tape(made.events, made.mints, {"pools": {"pools": 16, "chained": 0}}))
    return path


@dataclass(frozen=True)
class Resumed:
    """A search that Ctrl-C stopped and that another start finished."""

    kept: list[dict[str, Any]]  # generations of its first part
    stderr: str  # of its first part
    summary: dict[str, Any]


@pytest.fixture(scope="module")
def resumed(
    installations_of_module: Callable[..., Installation], market: Path, database: sa.Engine, database_url: str
) -> Resumed:
    """Stopped with two workers, finished with one."""
    installation = installations_of_module(DATABASE_URL=database_url)
    before = _latest_search(database)
    process = installation.start("evolve", *SEARCH, "--tape", str(market), "--workers", "2")
    wait_for("two generations", lambda: _latest_search(database) > before and _generations_of_latest(database) >= 2)
    installation.interrupt(process)
    assert process.wait(60) == 1, installation.stderr
    assert installation.stdout, installation.stderr
    kept = json.loads(installation.stdout)["generations"]
    stderr = installation.stderr
    return Resumed(kept, stderr, _finished(installation, "--tape", str(market), "--workers", "1", "--resume"))


def _finished(installation: Installation, *options: str) -> dict[str, Any]:
    done = installation.run("evolve", *SEARCH, *options)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def _generations_of_latest(database: sa.Engine) -> int:
    with database.connect() as connection:
        latest = sa.select(sa.func.max(SearchRow.search_id)).scalar_subquery()
        count = sa.select(sa.func.count()).where(SearchGeneration.search_id == latest)
        return int(connection.scalar(count) or 0)


def test_a_notebook_shows_the_search(resumed: Resumed, market: Path) -> None:
    search = Search(resumed.summary)
    assert list(search.generations.index) == list(range(GENERATIONS))
    best = search.champions.index[0]
    assert not search.champions["promotable"].any()
    assert backtest(market, search.genome(best)).outcome.result.spec_id == best
    assert f"{len(search.champions)} champions, 0 promotable" in repr(search)


def test_the_summary_says_what_was_found(resumed: Resumed) -> None:
    found = resumed.summary
    generations = found["generations"]
    assert [generation["index"] for generation in generations] == list(range(GENERATIONS))
    assert all(generation["evaluations"] == 100 for generation in generations)
    assert all(generation["failed"] == 0 for generation in generations)
    assert all(0.0 <= generation["pbo"] <= 1.0 for generation in generations)
    assert found["evaluations"] > GENERATIONS * 100
    champions = found["champions"]
    assert champions
    assert found["promotable"] is False
    assert found["assumptions"][0].startswith("The pools are assumed, not recorded")
    for champion in champions:
        assert champion["promotable"] is False
        assert champion["reason"].startswith("the tape's pools are assumed")
        assert 0.0 <= champion["deflated_sharpe"] <= 1.0
        assert champion["spec"]["signals"]


def test_ctrl_c_keeps_whole_generations(resumed: Resumed) -> None:
    assert 2 <= len(resumed.kept) < GENERATIONS
    assert "continue with the same command and --resume" in resumed.stderr
    assert resumed.summary["generations"][: len(resumed.kept)] == resumed.kept


@pytest.mark.long
def test_it_finds_what_it_would_have_found_undisturbed(
    installations: Callable[..., Installation], market: Path, database_url: str, resumed: Resumed
) -> None:
    undisturbed = _finished(installations(DATABASE_URL=database_url), "--tape", str(market), "--workers", "1")
    assert_same(undisturbed, resumed.summary)


def assert_same(later: dict[str, Any], earlier: dict[str, Any]) -> None:
    """Two searches found the same, and every evaluation ever made is counted."""
    assert later["digest"] == earlier["digest"]
    assert later["champions"][0]["spec"] == earlier["champions"][0]["spec"]
    assert [g["best_fitness"] for g in later["generations"]] == [g["best_fitness"] for g in earlier["generations"]]
    assert later["evaluations"] == earlier["evaluations"]
    assert later["evaluations_ever"] > earlier["evaluations_ever"], "every evaluation ever made is counted"


def _latest_search(database: sa.Engine) -> int:
    with database.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.max(SearchRow.search_id))) or 0)


def test_a_node_that_is_killed_changes_nothing(
    installations: Callable[..., Installation],
    market: Path,
    nodes: Nodes,
    database: sa.Engine,
    database_url: str,
    resumed: Resumed,
) -> None:
    first, second = nodes.add(), nodes.add()
    installation = installations(DATABASE_URL=database_url, **nodes.reach)
    before = _latest_search(database)
    process = installation.start("evolve", *SEARCH, "--tape", str(market), "--address", nodes.address)
    wait_for("a generation", lambda: _latest_search(database) > before and _generations_of_latest(database) >= 1)
    nodes.kill(second)
    at_kill = _generations_of_latest(database)
    assert at_kill < GENERATIONS
    assert process.wait(240) == 0, installation.stderr
    assert_same(json.loads(installation.stdout), resumed.summary)
    assert first in processes_of(nodes.folder)
    assert second not in processes_of(nodes.folder)


def test_what_has_changed_since_a_search_is_said_in_one_line(
    installations: Callable[..., Installation], market: Path, database_url: str, resumed: Resumed
) -> None:
    families = resumed.summary["families"]
    assert families["used"] == ["korean_time_burst", "mean_revert_1h", "momentum_5m", "social_buzz"]
    assert families["unused"]["bridge_inflow"] == ["bridge"]
    done = installations(DATABASE_URL=database_url, SLIPPAGE_BPS="900").run(
        "evolve", "--tape", str(market), "--population", "31", "--resume", "--json"
    )
    assert done.returncode == 2
    assert "on this tape cannot be resumed" in done.stderr
    assert "--population was 100 and is 31" in done.stderr
    assert "SLIPPAGE_BPS was 1000 and is 900" in done.stderr
    assert not done.stdout
