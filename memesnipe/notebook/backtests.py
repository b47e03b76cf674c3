"""Backtests for notebooks: the result as an object with tables, an equity curve and a plot."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd

from memesnipe.bounds import MAX_USD
from memesnipe.cli.specs import check_family, check_params, genome_in, read_spec
from memesnipe.config.policies import fill_model_of
from memesnipe.config.settings import load_settings
from memesnipe.engine.genome import Genome, simple_genome
from memesnipe.engine.layout import SAMPLE_NS
from memesnipe.errors import InputError
from memesnipe.notebook.arguments import check_number, check_type
from memesnipe.notebook.figures import axes_of, html_table, show_times
from memesnipe.notebook.markets import Market, read_tape
from memesnipe.number_text import signed
from memesnipe.runtime.backtest_run import COLUMNS, METRICS, BacktestOutcome, run
from memesnipe.runtime.families import load_families
from memesnipe.sdk.registry import Families


@dataclass(frozen=True, slots=True)
class Backtest:
    """The result of a backtest.

    Attributes:
        genome: that was tested.
        outcome: metrics, fills and returns, as the command `memesnipe backtest` has them.
        market: on which it was tested.
        capital_usd: with which it began.
    """

    genome: Genome
    outcome: BacktestOutcome
    market: Market
    capital_usd: float

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of docs/market-model.md by name; ratios are annualised, amounts in USD."""
        return {name: getattr(self.outcome.result, name) for name in METRICS}

    @property
    def fills(self) -> pd.DataFrame:
        """The fills, one a row, in their order; amounts in lamports and raw tokens, times in UTC."""
        table = pd.DataFrame(self.outcome.fills, columns=list(COLUMNS))
        for name in ("decided_ts", "ts"):
            table[name] = pd.to_datetime(table[name].astype("int64"), utc=True)
        return table

    @property
    def equity(self) -> pd.Series:
        """The equity at the end of each minute, in SOL and relative to the starting capital."""
        count = len(self.outcome.returns)
        ends = self.outcome.first_sample_ts + SAMPLE_NS * np.arange(count, dtype=np.int64)
        curve = np.cumprod(1.0 + self.outcome.returns.astype(np.float64))
        return pd.Series(curve, index=pd.to_datetime(ends, utc=True), name="equity")

    @property
    def digest(self) -> str:
        """The hash of all fills; equal for equal histories."""
        return str(self.outcome.summary()["digest"])

    @property
    def warnings(self) -> list[str]:
        """Caveats about the figures, one sentence each."""
        return self.outcome.warnings()

    def plot(self, ax: Any = None) -> Any:
        """Plot the equity; return matplotlib's axes."""
        ax = axes_of(ax)
        ax.plot(self.equity.index, self.equity.to_numpy(), linewidth=1.0)
        ax.axhline(1.0, color="grey", linewidth=0.5)
        ax.set(title=f"{self._names()}: equity in SOL", ylabel="ratio of the capital")
        show_times(ax)
        return ax

    def _names(self) -> str:
        return " + ".join(gene.family for gene in self.genome.signals)

    def __repr__(self) -> str:
        found = self.outcome.result
        return f"<Backtest {self._names()}: {found.trades:,} round trips, return {signed(found.total_return, '.2%')}>"

    def _repr_html_(self) -> str:
        return html_table(f"{self._names()} ({self.genome.spec_id})", self.metrics)


def backtest(
    tape: str | Path | Market,
    strategy: str | Path | Mapping[str, Any],
    params: Mapping[str, float] | None = None,
    *,
    capital_usd: float | None = None,
) -> Backtest:
    """Test one strategy on a tape, with the fills, fees and failures of the live simulation.

    Args:
        tape: to test on: a path, or what `read_tape` returned.
        strategy: the name of a family, the path of a file with a genome, or a genome as a dictionary.
        params: parameters of the family; those not given have their defaults.
        capital_usd: starting capital; None for the setting SHADOW_CAPITAL_USD.

    Raises:
        InputError: the tape, the strategy or a parameter is not valid; the message says which, and what is.
    """
    check_type("tape", tape, (str, Path, Market), "the path of a tape, or what read_tape returned")
    check_type("strategy", strategy, (str, Path, Mapping), "a family's name, the path of a file, or a genome")
    check_type("params", params, (Mapping, NoneType), "names and numbers, as in {'lookback_s': 60}")
    for name, value in (params or {}).items():
        check_number(f"params[{name!r}]", value)
    if capital_usd is not None:
        check_number("capital_usd", capital_usd, 0.01, MAX_USD)
    settings = load_settings()
    families = load_families(settings)
    genome = _genome(families, strategy, params or {})
    market = tape if isinstance(tape, Market) else read_tape(tape)
    capital = settings.simulation.shadow_capital_usd if capital_usd is None else capital_usd
    outcome = run(market.tape, genome, families, fill_model_of(settings), capital, 1, lambda _: None)
    return Backtest(genome, outcome, market, capital)


def _genome(families: Families, strategy: str | Path | Mapping[str, Any], params: Mapping[str, float]) -> Genome:
    if isinstance(strategy, str) and Path(strategy).is_file():
        strategy = Path(strategy)
    if params and not isinstance(strategy, str):
        raise InputError("params: go with the name of a family; change the parameters in the genome instead")
    if isinstance(strategy, Mapping):
        return genome_in(strategy, families, "strategy")
    if isinstance(strategy, Path):
        return read_spec(strategy, families, f"strategy {strategy}")
    check_family(families, strategy, "strategy")
    check_params(families, strategy, params, "params")
    defaults = {name: declared.default for name, declared in families[strategy].params.items()}
    return simple_genome(strategy, defaults | dict(params))
