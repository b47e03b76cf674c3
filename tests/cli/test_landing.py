"""`memesnipe landing` on recorded orders, on simulated ones, and without any."""

import json
from pathlib import Path

import sqlalchemy as sa

from memesnipe.config.settings import Settings, settings_from
from memesnipe.engine.orders import Order
from memesnipe.execution.submission import Submission
from memesnipe.market.events import BUY_SIDE
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.runtime.simulated_orders import simulated_orders
from memesnipe.storage.live_orders import LiveOrder
from memesnipe.storage.schema import RunRow
from memesnipe.storage.submissions import Submissions
from tests.cli.in_process import memesnipe

PAGE = Path(__file__).resolve().parents[2] / "docs" / "landing.md"


def store(database: sa.Engine, run_id: int, orders: list[LiveOrder]) -> None:
    """Store orders as the venue's client does."""
    submissions = Submissions(database, run_id)
    for number, one in enumerate(orders, start=1):
        intent = Order(one.spec_id, number, 0, BUY_SIDE, "signal", one.decided_ts, 1, 2, 0.1, 1_000, 0, 5)
        submissions.add(one.order_id, intent, "mint")
        submissions.save(one.order_id, Submission(OrderStatus.RECONCILED), [], one.record)


def test_recorded_orders_are_compared_with_the_settings_of_their_run(
    tmp_path: Path, database: sa.Engine, database_url: str, new_run: int
) -> None:
    store(database, new_run, simulated_orders(60, 3))
    with database.begin() as connection:
        of_run = RunRow.run_id == new_run
        connection.execute(sa.update(RunRow).where(of_run).values(settings={"landing_max": 0.9}))
    shown = memesnipe(tmp_path, "landing", "--json", DATABASE_URL=database_url, LANDING_MAX="0.5")
    assert shown.returncode == 0, shown.stderr
    report = json.loads(shown.stdout)
    assert (report["run_id"], report["orders"], report["landing"]["sent"]) == (new_run, 60, 60)
    assert report["fit"]["landing_max"]["assumed"] == 0.9, "the run's own setting, not that of now"
    lines = memesnipe(tmp_path, "landing", "--run", str(new_run), "--settings", DATABASE_URL=database_url).stdout
    assert lines.splitlines() == [f"{name}={value}" for name, value in report["settings"].items()]
    names = {line.partition("=")[0].lower() for line in lines.splitlines()}
    assert names <= set(Settings.fields())
    taken = dict(line.lower().split("=") for line in lines.splitlines())
    assert settings_from(taken, env_file=None).fills.landing_max == float(report["settings"]["LANDING_MAX"])


def test_a_run_without_live_orders_says_so(tmp_path: Path, database_url: str, new_run: int) -> None:
    empty = memesnipe(tmp_path, "landing", "--run", str(new_run), DATABASE_URL=database_url)
    assert (empty.returncode, empty.stdout) == (0, f"run {new_run}: 0 orders: none\n")
    nothing = memesnipe(tmp_path, "landing", "--run", str(new_run), "--settings", DATABASE_URL=database_url)
    assert (nothing.stdout, "nothing to take over" in nothing.stderr) == ("", True)
    missing = memesnipe(tmp_path, "landing", "--run", "999999999", DATABASE_URL=database_url)
    assert (missing.returncode, missing.stderr) == (
        2, "memesnipe: input: --run 999999999: there is no such run\n",
    )  # fmt: skip


def test_the_page_shows_the_output_of_simulated_orders(tmp_path: Path) -> None:
    shown = memesnipe(tmp_path, "landing", "--simulated", "500")
    assert shown.returncode == 0, shown.stderr
    assert f"<!-- output: memesnipe landing --simulated 500 -->\n```\n{shown.stdout}```\n" in PAGE.read_text()
