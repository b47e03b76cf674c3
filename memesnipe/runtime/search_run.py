"""`memesnipe evolve`: breed strategies on a tape, tune the best, and test them on the untouched holdout."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Engine

from actors.backtest import Backtests, Conditions
from memesnipe.config.policies import fill_model_of
from memesnipe.config.settings import Settings
from memesnipe.engine.genome import Genome
from memesnipe.errors import InputError
from memesnipe.evolution.assessment import Champion
from memesnipe.evolution.evaluation import Evaluation, Record, Segment
from memesnipe.evolution.finish import BASELINE_GENOMES, CHAMPIONS, PolishPlan, polish, run_holdout
from memesnipe.evolution.genetic_algorithm import SearchSettings
from memesnipe.evolution.search import Search
from memesnipe.evolution.spans import cut, search_spans
from memesnipe.evolution.usable import usable_families
from memesnipe.market.assumptions import describe
from memesnipe.runtime.search_key import changes, key_of
from memesnipe.sdk.registry import Families
from memesnipe.stats.splits import Span
from memesnipe.storage.searches import HOLDOUT, SearchInfo, SearchStore, study_storage
from memesnipe.tapes.tape import TapeFile

# Fills depend on the pool's reserves: with assumed reserves, a result is no evidence.
ASSUMED_POOLS: Final = "the tape's pools are assumed, not recorded; import a file with reserves"
SLICE_EVENTS: Final = 500_000  # 64 MB, of which a worker holds one at a time

ReportProgress = Callable[[str, int], None]  # (current step, evaluations done since the last call)


@dataclass(frozen=True, slots=True)
class Plan:
    """The parameters of a search."""

    tape: Path
    generations: int
    population: int
    seed: int
    polish: int  # trials for each champion
    resume: bool


@dataclass(frozen=True, slots=True)
class Market:
    """A tape in the object store, in three segments, and a hash of its events."""

    name: str
    events: int
    kinds: frozenset[int]  # of the training and validation events
    assumptions: list[str]  # of the tape, as sentences
    pools_are_assumed: bool
    train: Segment
    validation: Segment
    holdout: Segment


class Interrupted(Exception):  # noqa: N818 - not an error: the user stopped the search
    """The search was stopped with Ctrl-C; ``summary`` covers its complete generations."""

    def __init__(self, summary: dict[str, Any]) -> None:
        super().__init__("stopped")
        self.summary = summary


class Evolve:
    """A search on a tape: stored in the database, run on the Ray cluster."""

    def __init__(
        self, plan: Plan, file: TapeFile, settings: Settings, families: Families, database: Engine, url: str
    ) -> None:
        self._plan, self._settings = plan, settings
        self._studies = study_storage(database, url)
        conditions = Conditions(
            fill_model_of(settings), settings.simulation.shadow_capital_usd, settings.simulation.strategy_folders
        )
        self._backtests = Backtests(conditions)
        self._started = time.perf_counter()
        self.first_result_s = 0.0
        self._market = load_market(plan.tape, file, self._backtests)
        try:
            self._usable = usable_families(families, self._market.kinds)
        except InputError as error:
            raise InputError(f"--tape {plan.tape}: {error}") from None
        self._families = self._usable.families
        self._store = SearchStore(database, self._market.name)
        search = SearchSettings(
            plan.population,
            settings.evolution.mutation_rate,
            settings.evolution.crossover_rate,
            settings.evolution.tournament_size,
        )
        self._search = Search(self._families, search, plan.seed)
        self._info = self._begin_or_resume(asdict(search))
        self._generations = list(self._info.generations)
        self._evaluations = 0  # made by this process, for the speed
        self._finish_evaluations = 0  # made after the last generation

    def _begin_or_resume(self, search: dict[str, Any]) -> SearchInfo:
        """Begin a new search, or resume the one with the same key.

        Raises:
            InputError: there is none to resume.
        """
        settings, plan = self._settings, self._plan
        key = key_of(plan.seed, search, settings.simulation.shadow_capital_usd, fill_model_of(settings), self._families)
        if not plan.resume:
            return self._store.begin(plan.tape.name, key)
        info = self._store.find(key)
        if info is None:
            raise InputError(f"--resume: {self._resume_failure(key)}; leave --resume out to begin a new search")
        if info.state is not None:
            self._search.load(info.state)
        return info

    def _resume_failure(self, key: dict[str, Any]) -> str:
        """Return why the latest search on the tape cannot be resumed."""
        latest = self._store.latest(self._plan.tape.name)
        if latest is None:
            return "there is no search on this tape"
        search_id, before, has_same_events = latest
        if not has_same_events:
            return f"search {search_id} was on a tape of this name with other events"
        return f"search {search_id} on this tape cannot be resumed: {', '.join(changes(before, key))}"

    def run(self, report_progress: ReportProgress) -> dict[str, Any]:
        """Run the remaining generations, tune and test the champions; return the summary.

        Raises:
            Interrupted: Ctrl-C; every complete generation is kept.
        """
        try:
            for index in range(self._search.generation, self._plan.generations):
                self._generation(index, report_progress)
            champions, ever = self._finish(report_progress)
        except KeyboardInterrupt:
            raise Interrupted(self._summary([], 0)) from None
        return self._summary(champions, ever)

    def _generation(self, index: int, report_progress: ReportProgress) -> None:
        title = f"generation {index + 1} of {self._plan.generations}"
        started = time.perf_counter()
        genomes = self._search.ask()
        evaluations = self._evaluate(genomes, title, report_progress)
        summary = self._search.tell(genomes, evaluations).to_dict()
        summary["seconds"] = round(time.perf_counter() - started, 4)
        self._store.store_generation(self._info.search_id, self._search.dump(), summary)
        self._generations.append(summary)

    def _evaluate(self, genomes: list[Genome], title: str, report_progress: ReportProgress) -> list[Evaluation]:
        def on_done(count: int) -> None:
            self.first_result_s = self.first_result_s or time.perf_counter() - self._started
            self._evaluations += count
            report_progress(title, count)

        report_progress(title, 0)
        market = self._market
        return self._backtests.evaluate(market.train, market.validation, genomes, on_done, title)

    def _finish(self, report_progress: ReportProgress) -> tuple[list[Champion], int]:
        """Return the champions, and the number of evaluations ever made on their market.

        The result does not depend on the order in which tasks end.
        """
        search_id, store = self._info.search_id, self._store

        def evaluate(genomes: list[Genome]) -> list[Evaluation]:
            evaluations = self._evaluate(genomes, "tuning the best", report_progress)
            self._search.record_evaluations(evaluations)
            return evaluations

        def record(genomes: list[Genome]) -> list[Record]:
            title = "testing on the holdout"
            return self._backtests.record(
                self._market.holdout, genomes, lambda count: report_progress(title, count), title
            )

        plan = PolishPlan(self._plan.polish, self._plan.seed, self._studies, f"search {search_id}")
        polished = polish(self._search.algorithm.archive.best(CHAMPIONS), self._families, evaluate, plan)
        holdout_run = run_holdout(polished.contenders, self._families, evaluate, record, self._plan.seed)
        self._search.record_holdout([*holdout_run.records, holdout_run.baseline])
        counts, tests = [*map(len, polished.batches), BASELINE_GENOMES], len(holdout_run.records) + 1
        self._finish_evaluations = sum(counts) + tests
        store.count(search_id, "finish", counts)
        ever = store.count(search_id, HOLDOUT, [tests])
        assumptions = ASSUMED_POOLS if self._market.pools_are_assumed else ""
        return holdout_run.assess(store.tested_on_holdout(), assumptions), ever

    def _summary(self, champions: list[Champion], ever: int) -> dict[str, Any]:
        seconds = time.perf_counter() - self._started
        return {
            "search": self._info.search_id,
            "market": self._market.name,
            "events": self._market.events,
            "assumptions": self._market.assumptions,
            "families": self._usable.to_dict(),
            "generations": self._generations,
            "evaluations": sum(g["evaluations"] for g in self._generations) + self._finish_evaluations,
            "evaluations_ever": ever,
            "champions": [_champion(c) for c in champions],
            "pbo": self._generations[-1]["pbo"] if self._generations else None,
            "promotable": any(c.promotable for c in champions),
            "digest": self._search.digest,
            "evaluations_per_s": round(self._evaluations / seconds, 1),
            "first_result_s": round(self.first_result_s, 3),
            "busy_s": round(self._backtests.busy_s, 3),
            "genes_kept": round(self._backtests.genes_kept / max(self._backtests.genes, 1), 4),
            "seconds": round(seconds, 3),
        }


def _champion(champion: Champion) -> dict[str, Any]:
    found = asdict(champion)
    genome = champion.genome
    del found["genome"]
    return {"spec": {"spec_id": genome.spec_id, **genome.to_dict()}, **found}


def load_market(path: Path, file: TapeFile, backtests: Backtests) -> Market:
    """Store the tape at a path in Ray's object store, slice by slice.

    Raises:
        InputError: the tape is too short.
    """
    first, last = file.span()
    try:
        spans = search_spans(Span(first, last + 1))
    except InputError as error:
        raise InputError(f"--tape {path}: {error}") from None
    digest = blake2b(digest_size=8)
    kinds: set[int] = set()

    def slices() -> Any:
        for events in file.slices(SLICE_EVENTS):
            digest.update(events.tobytes())
            for span in (spans.train, spans.validation):
                kinds.update(np.unique(cut(events, span)["kind"]).tolist())
            yield events

    stored = backtests.store((spans.train, spans.validation, spans.holdout), slices())
    sentences = describe(file.assumptions)
    return Market(digest.hexdigest(), file.count, frozenset(kinds), sentences, file.pools_are_assumed, *stored)
