"""The tear sheet of a tape: its market, every usable family with its defaults, and the best of them in full."""

from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np

import memesnipe
from memesnipe.config.policies import fill_model_of
from memesnipe.config.settings import Settings
from memesnipe.engine.backtest import backtest
from memesnipe.engine.genome import Genome, simple_genome
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.evolution.usable import Usable, usable_families
from memesnipe.market.assumptions import describe
from memesnipe.market.events import CURVE_COMPLETE, KIND_NAMES, MIGRATION, NS_PER_S, ONCHAIN, PRICE, Events
from memesnipe.number_text import signed
from memesnipe.runtime.backtest_run import read_numbered_tape, run
from memesnipe.runtime.backtest_sheet import sheet_of, when
from memesnipe.sdk.registry import Families
from memesnipe.stats.performance import MIN_YEARLY_S, TOO_SHORT
from memesnipe.tapes.tape import Tape
from memesnipe.tearsheet.metrics import duration
from memesnipe.tearsheet.sheet import Market, Sheet, Table

_MAX_PERIODS: Final = 300
_PERIODS: Final = {"minute": 60, "5 minutes": 300, "15 minutes": 900, "hour": 3_600, "4 hours": 14_400, "day": 86_400}
_COLUMNS: Final = ("family", "return", "Sharpe", "deepest fall", "round trips", "win rate", "profit factor")
_CHOSEN: Final = (
    "The best of {count} on these events is shown in full. It was chosen by its result on the same events, so part of "
    "it is luck: `memesnipe evolve --tape TAPE` judges on events that the search has not seen."
)


def tape_sheet(settings: Settings, families: Families, path: Path, capital_usd: float | None, *, maps: bool) -> Sheet:
    """Return the tear sheet of a tape.

    Args:
        settings: of the installation.
        families: all of them; those whose events the tape lacks are named.
        path: of the tape.
        capital_usd: starting capital of each backtest; None for SHADOW_CAPITAL_USD.
        maps: whether the best family is mapped by its parameters.

    Raises:
        InputError: the tape has no events, or none that any family uses.
    """
    tape, model = read_numbered_tape(path), fill_model_of(settings)
    capital = settings.simulation.shadow_capital_usd if capital_usd is None else capital_usd
    usable = usable_families(families, {*np.unique(tape.events["kind"]).tolist()})
    genomes = {name: _default(usable.families, name) for name in sorted(usable.families)}
    found = backtest(tape.events, list(genomes.values()), usable.families, model, capital)
    results = dict(zip(genomes, found, strict=True))
    market, table = market_of(tape), _compared(results, usable)
    traded = {name: result for name, result in results.items() if result.trades}
    if not traded:
        facts = {"version": memesnipe.__version__, "tape": path.name, "events": f"{len(tape.events):,}"}
        warnings = ["No family has closed a round trip on this tape.", *describe(tape.assumptions)]
        deciding = {"capital_usd": capital, **model._asdict()}
        return Sheet(path.name, [], facts, deciding, warnings, [], market, [table])
    best = max(traded, key=lambda name: traded[name].total_return)
    outcome = run(tape, genomes[best], usable.families, model, capital, 1, lambda _: None)
    sheet = sheet_of(settings, families, tape, path.name, genomes[best], outcome, capital, maps=maps)
    chosen = _CHOSEN.format(count=f"{len(results)} families")
    return Sheet(
        f"{path.name}: its market, and {best}", sheet.summary, sheet.facts, sheet.settings, [chosen, *sheet.warnings],
        sheet.accounts, market, [table], sheet.maps, sheet.maps_note,
    )  # fmt: skip


def _default(families: Families, name: str) -> Genome:
    return simple_genome(name, {key: declared.default for key, declared in families[name].params.items()})


def _compared(results: dict[str, StrategyResult], usable: Usable) -> Table:
    ordered = sorted(results.items(), key=lambda item: (not item[1].trades, -item[1].total_return, item[0]))
    rows = [(name, *_figures(result)) for name, result in ordered]
    missing = [f"{name} needs {' and '.join(kinds)} events" for name, kinds in usable.unused.items()]
    note = f"Left out, because the tape lacks their events: {'; '.join(missing)}." if missing else ""
    return Table("Families with their default parameters, by return", _COLUMNS, rows, note)


def _figures(result: StrategyResult) -> tuple[str, ...]:
    if not result.trades:
        return ("–", "–", "–", "0", "–", "–")
    sharpe = f"{result.sharpe:,.1f}" if result.observed_s >= MIN_YEARLY_S else TOO_SHORT
    factor = f"{result.profit_factor:,.2f}" if result.wins < result.trades else "no loss"
    return (
        signed(result.total_return, ".2%"), sharpe, f"{result.max_drawdown:.2%}", f"{result.trades:,}",
        f"{result.win_rate:.1%}", factor,
    )  # fmt: skip


def market_of(tape: Tape) -> Market:
    """Return the market of a tape: facts, and volume and launches of equal periods."""
    events = tape.events
    first, last = int(events["ts"][0]), int(events["ts"][-1])
    span_s = (last - first) / NS_PER_S
    name = next((name for name, length in _PERIODS.items() if span_s / length <= _MAX_PERIODS), "day")
    length = _PERIODS[name] * NS_PER_S
    trades = events[events["kind"] == PRICE]
    _, at = np.unique(events["token"], return_index=True)
    launches = events[at[events["token"][at] >= 0]]["ts"]
    begin, end = first // length, last // length
    count = end - begin + 1
    return Market(
        _facts(tape, trades, span_s),
        name,
        (np.arange(begin, end + 1, dtype=np.int64) + 1) * length,
        np.bincount(trades["ts"] // length - begin, trades["volume_usd"], count).astype(np.float64),
        np.bincount(launches // length - begin, minlength=count).astype(np.float64),
    )


def _facts(tape: Tape, trades: Events, span_s: float) -> dict[str, str]:
    events = tape.events
    kinds = Counter(
        {KIND_NAMES[int(k)]: int(c) for k, c in zip(*np.unique(events["kind"], return_counts=True), strict=True)}
    )
    done = (events["kind"] == ONCHAIN) & np.isin(events["action"], (CURVE_COMPLETE, MIGRATION))
    volume = np.bincount(trades["token"], trades["volume_usd"], len(tape.mints))
    total = float(volume.sum())
    known = events["sol_usd"][events["sol_usd"] > 0]
    facts: dict[str, Any] = {
        "from": when(int(events["ts"][0])),
        "to": f"{when(int(events['ts'][-1]))}, {duration(span_s)}",
        "events": ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common()),
        "tokens": f"{len(tape.mints):,}, of which {len(np.unique(events['token'][done])):,} completed their curve",
        "traded": f"{total:,.0f} USD in {len(trades):,} trades",
    }
    if total:
        share = float(np.sort(volume)[::-1][:10].sum()) / total
        facts["share of the ten most traded tokens"] = f"{share:.1%} of the volume"
    if len(known):
        facts["price of SOL"] = f"{known[0]:,.2f} USD at the beginning, {known[-1]:,.2f} USD at the end"
    return facts
