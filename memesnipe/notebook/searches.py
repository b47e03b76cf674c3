"""Searches for notebooks: generations and champions as tables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import Any

import pandas as pd

from memesnipe.bounds import MAX_SEED
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.notebook.arguments import check_integer, check_type
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
            InputError: no champion has this id.
        """
        specs = {found["spec"]["spec_id"]: dict(found["spec"]) for found in self.summary["champions"]}
        if spec_id not in specs:
            raise InputError(f"{str(spec_id)[:60]!r}: is no champion; they are {', '.join(specs) or 'none'}")
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
    check_type("tape", tape, (str, Path, Market), "the path of a tape, or what read_tape returned")
    check_integer("generations", generations, 1, 1_000_000)
    check_integer("population", population, 8, 1_000_000)
    check_integer("seed", seed, 0, MAX_SEED)
    check_integer("polish", polish, 0, 10_000)
    check_type("resume", resume, (bool,), "True or False")
    check_type("address", address, (str, NoneType), "the address of a Ray cluster, or None")
    if workers is not None:
        check_integer("workers", workers, 1, 512)
    path = tape.path if isinstance(tape, Market) else Path(tape)
    plan = Plan(path.resolve(), generations, population, seed, polish, resume)
    try:
        summary, is_stopped = run_search(plan, address, workers, lambda _title, _count: None)
    except InputError as error:
        raise _without_options(error) from None
    if is_stopped:
        raise MemeSnipeError(f"stopped after {len(summary['generations'])} generations; continue with resume=True")
    return Search(summary)


def _without_options(error: InputError) -> InputError:
    """Return an error of the command with its options as the arguments that they are here."""
    return InputError(re.sub(r"--(?=[a-z])", "", str(error)))
