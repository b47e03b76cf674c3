"""`strategies` lists the ids that `promote` takes, and a wrong id is answered with the nearest ones."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from memesnipe.cli import manual_commands
from memesnipe.cli.run_strategies import Sort
from memesnipe.cli.vocabulary import STRATEGY_TITLES
from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.engine.genome import simple_genome
from memesnipe.runtime.lock import acquire
from memesnipe.storage.runs import LIVE_CAPITAL
from memesnipe.storage.schema import GenerationRow, RunRow, StrategyRow
from memesnipe.storage.schema_control import CommandRow
from memesnipe.storage.strategy_list import SortKey
from tests.cli.in_process import memesnipe

GENOME = simple_genome("momentum_5m", {}).to_dict()
IDS = ("aa11aa11aa11", "aa22aa22aa22", "bb33bb33bb33")


@pytest.fixture
def strategies(insert: Callable[..., None]) -> tuple[str, ...]:
    modes, trades = ("simulating", "paper", "simulating"), (7, 7, 9)
    for spec_id, mode, gained, count in zip(IDS, modes, (0.5, 0.1, -0.25), trades, strict=True):
        result: dict[str, Any] = {"total_return": gained, "trades": count}
        insert(StrategyRow, spec_id=spec_id, mode=mode, genome=GENOME, result=result, generation=3, since_seq=1)
    return IDS


def test_strategies_are_listed_with_their_ids(
    tmp_path: Path, new_run: int, strategies: tuple[str, ...], database_url: str
) -> None:
    done = memesnipe(tmp_path, "strategies", "--json", DATABASE_URL=database_url)
    found = json.loads(done.stdout)
    assert (found["run_id"], found["cut"]) == (new_run, False)
    assert [row["spec_id"] for row in found["strategies"]] == ["aa22aa22aa22", "aa11aa11aa11", "bb33bb33bb33"]
    assert found["strategies"][1] == {
        "spec_id": "aa11aa11aa11", "mode": "simulating", "generation": 3, "allocation_usd": 0.0,
        "families": ["momentum_5m"], "trades": 7, "total_return": 0.5,
    }  # fmt: skip
    most = memesnipe(tmp_path, "strategies", "--sort", "trades", "--limit", "1", "--json", DATABASE_URL=database_url)
    assert [row["spec_id"] for row in json.loads(most.stdout)["strategies"]] == ["bb33bb33bb33"]
    options = ("--mode", "simulating", "--limit", "1")
    shown = memesnipe(tmp_path, "strategies", *options, DATABASE_URL=database_url)
    assert "aa11aa11aa11" in shown.stdout and "+50.00%" in shown.stdout and "bb33bb33bb33" not in shown.stdout
    assert "Only the first 1 are shown" in shown.stderr
    title = next(line.split() for line in shown.stdout.splitlines() if line.startswith("strategy"))
    assert " ".join(title) == "strategy mode signals capital simulated return simulated round trips generation"


def test_an_empty_list_says_why(tmp_path: Path, new_run: int, insert: Callable[..., None], database_url: str) -> None:
    def said(*options: str) -> str:
        done = memesnipe(tmp_path, "strategies", *options, DATABASE_URL=database_url)
        assert (done.returncode, done.stdout) == (0, "")
        return done.stderr.strip()

    none = f"Run {new_run} has no strategy yet."
    stopped = "Nothing is running: `memesnipe up` goes on."
    waiting = "Nothing is learned yet: the first generation is bred when there are enough events."
    assert said() == said("--mode", "live") == f"{none} {waiting} {stopped}"
    insert(GenerationRow, index=0, evaluations=50, proposed=0, reason="the best is not")
    tried = "1 generation tried 50 strategies; none was better than luck (the best is not)."
    assert said() == f"{none} {tried} All capital stays in cash. {stopped}"
    insert(StrategyRow, spec_id=IDS[0], mode="simulating", genome=GENOME, generation=3, since_seq=1)
    assert said("--mode", "live") == (
        f"Run {new_run} has no live strategy, but 1 simulating; without --mode all are listed."
    )


def test_the_page_has_the_same_titles() -> None:
    page = Path("memesnipe/api/page/views/strategies.js").read_text()
    titles = re.findall(r'{ name: "([^"]+)", ', page)
    assert {title.capitalize() for title in STRATEGY_TITLES.values()} <= {*titles}


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("aa11aa11aa12", "; ids that begin like it: aa11aa11aa11; `memesnipe strategies` lists them"),
        ("aa", "; ids that begin like it: aa11aa11aa11, aa22aa22aa22; `memesnipe strategies` lists them"),
        ("%", "; `memesnipe strategies` lists them"),
    ],
)
def test_an_unknown_id_is_answered_with_the_nearest(
    tmp_path: Path, new_run: int, strategies: tuple[str, ...], database_url: str, wrong: str, near: str
) -> None:
    done = memesnipe(tmp_path, "promote", wrong, DATABASE_URL=database_url)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"memesnipe: input: there is no strategy {wrong!r} in run {new_run}{near}\n"


def test_each_order_is_known_to_the_database() -> None:
    assert {sort.value for sort in Sort} <= {key.value for key in SortKey}


def test_the_busiest_are_promoted_as_far_as_the_run_goes(
    tmp_path: Path, new_run: int, strategies: tuple[str, ...], database_url: str, database: sa.Engine
) -> None:
    done = memesnipe(tmp_path, "promote", "--busiest", "1", "--json", DATABASE_URL=database_url)
    assert (done.returncode, list(json.loads(done.stdout))) == (0, ["bb33bb33bb33"]), done.stderr
    query = sa.select(CommandRow.name, CommandRow.spec_id).where(CommandRow.run_id == new_run)
    with database.connect() as connection:
        assert connection.execute(query).all() == [("promote", "bb33bb33bb33")]  # to paper: the run has no live account


@contextmanager
def applied_in_steps(database: sa.Engine, run_id: int, size: int, outcome: Callable[[str, int], str]) -> Iterator[None]:
    """Apply the run's commands, once so many are recorded together; the outcome of each is that of its strategy."""
    over = threading.Event()
    waiting = sa.select(CommandRow).where(CommandRow.run_id == run_id, CommandRow.outcome.is_(None))

    def apply() -> None:
        steps = 0
        while not over.wait(0.02):
            with database.begin() as connection:
                pending = connection.execute(waiting).all()
                if len(pending) < size:
                    continue
                for one in pending:
                    words = outcome(one.spec_id, steps)
                    this = CommandRow.command_id == one.command_id
                    connection.execute(sa.update(CommandRow).where(this).values(outcome=words))
                steps += 1

    thread = threading.Thread(target=apply)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server_urls: Any) -> Iterator[None]:
    """Make the folder that of a running system, on the database of the tests."""
    monkeypatch.setattr(manual_commands, "_OUTCOME_WAIT_S", 5.0)
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))
    with acquire(tmp_path):
        settings = settings_from({"database_url": server_urls.database_url}, env_file=None)
        write_resolved(settings, tmp_path / "settings.json")
        yield


def test_all_are_promoted_together_and_each_is_named_once(
    tmp_path: Path, new_run: int, strategies: tuple[str, ...], running: None, database: sa.Engine
) -> None:
    with applied_in_steps(database, new_run, 2, lambda spec_id, _: f"{spec_id} is paper from event 5 on"):
        done = memesnipe(tmp_path, "promote", "--busiest", "3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{IDS[2]}  is paper from event 5 on", f"{IDS[0]}  is paper from event 5 on"]
    assert done.stderr.splitlines() == [
        "Promoting 2 strategies to paper ...",
        "3 were asked for; no other simulating strategy has traded yet: try again later.",
    ]


def test_in_a_live_run_they_go_on_to_live_and_a_refused_one_stays(
    tmp_path: Path, new_run: int, strategies: tuple[str, ...], running: None, database: sa.Engine
) -> None:
    with database.begin() as connection:
        run = sa.update(RunRow).where(RunRow.run_id == new_run)
        connection.execute(run.values(settings={LIVE_CAPITAL: 10**9}))

    def outcome(spec_id: str, step: int) -> str:
        if step and spec_id == IDS[0]:
            return f"refused: {spec_id} enters by shorts alone"
        return f"{spec_id} is {'live' if step else 'paper'} from event {step} on"

    with applied_in_steps(database, new_run, 2, outcome):
        done = memesnipe(tmp_path, "promote", "--busiest", "2")
    assert done.returncode == 0, done.stderr
    shown = [f"{IDS[2]}  is live from event 1 on", f"{IDS[0]}  refused: {IDS[0]} enters by shorts alone"]
    assert done.stdout.splitlines() == shown
    assert done.stderr.splitlines() == ["Promoting 2 strategies to paper ...", "Promoting 2 strategies to live ..."]


def test_where_all_are_refused_the_exit_code_says_so(
    tmp_path: Path, new_run: int, strategies: tuple[str, ...], running: None, database: sa.Engine
) -> None:
    with applied_in_steps(database, new_run, 2, lambda spec_id, _: f"refused: {spec_id} is gone"):
        done = memesnipe(tmp_path, "promote", "--busiest", "2", "--json")
    assert (done.returncode, done.stdout) == (3, "")
    assert f"{IDS[2]} is gone" in done.stderr


def test_a_strategy_that_has_not_traded_is_not_among_the_busiest(
    tmp_path: Path, insert: Callable[..., None], database_url: str
) -> None:
    result = {"total_return": 0.0, "trades": 0}
    insert(StrategyRow, spec_id=IDS[0], mode="simulating", genome=GENOME, result=result, generation=1, since_seq=1)
    done = memesnipe(tmp_path, "promote", "--busiest", "5", DATABASE_URL=database_url)
    assert done.returncode == 1
    assert "no simulating strategy has traded yet; try again after the next generation" in done.stderr
