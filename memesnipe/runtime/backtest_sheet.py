"""The tear sheet of a backtest."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

import memesnipe
from memesnipe.config.policies import fill_model_of
from memesnipe.config.settings import Settings
from memesnipe.engine.genome import Genome
from memesnipe.engine.layout import SAMPLE_NS
from memesnipe.market.events import NS_PER_S
from memesnipe.runtime.backtest_run import BacktestOutcome, read_numbered_tape, run
from memesnipe.runtime.genome_words import in_words
from memesnipe.runtime.parameter_maps import parameter_maps
from memesnipe.runtime.sheet_parts import most_traded, outcomes_of, prices_of, still_open, trips_of
from memesnipe.sdk.registry import Families
from memesnipe.tapes.tape import Tape
from memesnipe.tearsheet.sheet import Account, Floats, Grid, Nanoseconds, Sheet

NAME: Final = "Backtest"


def backtest_sheet(
    tape: Tape,
    genome: Genome,
    outcome: BacktestOutcome,
    capital_usd: float,
    *,
    name: str,
    words: Mapping[str, str],
    settings: Mapping[str, Any],
    maps: Sequence[Grid] = (),
) -> Sheet:
    """Return the tear sheet of a backtest.

    Args:
        tape: that it was run on.
        genome: that was tested.
        outcome: of the test.
        capital_usd: starting capital.
        name: of the tape.
        words: the genome in sentences, each under what it is about.
        settings: those that decided the fills.
        maps: its result by two of its parameters.
    """
    families = tuple(gene.family for gene in genome.signals)
    tokens = {mint: token for token, mint in enumerate(tape.mints)}
    # A backtest has one account; its rows have the columns that a run's table has.
    rows = [
        {**fill, "account": NAME, "spec_id": genome.spec_id, "token": tokens[fill["mint"]]} for fill in outcome.fills
    ]
    ends = outcome.first_sample_ts + SAMPLE_NS * np.arange(len(outcome.returns), dtype=np.int64)
    ts = np.concatenate((ends[:1] - SAMPLE_NS, ends))
    curve = np.concatenate(([1.0], np.cumprod(1.0 + outcome.returns.astype(np.float64))))
    sol_usd = _sol_usd(tape, ts)
    account = Account(
        NAME, ts, curve * capital_usd / sol_usd[0], sol_usd, trips_of(rows, lambda _: families), outcomes_of(rows),
        [found for token in most_traded(rows) for found in prices_of(tape.events, token, rows)], still_open(rows),
    )  # fmt: skip
    summary = outcome.summary()
    first, last = int(tape.events["ts"][0]), int(tape.events["ts"][-1])
    facts = {
        "version": memesnipe.__version__,
        "tape": name,
        "events": f"{outcome.events:,}",
        "from": when(first),
        "to": when(last),
        "strategy": genome.spec_id,
        "digest of all fills": summary["digest"],
    }
    words_of = [f"{about}: {sentence}" for about, sentence in words.items()]
    title = f"{' + '.join(families)} on {name}"
    return Sheet(title, words_of, facts, settings, outcome.warnings(), [account], maps=maps)


def _sol_usd(tape: Tape, ts: Nanoseconds) -> Floats:
    """Return the price of SOL at times: the last known one until then, before the first that one; 1 without any."""
    known = tape.events[tape.events["sol_usd"] > 0]
    if not len(known):
        return np.ones(len(ts))
    index = np.searchsorted(known["ts"], ts, side="right") - 1
    found: Floats = known["sol_usd"][np.maximum(index, 0)].astype(np.float64)
    return found


def when(ts: int) -> str:
    """Return a time as text."""
    return datetime.fromtimestamp(ts / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def tested_sheet(
    settings: Settings, families: Families, path: Path, genome: Genome, capital_usd: float | None, *, maps: bool
) -> Sheet:  # fmt: skip
    """Backtest a genome on a tape, as `memesnipe backtest` does, and return its tear sheet.

    Args:
        settings: of the installation.
        families: definitions of the families.
        path: of the tape.
        genome: to test.
        capital_usd: starting capital; None for SHADOW_CAPITAL_USD.
        maps: whether it is mapped by its parameters.
    """
    tape, model = read_numbered_tape(path), fill_model_of(settings)
    capital = settings.simulation.shadow_capital_usd if capital_usd is None else capital_usd
    outcome = run(tape, genome, families, model, capital, 1, lambda _: None)
    return sheet_of(settings, families, tape, path.name, genome, outcome, capital, maps=maps)


def sheet_of(
    settings: Settings, families: Families, tape: Tape, name: str, genome: Genome, outcome: BacktestOutcome,
    capital_usd: float, *, maps: bool = True,
) -> Sheet:  # fmt: skip
    """Return the tear sheet of a backtest with the genome in words, the settings of its fills, and its maps."""
    model = fill_model_of(settings)
    deciding = {"capital_usd": capital_usd, **model._asdict()}
    words = in_words(genome, families)
    mapped = parameter_maps(tape.events, genome, families, model, capital_usd) if maps else []
    return backtest_sheet(tape, genome, outcome, capital_usd, name=name, words=words, settings=deciding, maps=mapped)
