"""`explain` and `export`: a strategy from a file or of the running system, in words and as a file again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from memesnipe.engine.genome import genome_from, simple_genome
from memesnipe.sdk.registry import discover
from memesnipe.storage.schema import StrategyRow
from memesnipe.storage.schema_control import CommandRow
from tests.cli.in_process import memesnipe

PARAMS = {name: p.default for name, p in discover()["momentum_5m"].params.items()}
GENOME = simple_genome("momentum_5m", PARAMS)

SWAPS = """ts_ns,mint,side,sol_amount,token_amount
1757782395000000000,MintA,buy,0.5,17000000
1757782396000000000,MintA,sell,0.1,3400000
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"spec_id": GENOME.spec_id, **GENOME.to_dict()}))
    return path


def test_a_file_is_explained_in_words(tmp_path: Path, spec: Path) -> None:
    done = memesnipe(tmp_path, "explain", str(spec))
    assert (done.returncode, done.stderr) == (0, "")
    assert GENOME.spec_id in done.stdout and "Buy a token that breaks out" in " ".join(done.stdout.split())
    answer = json.loads(memesnipe(tmp_path, "explain", str(spec), "--json").stdout)
    assert genome_from(answer["genome"]) == GENOME
    assert set(answer["words"]) == {"momentum_5m", "buys", "sells", "size", "tokens"}


def test_an_exported_strategy_is_read_again(tmp_path: Path, spec: Path) -> None:
    assert memesnipe(tmp_path, "export", str(spec), "-o", "shared.json").returncode == 0
    answer = json.loads(memesnipe(tmp_path, "explain", "shared.json", "--json").stdout)
    assert answer["spec_id"] == GENOME.spec_id


def test_a_shared_strategy_is_tested_on_a_tape(tmp_path: Path, spec: Path) -> None:
    (tmp_path / "swaps.csv").write_text(SWAPS)
    assert memesnipe(tmp_path, "import", "swaps.csv", "-o", "a.tape", "--sol-usd", "200").returncode == 0
    assert memesnipe(tmp_path, "export", str(spec), "-o", "shared.json").returncode == 0
    done = memesnipe(tmp_path, "backtest", "--tape", "a.tape", "--spec", "shared.json", "--json")
    assert (done.returncode, json.loads(done.stdout)["events"]) == (0, 2), done.stderr


def test_a_file_names_the_strategy_to_promote(
    tmp_path: Path, spec: Path, database_url: str, new_run: int, insert: Callable[..., None]
) -> None:
    home = {"DATABASE_URL": database_url, "MEMESNIPE_HOME": str(tmp_path)}
    refused = memesnipe(tmp_path, "promote", "one.json", **home)
    assert refused.returncode == 2 and GENOME.spec_id in refused.stderr
    insert(StrategyRow, spec_id=GENOME.spec_id, genome=GENOME.to_dict(), mode="simulating")
    done = memesnipe(tmp_path, "promote", "one.json", "--json", **home)
    assert (done.returncode, json.loads(done.stdout)["command"]) == (0, "promote"), done.stderr


def test_a_strategy_is_no_file_of_swaps(tmp_path: Path, spec: Path) -> None:
    done = memesnipe(tmp_path, "import", "one.json", "-o", "a.tape")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "one.json: is a strategy, not a file of swaps: `memesnipe explain one.json` describes it" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (
            ["explain", "none.json"],
            "none.json: there is no such file; name one, or an id that `memesnipe strategies` lists",
        ),
        (
            ["explain", "0a1b2c3d4e5f"],
            "0a1b2c3d4e5f: there is no such file; the id of a strategy needs a run",
        ),
        (["export", "one.json", "-o", "missing/x.json"], "-o missing/x.json"),
    ],
)
def test_what_cannot_be_found_is_one_line(tmp_path: Path, spec: Path, arguments: list[str], named: str) -> None:
    done = memesnipe(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr and len(done.stderr.splitlines()) == 1


def test_an_unknown_id_is_answered_with_the_nearest(
    tmp_path: Path, database_url: str, new_run: int, insert: Callable[..., None]
) -> None:
    insert(StrategyRow, spec_id="aa11aa11aa11", genome=GENOME.to_dict(), mode="simulating")
    done = memesnipe(tmp_path, "explain", "aa11aa11aa12", DATABASE_URL=database_url)
    assert (done.returncode, done.stdout) == (2, "")
    assert "; ids that begin like it: aa11aa11aa11; `memesnipe strategies` lists the ids" in done.stderr


def test_the_only_id_that_begins_so_is_enough(
    tmp_path: Path, database: sa.Engine, database_url: str, new_run: int, insert: Callable[..., None]
) -> None:
    for spec_id in ("ab11ab11ab11", "ab22ab22ab22", "ab22ab22ffff"):
        insert(StrategyRow, spec_id=spec_id, genome=GENOME.to_dict(), mode="simulating")
    for command in (("explain", "ab11", "--json"), ("export", "ab11", "-o", "a.json", "--json")):
        done = memesnipe(tmp_path, *command, DATABASE_URL=database_url)
        assert json.loads(done.stdout)["spec_id"] == GENOME.spec_id, done.stderr
    sent = memesnipe(tmp_path, "promote", "ab11", "--json", DATABASE_URL=database_url)
    assert json.loads(sent.stdout)["spec_id"] == "ab11ab11ab11", sent.stderr
    with database.connect() as connection:
        found = connection.scalars(sa.select(CommandRow.spec_id).where(CommandRow.run_id == new_run)).all()
    assert found == ["ab11ab11ab11"]
    for command in ("explain", "demote"):
        done = memesnipe(tmp_path, command, "ab22", DATABASE_URL=database_url)
        assert (done.returncode, "ab22ab22ab22, ab22ab22ffff" in done.stderr) == (2, True)
        short = memesnipe(tmp_path, command, "ab1", DATABASE_URL=database_url)
        assert (short.returncode, "ids that begin like it: ab11ab11ab11" in short.stderr) == (2, True)
