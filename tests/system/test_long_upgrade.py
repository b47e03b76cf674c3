"""An upgrade as docs/operations.md says it: an earlier version has traded, this one goes on, and the way back works."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pages import ROOT
from tests.system.installation import Installation, wait_for

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(1200)]

EARLIER = "319edd5a"  # a commit before the last migrations; it needs the same packages
FEED = ("--feed", "synthetic", "--speed", "8")
TRADES = 10  # before the upgrade


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sources of the earlier version."""
    folder = tmp_path_factory.mktemp("earlier")
    made = subprocess.run(["git", "archive", EARLIER], cwd=ROOT, capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"the history of this checkout has no commit {EARLIER}: {made.stderr.decode().strip()}")
    subprocess.run(["tar", "-x", "-C", folder], input=made.stdout, check=True)
    return folder


class Earlier:
    """An installation, used with the earlier version."""

    def __init__(self, installation: Installation, sources: Path) -> None:
        self.folder = installation.folder
        self.env = installation.env | {"PYTHONPATH": str(sources)}

    def run(self, *arguments: str) -> str:
        """Run a command that must succeed; return its output."""
        command = [sys.executable, "-m", "memesnipe", *arguments]
        given = {"cwd": self.folder, "env": self.env, "capture_output": True, "text": True, "timeout": 600}
        done = subprocess.run(command, **given, check=False)  # type: ignore[call-overload]
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return str(done.stdout)


def trades(run: Callable[..., str]) -> int:
    return int(json.loads(run("status", "--json"))["trades"])


def test_a_traded_run_is_readable_after_an_upgrade_and_continues_after_the_way_back(
    installations: Callable[..., Installation], earlier: Path
) -> None:
    one, back = installations(), installations()
    old = Earlier(one, earlier)
    old.run("up", *FEED, "--detach")
    assert json.loads(old.run("status", "--json"))["running"]
    wait_for("trades of the earlier version", lambda: trades(old.run) >= TRADES, 400)
    old.run("backup", "-o", str(back.folder / "before.backup"))
    old.run("down")
    made = json.loads(old.run("verify", "--json"))
    assert made["clean"] and made["orders"] >= TRADES

    process = one.start("up", *FEED, "--json")
    wait_for("the new run", lambda: "Run 2 begins" in one.stderr, 400)
    assert "Run 1 of this feed is not continued: the code that decides has changed. Run 2 begins" in one.stderr
    wait_for("events", lambda: one.heartbeat("executor").get("seq", 0) > 100)
    read = json.loads(one.run("verify", "--run", "1", "--json").stdout)
    assert read["clean"] and not read["same_code"]
    assert {name: read[name] for name in ("events", "orders", "trades", "positions")} == {
        name: made[name] for name in ("events", "orders", "trades", "positions")
    }
    assert one.run("report", "1", "-o", "one.html").returncode == 0
    assert (one.folder / "one.html").stat().st_size > 10_000
    one.interrupt(process)
    assert process.wait(120) == 0, one.stderr
    assert json.loads(one.stdout)["run_id"] == 2

    refused = subprocess.run(
        [sys.executable, "-m", "memesnipe", "verify"], cwd=one.folder, env=old.env, capture_output=True, check=False
    )
    assert refused.returncode != 0, "its tables are those of a later version"
    again = Earlier(back, earlier)
    again.run("restore", "before.backup")
    again.run("up", *FEED, "--detach")
    wait_for("the run to go on", lambda: trades(again.run) > TRADES, 400)
    again.run("down")
    assert "Run 1 continues" in (back.folder / ".memesnipe" / "logs" / "up.out").read_text()
    assert json.loads(again.run("verify", "--json"))["clean"]
