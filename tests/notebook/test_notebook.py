"""The API for notebooks: its documented examples, its tables against the engine's results, and its plots."""

import doctest
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import memesnipe as ms
from memesnipe.bench.market import make_market
from memesnipe.engine.genome import simple_genome
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.sdk.registry import discover
from memesnipe.tapes.tape import Tape, write_tape
from tests.cli.in_process import memesnipe

DOCS = Path(__file__).parents[2] / "docs" / "notebooks.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebook")
    made = memesnipe(folder, "synth", "--tokens", "40", "--hours", "2", "--seed", "3", "-o", "market.tape")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def market(folder: Path) -> ms.Market:
    return ms.read_tape(folder / "market.tape")


@pytest.fixture(scope="module")
def tested(market: ms.Market) -> ms.Backtest:
    return ms.backtest(market, "momentum_5m", {"lookback_s": 60, "breakout": 0.02})


def test_the_examples_in_the_documents_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    done = doctest.testfile(str(DOCS), module_relative=False, optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    assert (done.failed, done.attempted > 8) == (0, True)


def test_the_command_has_the_same_result(folder: Path, tested: ms.Backtest) -> None:
    options = ("--strategy", "momentum_5m", "--param", "lookback_s=60", "--param", "breakout=0.02", "--json")
    printed = json.loads(memesnipe(folder, "backtest", "--tape", "market.tape", *options).stdout)
    assert printed["digest"] == tested.digest and printed["metrics"] == tested.metrics
    assert printed["orders"] == len(tested.fills) > 10


def test_the_equity_has_the_measured_drawdown(tested: ms.Backtest) -> None:
    curve = np.array([1.0, *tested.equity])
    drawdown = float(np.max(1.0 - curve / np.maximum.accumulate(curve)))
    assert drawdown == pytest.approx(tested.metrics["max_drawdown"], abs=1e-5) and drawdown > 0.0
    assert tested.equity.index.is_monotonic_increasing and set(tested.equity.index.second) == {0}


def test_fills_are_the_cash_that_changed_hands(tested: ms.Backtest) -> None:
    bought = tested.fills[(tested.fills["side"] == "buy") & (tested.fills["status"] == "PAPER")]
    fees = bought["pool_fee_lamports"] + bought["network_fee_lamports"]
    assert (bought["cash_change_lamports"] == -bought["sol_lamports"] - fees).all()
    assert (tested.fills["ts"] >= tested.fills["decided_ts"]).all()


def test_tables_of_a_market_agree(market: ms.Market) -> None:
    trades, tokens = market.trades(), market.tokens
    assert market.summary["events"] == sum(market.kinds.values())
    busiest = tokens["events"].idxmax()
    assert len(market.trades(busiest)) == (trades["mint"] == busiest).sum() > 0
    assert (tokens["first"] <= tokens["last"]).all()
    with pytest.raises(InputError, match="mint nothing: is not on"):
        market.trades("nothing")


def test_a_genome_is_taken_from_a_file_and_as_a_dictionary(folder: Path, market: ms.Market) -> None:
    genome = simple_genome("mean_revert_1h", {n: p.default for n, p in discover()["mean_revert_1h"].params.items()})
    path = folder / "genome.json"
    path.write_text(json.dumps({"spec_id": genome.spec_id, **genome.to_dict()}))
    results = [
        ms.backtest(market, given) for given in ("mean_revert_1h", path, str(path), json.loads(path.read_text()))
    ]
    assert len({result.digest for result in results}) == 1 and results[0].genome == genome


def test_a_wrong_parameter_is_named(market: ms.Market) -> None:
    with pytest.raises(InputError, match="params lookback: momentum_5m has no such parameter; did you mean lookback_s"):
        ms.backtest(market, "momentum_5m", {"lookback": 60})


def test_everything_is_shown_and_drawn(market: ms.Market, tested: ms.Backtest, folder: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="an extra of the package")
    matplotlib.use("Agg")
    for ax in (market.plot(market.tokens.index[0]), tested.plot()):
        ax.figure.savefig(folder / "drawn.png")
        assert ax.lines and ax.get_title() and ax.get_xlabel() == "time (UTC)"
        assert sum(bool(label.get_text()) for label in ax.get_yticklabels()) >= 3
    assert "momentum_5m" in repr(tested) and "tokens" in repr(market)
    assert "<caption>momentum_5m" in tested._repr_html_() and "<td>" in market._repr_html_()


def test_the_tear_sheet_has_the_metrics_of_the_backtest(tested: ms.Backtest, folder: Path) -> None:
    written = ms.report(tested, folder / "sheet.html", folder / "pictures")
    text = written.read_text()
    assert f">{tested.metrics['profit_factor']:,.2f}<" in text and tested.digest in text and "momentum_5m" in text
    assert len(list((folder / "pictures").glob("*.png"))) >= 5
    for wrong in ({"result": 5, "path": "a.html"}, {"result": tested, "path": 5}, {"result": tested, "path": folder}):
        with pytest.raises(InputError, match=r"^(result|path)\W"):
            ms.report(**wrong)  # type: ignore[arg-type]


def test_the_package_names_the_api_and_nothing_else() -> None:
    assert {"backtest", "evolve", "read_tape", "report"} <= set(dir(ms))
    with pytest.raises(AttributeError, match="backtests"):
        ms.backtests  # noqa: B018 - the access is what is tested


def test_a_search_on_no_tape_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MemeSnipeError, match=r"missing\.tape"):
        ms.evolve("missing.tape", generations=1)


@pytest.mark.parametrize("wrong", [{"generations": 0}, {"population": -2}, {"generations": "x"}, {"polish": True}])
def test_a_search_checks_its_numbers(wrong: dict[str, Any]) -> None:
    name = next(iter(wrong))
    with pytest.raises(InputError, match=f"{name}=.*: must be a whole number from"):
        ms.evolve("market.tape", **wrong)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ms.read_tape(5), "path=5: must be the path of a tape"),
        (lambda: ms.backtest(5, "momentum_5m"), "tape=5: must be the path of a tape, or what read_tape returned"),
        (lambda: ms.backtest("market.tape", None), "strategy=None: must be a family's name"),
        (lambda: ms.backtest("market.tape", "momentum_5m", [1]), r"params=\[1\]: must be names and numbers"),
        (lambda: ms.backtest("market.tape", "momentum_5m", {"lookback_s": "x"}), r"params\['lookback_s'\]='x': must"),
        (lambda: ms.backtest("market.tape", "momentum_5m", capital_usd="x"), "capital_usd='x': must be a number from"),
        (lambda: ms.backtest("market.tape", {"signals": 3}), "strategy: is not a genome: signals is 3: must be"),
        (lambda: ms.backtest("market.tape", "bad.json"), "^strategy bad.json: is not JSON"),
        (lambda: ms.evolve(None), "tape=None: must be the path of a tape"),
        (lambda: ms.evolve("market.tape", seed="x"), "seed='x': must be a whole number from 0"),
        (lambda: ms.evolve("market.tape", workers=0), "workers=0: must be a whole number from 1"),
        (lambda: ms.evolve("market.tape", resume="no"), "resume='no': must be True or False"),
    ],
)
def test_a_wrong_argument_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[[], object], message: str
) -> None:
    monkeypatch.chdir(folder)
    Path("bad.json").write_text("x")
    with pytest.raises(InputError, match=message) as raised:
        call()
    assert "\n" not in str(raised.value) and "--" not in str(raised.value)


def test_a_genome_of_an_unknown_family_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    genome = simple_genome("momentum_6m", {}).to_dict()
    with pytest.raises(InputError, match=r"strategy: momentum_6m: there is no such strategy; did you mean momentum_5m"):
        ms.backtest("market.tape", genome)


def test_a_strategy_without_its_inputs_is_said(tmp_path: Path) -> None:
    made = make_market(500, 10, seed=1)
    write_tape(tmp_path / "trades.tape", Tape(made, [f"Mint{i}" for i in range(int(made["token"].max()) + 1)]))
    found = ms.backtest(tmp_path / "trades.tape", "social_buzz")
    assert found.warnings == ["social_buzz needs social events, and the tape has none."]
    assert ms.backtest(tmp_path / "trades.tape", "momentum_5m").warnings == []
