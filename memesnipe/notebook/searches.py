"""Searches for notebooks: generations and champions as tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.notebook.figures import axes_of, html_table
from memesnipe.notebook.markets import Market
from memesnipe.runtime.search_run import Plan
from memesnipe.runtime.search_session import run_search

_FACTS = ("evaluations", "evaluations_ever", "pbo", "promotable", "digest", "seconds")
_CHAMPION = (
    "train_sharpe", "validation_sharpe", "holdout_sharpe", "holdout_return", "holdout_trades", "deflated_sharpe",
    "promotable", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Search:
    """The result of a search.

    Attributes:
        summary: the JSON object of `memesnipe evolve`.
    """

    summary: Mapping[str, Any]

    @property
    def generations(self) -> pd.DataFrame:
        """The generations by their index: evaluations, best and median fitness, seconds."""
        return pd.DataFrame(self.summary["generations"]).set_index("index")

    @property
    def champions(self) -> pd.DataFrame:
        """The champions by the ids of their genomes: their results on each segment, and whether they are promotable."""
        rows = [{name: found[name] for name in _CHAMPION} for found in self.summary["champions"]]
        ids = [found["spec"]["spec_id"] for found in self.summary["champions"]]
        return pd.DataFrame(rows, columns=list(_CHAMPION), index=pd.Index(ids, name="spec_id"))

    def genome(self, spec_id: str) -> dict[str, Any]:
        """Return the genome of a champion, which `backtest` takes.

        Raises:
            KeyError: no champion has this id.
        """
        specs = {found["spec"]["spec_id"]: dict(found["spec"]) for found in self.summary["champions"]}
        return specs[spec_id]

    def plot(self, ax: Any = None) -> Any:
        """Plot the best and the median fitness of each generation; return matplotlib's axes."""
        ax = axes_of(ax)
        self.generations[["best_fitness", "median_fitness"]].plot(ax=ax)
        ax.set(title="fitness", xlabel="generation")
        return ax

    def __repr__(self) -> str:
        counts = f"{len(self.summary['generations'])} generations, {self.summary['evaluations']:,} evaluations"
        promotable = sum(bool(found["promotable"]) for found in self.summary["champions"])
        return f"<Search {counts}, {len(self.summary['champions'])} champions, {promotable} promotable>"

    def _repr_html_(self) -> str:
        return html_table("search", {name: self.summary[name] for name in _FACTS})


def evolve(
    tape: str | Path | Market,
    *,
    generations: int = 20,
    population: int = 200,
    seed: int = 24,
    polish: int = 32,
    resume: bool = False,
    address: str | None = None,
    workers: int | None = None,
) -> Search:
    """Breed strategies on a tape, tune the best, and test them on the untouched holdout.

    Args:
        tape: to search on: a path, or what `read_tape` returned; its last 30 % are the holdout.
        generations: number of generations.
        population: genomes in a generation.
        seed: of the search; equal seeds have equal results.
        polish: trials to tune the parameters of each champion.
        resume: continue the same search where it stopped.
        address: of a Ray cluster; None for RAY_ADDRESS, or a local one.
        workers: parallel backtests on the local cluster; None for all cores.

    Raises:
        InputError: the tape or an argument is not valid.
        MemeSnipeError: the search was interrupted; complete generations are kept, and `resume` continues it.
    """
    _check("generations", generations, 1, 1_000_000)
    _check("population", population, 8, 1_000_000)
    _check("polish", polish, 0, 10_000)
    path = tape.path if isinstance(tape, Market) else Path(tape)
    plan = Plan(path.resolve(), generations, population, seed, polish, resume)
    summary, is_stopped = run_search(plan, address, workers, lambda _title, _count: None)
    if is_stopped:
        raise MemeSnipeError(f"stopped after {len(summary['generations'])} generations; continue with resume=True")
    return Search(summary)


def _check(name: str, value: int, least: int, most: int) -> None:
    """Check an argument.

    Raises:
        InputError: it is not a whole number within its range.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(f"{name}={value!r}: must be a whole number from {least} to {most}")
