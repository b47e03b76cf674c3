"""The commands of research as a user runs them: their output, and their errors on wrong input."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memesnipe.bench.market import bare_momentum, make_market
from memesnipe.cli.main import run
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import simple_genome
from memesnipe.engine.lookahead import Difference, Lookahead
from memesnipe.market.events import empty, rows
from memesnipe.runtime.backtest_run import digest_of
from memesnipe.runtime.backtest_run import run as run_backtest
from memesnipe.sdk.registry import discover
from memesnipe.tapes.tape import Tape, read_tape, write_tape

Memesnipe = Callable[..., tuple[int, str, str]]
POOL = {"v_sol": 40 * 10**9, "v_tok": 804_750_000_000_000}
METRICS = {
    "total_pnl_usd", "total_return", "sharpe", "sortino", "calmar", "max_drawdown", "trades", "win_rate",
    "profit_factor", "expectancy_usd", "fees_usd",
}  # fmt: skip


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    events = make_market(6000, 40, seed=3)
    path = tmp_path_factory.mktemp("tapes") / "a.tape"
    write_tape(path, Tape(events, [f"Mint{i}" for i in range(int(events["token"].max()) + 1)]))
    return path


@pytest.fixture
def memesnipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Memesnipe:
    """Return a function that runs a command in an empty folder; it returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def typed(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["memesnipe", *map(str, arguments)])
        code = 0
        try:
            run()
        except SystemExit as done:
            code = int(done.code or 0)
        written = capsys.readouterr()
        return code, written.out, written.err

    return typed


def _json(done: tuple[int, str, str]) -> Any:
    code, out, err = done
    assert code == 0, err
    assert out.count("\n") == 1
    return json.loads(out)


def test_quote_prices_a_trade(memesnipe: Memesnipe, tmp_path: Path) -> None:
    (tmp_path / "pool.json").write_text(json.dumps(POOL))
    command = ("quote", "--pool", "pool.json", "--op", "buy_exact_quote_in", "--amount", "1000000000")
    quoted = _json(memesnipe(*command, "--json"))
    assert (quoted["venue"], quoted["internal_quote"], quoted["quote_in"]) == ("pump_curve", 987654320, 10**9)
    assert "987654320" in memesnipe(*command)[1]


def test_quote_counts_rows_that_expect_something_else(memesnipe: Memesnipe, tmp_path: Path) -> None:
    row = POOL | {"op": "sell_exact_base_in", "base_in": "1000000"}
    (tmp_path / "rows.json").write_text(json.dumps([row, row | {"quote_out": "1"}]))
    code, out, _ = memesnipe("quote", "--pool", "rows.json", "--json")
    result = json.loads(out)
    assert (code, result["count"], result["mismatches"], len(result["quotes"])) == (1, 2, 1, 2)
    (tmp_path / "rows.json").write_text(json.dumps([row]))
    result = _json(memesnipe("quote", "--pool", "rows.json", "--json"))
    assert (result["count"], result["compared"], result["mismatches"]) == (1, 0, 0), "the row has no expected result"
    (tmp_path / "rows.json").write_text("[]")
    code, _, err = memesnipe("quote", "--pool", "rows.json")
    assert (code, err.count("\n"), "empty list" in err) == (2, 1, True)


def test_backtest_reports_the_fields_of_the_contract(
    memesnipe: Memesnipe, tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDING_MAX", "0.6")
    command = ("backtest", "--tape", tape, "--strategy", "momentum_5m", "--param", "breakout=0.02")
    result = _json(memesnipe(*command, "--trades", "trades.csv", "--json"))
    assert set(result["metrics"]) == METRICS
    assert (result["events"], result["metrics"]["trades"] > 0, result["seconds"] > 0) == (6000, True, True)
    with (tmp_path / "trades.csv").open() as file:
        fills = list(csv.DictReader(file))
    assert {fill["status"] for fill in fills} == {"PAPER", "FAILED"}
    assert len([fill for fill in fills if fill["failure"]]) == result["failed"]
    left = [fill for fill in fills if fill["side"] == "sell" and fill["status"] == "PAPER"]
    assert len(left) == result["metrics"]["trades"]
    again = _json(memesnipe(*command, "--json"))
    assert again["digest"] == result["digest"]
    assert "profit_factor" in memesnipe(*command)[1]


def test_slices_do_not_change_the_result(tape: Path) -> None:
    recorded, family = read_tape(tape), "mean_revert_1h"
    recorded.events["seq"] = np.arange(1, len(recorded.events) + 1)
    lengths: list[int] = []
    whole, sliced = (
        run_backtest(recorded, simple_genome(family, {}), discover(), FillModel(), 1000.0, slices, lengths.append)
        for slices in (1, 7)
    )
    assert whole.fills == sliced.fills != []
    assert whole.result == sliced.result
    assert digest_of(whole.fills) != digest_of(whole.fills[:-1])
    assert (lengths[0], sum(lengths[1:]), len(lengths)) == (6000, 6000, 8)


def test_a_genome_in_a_file_gives_the_same_result(memesnipe: Memesnipe, tape: Path, tmp_path: Path) -> None:
    family = "momentum_5m"
    params = {name: p.default for name, p in discover()[family].params.items()} | {"breakout": 0.02}
    genome = simple_genome(family, params)
    champion = {"spec": {"spec_id": genome.spec_id, **genome.to_dict()}, "train_sharpe": 1.0, "promotable": False}
    (tmp_path / "spec.json").write_text(json.dumps(champion))
    from_file = _json(memesnipe("backtest", "--tape", tape, "--spec", "spec.json", "--strategy", family, "--json"))
    given = _json(memesnipe("backtest", "--tape", tape, "--strategy", family, "--param", "breakout=0.02", "--json"))
    assert from_file["spec_id"] == given["spec_id"] == genome.spec_id
    assert from_file["digest"] == given["digest"]


def test_lookahead_check_clears_a_bundled_family(memesnipe: Memesnipe, tape: Path) -> None:
    command = ("lookahead-check", "--strategy", "mean_revert_1h", "--tape", tape, "--cuts", "4")
    result = _json(memesnipe(*command, "--json"))
    (found,) = result["families"]
    assert (found["family"], found["verdict"], found["cuts"], result["looks_ahead"]) == (
        "mean_revert_1h",
        "clean",
        4,
        [],
    )
    assert found["compared"] > 0
    assert "clean" in memesnipe(*command)[1]


def test_lookahead_check_fails_on_a_strategy_that_looks_ahead(
    memesnipe: Memesnipe, tape: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Difference(17, "cut off", "abc", None, None)
    monkeypatch.setattr(Lookahead, "_first_difference", lambda *_: found)
    command = ("lookahead-check", "--strategy", "mean_revert_1h", "--tape", tape)
    code, out, err = memesnipe(*command)
    assert (code, "looks ahead" in out) == (1, True)
    assert "mean_revert_1h: with the future after event 17 cut off" in err
    assert json.loads(memesnipe(*command, "--json")[1])["looks_ahead"] == ["mean_revert_1h"]


def test_bench_engine_measures(memesnipe: Memesnipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memesnipe.bench.engine.STARTS", 1)
    result = _json(memesnipe("bench", "engine", "--events", "2000", "--genomes", "2", "--json"))
    assert all(result[name] > 0 for name in ("full", "busy", "bare", "ratio", "startup_seconds"))
    assert (result["events"], result["genomes"], result["rounds"] >= 5, bool(result["cpu"])) == (2000, 2, True, True)
    assert 0 <= result["activity"]["busy"]["exposed_share"] <= 1


def test_the_bare_loop_votes_like_the_strategy() -> None:
    events, strategy = make_market(4000, 40, seed=2), discover()["momentum_5m"]
    given = [
        {"lookback_s": 300.0, "breakout": 0.05, "vol_mult": 2.0},
        {"lookback_s": 60.0, "breakout": 0.01, "vol_mult": 0.5},
    ]
    columns = tuple(np.ascontiguousarray(events[n]) for n in ("ts", "token", "side", "price_usd", "volume_usd"))
    votes = bare_momentum(columns, 40, np.array([list(params.values()) for params in given]))
    for params, (buys, sells) in zip(given, votes.tolist(), strict=True):
        states = [strategy.make_state() for _ in range(40)]
        cast = [strategy.on_event(strategy.make_params(params), states[e.token], e) for e in rows(events)]
        assert (cast.count(1), cast.count(-1)) == (buys, sells)
    assert votes.sum(axis=0).min() > 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("quote", "--pool", "no.json"), "--pool no.json: cannot be read: No such file"),
        (("quote", "--pool", "x" * 300), "xxx: cannot be read: File name too long"),
        (("quote", "--pool", "text.txt"), "--pool text.txt: is not JSON"),
        (("quote", "--pool", "pool.json"), "--pool pool.json: op is missing"),
        (("quote", "--pool", "list.json", "--amount", "1"), "leave --op and --amount out"),
        (("quote", "--pool", "list.json"), "--pool list.json: row 1: op is None"),
        (("backtest", "--tape", "TAPE"), "--strategy FAMILY or --spec FILE"),
        (("backtest", "--tape", "TAPE", "--strategy", "dreams"), "--strategy dreams: there is no such strategy"),
        (("backtest", "--tape", "no.tape", "--strategy", "momentum_5m"), "--tape no.tape: there is no such file"),
        (("backtest", "--tape", "text.txt", "--strategy", "momentum_5m"), "text.txt is not a tape"),
        (
            ("backtest", "--tape", "TAPE", "--strategy", "momentum_5m", "--param", "x=1"),
            "has no such parameter; there are lookback_s",
        ),
        (
            ("backtest", "--tape", "TAPE", "--strategy", "momentum_5m", "--param", "breakout=7"),
            "--param breakout=7: must be from 0.01 to 0.5 ratio",
        ),
        (("backtest", "--tape", "TAPE", "--strategy", "momentum_5m", "--param", "breakout=nan"), "must be from 0.01"),
        (("backtest", "--tape", "TAPE", "--strategy", "momentum_5m", "--param", "breakout"), "must be NAME=NUMBER"),
        (
            ("backtest", "--tape", "TAPE", "--strategy", "momentum_5m", "--capital", "0"),
            "--capital 0: must be a",
        ),
        (
            ("backtest", "--tape", "TAPE", "--strategy", "momentum_5m", "--trades", "no/t.csv"),
            "--trades no/t.csv: there is no folder no",
        ),
        (("backtest", "--tape", "TAPE", "--spec", "no.json"), "--spec no.json: cannot be read"),
        (("backtest", "--tape", "TAPE", "--spec", "pool.json"), "--spec pool.json: is not a genome: it has no 'v_sol'"),
        (("backtest", "--tape", "TAPE", "--spec", "pool.json", "--param", "a=1"), "do not go together"),
        (("backtest", "--tape", "TAPE", "--spec", "search.json"), "it is the result of a search"),
        (("backtest", "--tape", "TAPE", "--spec", "twice.json"), "is not JSON: 'size' occurs twice in one object"),
        (("backtest", "--tape", "TAPE", "--spec", "nan.json"), "is not JSON: NaN is not a JSON number"),
        (("backtest", "--tape", "TAPE", "--spec", "deep.json"), "is nested too deeply for JSON"),
        (("backtest", "--tape", "TAPE", "--spec", "."), "--spec .: is not a file"),
        (
            (
                "backtest",
                "--tape",
                "TAPE",
                "--strategy",
                "momentum_5m",
                "--param",
                "breakout=0.1",
                "--param",
                "breakout=1",
            ),
            "--param breakout: is given twice",
        ),
        (("lookahead-check", "--strategy", "dreams"), "--strategy dreams: there is no such strategy"),
        (("lookahead-check", "--tape", "no.tape"), "--tape no.tape: there is no such file"),
        (("lookahead-check", "--cuts", "9" * 40), "must be a whole number from 1 to 10000"),
        (("lookahead-check", "--seed", "-1"), "--seed -1: must be a whole number from 0 to"),
        (("backtest", "--tape", "TAPE", "--capital", "nan"), "--capital nan: must be a number from 0.01 to 1000000000"),
        (
            ("plan", "--population", "8", "--generations", "1", "--events", "1e9"),
            "--events 1e9: must be",
        ),
        (
            ("plan", "--population", "8", "--generations", "1", "--events", "9", "--usd-per-core-hour", "inf"),
            "--usd-per-core-hour inf: must be a number from 0 to 1000",
        ),
        (("plan", "--population", "8", "--generations", "1", "--events", "9", "--cores", "0"), "--cores 0: must be"),
        (("evolve", "--tape", "TAPE", "--workers", "two"), "--workers two: must be a whole number from 1 to 512"),
    ],
)
def test_an_error_is_one_line(
    memesnipe: Memesnipe, tape: Path, tmp_path: Path, arguments: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "text.txt").write_text("some words")
    (tmp_path / "pool.json").write_text(json.dumps(POOL))
    (tmp_path / "list.json").write_text(json.dumps([POOL]))
    (tmp_path / "search.json").write_text('{"champions": [{}]}')
    (tmp_path / "twice.json").write_text('{"size": 1, "size": 2}')
    (tmp_path / "nan.json").write_text('{"size": NaN}')
    (tmp_path / "deep.json").write_text("[" * 100_000)
    code, out, err = memesnipe(*(str(tape) if a == "TAPE" else a for a in arguments))
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert expected in err


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"size": 2.0}, "size is 2.0: must be a number from 0 to 1"),
        ({"size": "0.1"}, "size is '0.1': must be a number from 0 to 1"),
        ({"sise": 0.1}, "it has no 'sise'; did you mean size?"),
        ({"exits": {"stop_loss": 0.1}}, "exits.take_profit is missing"),
        ({"spec_id": "abc"}, "spec_id is 'abc', but this genome's is "),
        (
            {"signals": [{"family": "momentum_5m", "params": {"breakout": 0.1}, "weight": 1.0}]},
            "momentum_5m: lacks lookback_s (its default is 300), vol_mult (its default is 2)",
        ),
        (
            {"signals": [{"family": "momentum_5m", "params": {}, "weight": 1.0}] * 2},
            "momentum_5m occurs 2 times",
        ),
        ({"signals": [{"family": "momentum_5m", "params": {"break_out": 1}, "weight": 1}]}, "did you mean breakout?"),
        ({"signals": []}, "has 0 signals; must be from 1 to 3"),
        ({"signals": [{"family": "dreams", "params": {}, "weight": 1.0}]}, "dreams: there is no such strategy"),
        (
            {"signals": [{"family": "momentum_5m", "params": {"breakout": 9.0}, "weight": 1.0}]},
            "momentum_5m: breakout=9: must be from 0.01 to 0.5",
        ),
    ],
)
def test_an_invalid_genome_is_refused(
    memesnipe: Memesnipe, tape: Path, tmp_path: Path, changed: dict[str, Any], expected: str
) -> None:
    params = {name: p.default for name, p in discover()["momentum_5m"].params.items()}
    (tmp_path / "spec.json").write_text(json.dumps({**simple_genome("momentum_5m", params).to_dict(), **changed}))
    code, _, err = memesnipe("backtest", "--tape", tape, "--spec", "spec.json")
    assert (code, len(err.splitlines())) == (2, 1)
    assert expected in err


def test_an_empty_tape_is_refused(memesnipe: Memesnipe, tmp_path: Path) -> None:
    write_tape(tmp_path / "empty.tape", Tape(empty(0), []))
    code, _, err = memesnipe("backtest", "--tape", "empty.tape", "--strategy", "momentum_5m")
    assert (code, err.strip()) == (2, "memesnipe: input: empty.tape has no events")


def test_under_a_day_and_without_round_trips_the_text_has_no_such_figures(memesnipe: Memesnipe, tape: Path) -> None:
    code, out, err = memesnipe("backtest", "--tape", tape, "--strategy", "momentum_5m", "--param", "breakout=0.5")
    assert code == 0, err
    shown = dict(line.split(maxsplit=1) for line in out.splitlines() if line.split(maxsplit=1)[0] in METRICS)
    assert "round trips     0" in out.splitlines()
    assert {shown[name] for name in ("sharpe", "sortino", "calmar")} == {"n/a: under a day"}
    assert {shown[name] for name in ("win_rate", "profit_factor", "expectancy_usd")} == {"n/a: no round trip"}
