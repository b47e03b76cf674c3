"""Backtest one strategy on a tape: its metrics, a digest of its fills, and its trades as a table."""

import csv
import io
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from memesnipe.engine.backtest import backtest
from memesnipe.engine.concentration import MAX_SHARE, concentration_of, held_values
from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.engine.layout import SAMPLE_NS
from memesnipe.engine.orders import Fill
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.errors import InputError
from memesnipe.market.assumptions import describe
from memesnipe.market.events import KIND_NAMES, SIDE_NAMES
from memesnipe.sdk.registry import Families
from memesnipe.stats.performance import MIN_YEARLY_S, TOO_SHORT
from memesnipe.tapes.tape import Tape, read_tape

METRICS = (
    "total_pnl_usd", "total_return", "sharpe", "sortino", "calmar", "max_drawdown", "trades", "win_rate",
    "profit_factor", "expectancy_usd", "fees_usd",
)  # fmt: skip
COLUMNS = (
    "order_no", "mint", "side", "reason", "decided_ts", "ts", "status", "failure", "token_raw", "sol_lamports",
    "pool_fee_lamports", "network_fee_lamports", "cash_change_lamports",
)  # fmt: skip


def unknown_metrics(result: StrategyResult) -> dict[str, str]:
    """Return the metrics that a result does not determine, with the reason as text: JSON has the numbers."""
    short = () if result.observed_s >= MIN_YEARLY_S else ("sharpe", "sortino", "calmar")
    of_trades = () if result.trades else ("win_rate", "profit_factor", "expectancy_usd")
    return dict.fromkeys(short, TOO_SHORT) | dict.fromkeys(of_trades, "n/a: no round trip")


@dataclass(frozen=True, slots=True)
class BacktestOutcome:
    """The outcome of a backtest."""

    result: StrategyResult
    fills: list[dict[str, Any]]
    returns: NDArray[np.float32]  # of each minute, shape (minutes,)
    first_sample_ts: int  # end of the first of these minutes
    events: int
    seconds: float
    concentration: dict[str, Any] | None = None  # of the profit; None without a profit
    assumptions: tuple[str, ...] = ()  # of the tape, as sentences
    pools_are_assumed: bool = False
    missing: tuple[str, ...] = ()  # inputs of the strategy that the tape lacks, as sentences

    def summary(self) -> dict[str, Any]:
        """Return the JSON object that the command prints."""
        result = self.result
        return {
            "spec_id": result.spec_id,
            "metrics": {name: getattr(result, name) for name in METRICS},
            "orders": result.orders,
            "failed": result.failed,
            "observed_s": result.observed_s,
            "digest": digest_of(self.fills),
            "events": self.events,
            "seconds": self.seconds,
            "concentration": self.concentration,
            "assumptions": list(self.assumptions),
            **({"promotable": False} if self.pools_are_assumed else {}),
        }

    def warnings(self) -> list[str]:
        """Return the caveats about the figures, one sentence each."""
        sentences = [*self.missing, *self.assumptions]
        found = self.concentration
        if found is not None and found["top_token_share"] > MAX_SHARE:
            sentences.append(f"One token makes {found['top_token_share']:.0%} of the profit: {found['top_token']}.")
        if found is not None and found["top_trade_share"] > MAX_SHARE:
            sentences.append(f"One trade makes {found['top_trade_share']:.0%} of the profit.")
        return sentences


def read_numbered_tape(path: Path) -> Tape:
    """Return a tape whose events have `seq` assigned from 1 on, as in a run.

    Raises:
        InputError: it has no events.
        TapeError: there is no such file, or it is not a valid tape.
    """
    recorded = read_tape(path, now_ns=time.time_ns())
    if not len(recorded.events):
        raise InputError(f"{path} has no events")
    recorded.events["seq"] = np.arange(1, len(recorded.events) + 1)
    return recorded


def run(
    tape: Tape, genome: Genome, families: Families, model: FillModel, capital_usd: float, slices: int,
    advanced: Callable[[int], None],
) -> BacktestOutcome:  # fmt: skip
    """Backtest a genome on a tape in ``slices`` batches; their number does not change the result.

    Args:
        tape: events with `seq` assigned.
        genome: the strategy to test.
        families: definitions of the families that the genome uses.
        model: how orders are filled.
        capital_usd: starting capital.
        slices: number of batches.
        advanced: called after each batch with its number of events.
    """
    backtest(tape.events[:1], [genome], families, model, capital_usd)  # compiles the families that are not compiled yet
    start = time.perf_counter()
    engine = Engine(families, model, capital_usd)
    engine.add(genome)
    engine.watch([genome.spec_id])
    first_sample_ts, minutes = _minutes(int(tape.events["ts"][0]), int(tape.events["ts"][-1]))
    returns = engine.record_returns(first_sample_ts, minutes)
    count = len(tape.events)
    fills: list[Fill] = []
    for i in range(slices):
        part = tape.events[i * count // slices : (i + 1) * count // slices]
        fills += engine.advance(part).fills
        advanced(len(part))
    (result,) = engine.results([genome.spec_id])
    rows = [row_of(fill, tape.mints) for fill in fills]
    seconds = time.perf_counter() - start
    found = concentration_of(fills, held_values(engine, genome.spec_id))
    concentration = asdict(found) | {"top_token": tape.mints[found.top_token]} if found is not None else None
    sentences = tuple(describe(tape.assumptions))
    return BacktestOutcome(
        result, rows, returns[0], first_sample_ts, count, seconds, concentration, sentences, tape.pools_are_assumed,
        tuple(_missing(tape, genome, families)),
    )  # fmt: skip


def _missing(tape: Tape, genome: Genome, families: Families) -> Iterator[str]:
    """Yield a sentence for each family of the genome that subscribes to a kind of event which the tape lacks."""
    kinds = {*np.unique(tape.events["kind"]).tolist()}
    for gene in genome.signals:
        lacking = sorted({*families[gene.family].subscriptions} - kinds)
        if lacking:
            names = " and ".join(KIND_NAMES[kind] for kind in lacking)
            yield f"{gene.family} needs {names} events, and the tape has none."


def _minutes(first_ts: int, last_ts: int) -> tuple[int, int]:
    """Return the end of the first minute of a span of events, and the number of minutes that end in it, at least 1."""
    first_sample_ts = (first_ts // SAMPLE_NS + 1) * SAMPLE_NS
    return first_sample_ts, max(last_ts // SAMPLE_NS - first_ts // SAMPLE_NS, 1)


def row_of(fill: Fill, mints: Sequence[str]) -> dict[str, Any]:
    """Return a fill as a row of the trades table, keyed by `COLUMNS`."""
    order, status = fill.order, "FAILED" if fill.failure else "PAPER"
    values = (
        order.order_no, mints[order.token], SIDE_NAMES[order.side], order.reason, order.decided_ts, fill.ts, status,
        fill.failure, fill.token_raw, fill.sol_lamports, fill.pool_fee_lamports, fill.network_fee_lamports,
        fill.cash_change_lamports,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def digest_of(fills: Sequence[dict[str, Any]]) -> str:
    """Return a hash of fills in their order; equal fills have equal hashes."""
    digest = blake2b(digest_size=16)
    for fill in fills:
        digest.update(orjson.dumps(list(fill.values())) + b"\n")
    return digest.hexdigest()


def write_trades(path: Path, fills: Sequence[dict[str, Any]]) -> None:
    """Write one CSV row per fill.

    Raises:
        InputError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(fills)
    try:
        path.write_text(text.getvalue())
    except OSError as error:
        raise InputError(f"--trades {path}: cannot be written: {error.strerror or error}") from error
