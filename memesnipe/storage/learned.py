"""What a run has learned so far: the facts, read from the database, and the same in words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from memesnipe.number_text import signed
from memesnipe.protocol.account import Account
from memesnipe.storage.schema import EquityRow, GenerationRow, StrategyRow
from memesnipe.storage.wording import plural


@dataclass(frozen=True, slots=True)
class Learned:
    """The facts."""

    generations: int
    evaluations: int  # genomes tried, each time counted
    proposed: int  # strategies that were admitted: by default, those better than luck in their backtest
    last_reason: str  # why the last generation proposed none; "" where it did
    on_probation: int
    proven: int
    invested_ratio: float  # capital of the strategies on paper, of the paper account's equity
    expected_return: float | None  # of a round trip of these strategies, weighted by their capital
    families: tuple[str, ...]  # of these strategies, those with most capital first
    trades_needed: float | None  # by the strategy on probation that is nearest to its proof
    live: int = 0  # of the strategies on probation and the proven ones
    seconds: float = 0.0  # computing time of the generations
    best_sharpe: float | None = None  # of the last generation, as all below: see `GenerationRow`
    luck_sharpe: float | None = None
    pbo: float | None = None


def learned(conn: Connection, run_id: int) -> Learned:
    """Return the facts about a run; zeros and None where it has none."""
    of_generations = GenerationRow.run_id == run_id
    counted = select(
        func.count(),
        func.coalesce(func.sum(GenerationRow.evaluations), 0),
        func.coalesce(func.sum(GenerationRow.proposed), 0),
        func.coalesce(func.sum(GenerationRow.seconds), 0.0),
    )
    generations, evaluations, proposed, seconds = conn.execute(counted.where(of_generations)).one()
    of_last = GenerationRow.reason, GenerationRow.best_sharpe, GenerationRow.luck_sharpe, GenerationRow.pbo
    last = conn.execute(select(*of_last).where(of_generations).order_by(GenerationRow.index.desc()).limit(1)).first()
    equity = select(EquityRow.equity_usd).where(EquityRow.run_id == run_id, EquityRow.account == Account.PAPER)
    equity_usd = conn.scalar(equity.order_by(EquityRow.seq.desc()).limit(1)) or 0.0
    columns = (StrategyRow.genome, StrategyRow.allocation_usd, StrategyRow.evidence, StrategyRow.mode)
    in_mode = StrategyRow.mode.in_(("paper", "live"))
    trading = conn.execute(select(*columns).where(StrategyRow.run_id == run_id, in_mode)).all()
    proven = [row for row in trading if row.evidence and row.evidence["is_proven"]]
    others = [row for row in trading if not (row.evidence and row.evidence["is_proven"])]
    capital_usd = sum(row.allocation_usd for row in trading if row.mode == "paper")
    needed = [row.evidence["trades_needed"] for row in others if row.evidence]
    return Learned(
        generations=generations,
        evaluations=int(evaluations or 0),
        proposed=int(proposed or 0),
        last_reason=(last.reason if last else None) or "",
        on_probation=len(others),
        proven=len(proven),
        invested_ratio=capital_usd / equity_usd if equity_usd else 0.0,
        expected_return=_weighted_return(trading),
        families=_families(trading),
        trades_needed=min((count for count in needed if count is not None), default=None),
        live=sum(row.mode == "live" for row in trading),
        seconds=float(seconds),
        best_sharpe=last.best_sharpe if last else None,
        luck_sharpe=last.luck_sharpe if last else None,
        pbo=last.pbo if last else None,
    )


def _weighted_return(rows: Sequence[Any]) -> float | None:
    known = [(row.allocation_usd, row.evidence["expected_return"]) for row in rows if row.evidence]
    capital_usd = sum(usd for usd, _ in known)
    return sum(usd * value for usd, value in known) / capital_usd if capital_usd else None


def _families(rows: Sequence[Any]) -> tuple[str, ...]:
    """Return the families of genomes, those whose genes hold most capital first."""
    capital: Counter[str] = Counter()
    for row in rows:
        for gene in row.genome.get("signals", ()):
            capital[gene["family"]] += row.allocation_usd * gene["weight"]
    return tuple(family for family, _ in capital.most_common())


def in_words(facts: Learned) -> str:
    """Return two or three sentences: what was tried, what holds up, and where the capital is."""
    if not facts.generations:
        return "Nothing is learned yet: the first generation is bred when there are enough events."
    tried = f"{plural(facts.generations, 'generation')} tried {plural(facts.evaluations, 'strategy', 'strategies')}"
    if not facts.proposed:
        return f"{tried}; none was better than luck ({facts.last_reason}). All capital stays in cash."
    were = "was" if facts.proposed == 1 else "were"
    return f"{tried}; {facts.proposed:,} {were} admitted to the simulation. {_standing(facts)}"


def _standing(facts: Learned) -> str:
    """Return what holds up on fresh round trips, and where the capital is."""
    if not facts.on_probation and not facts.proven:
        return "None is expected to earn on fresh round trips, so all capital stays in cash."
    families = f", mostly {', '.join(facts.families[:2])}" if facts.families else ""
    mean = facts.expected_return
    expected = "" if mean is None else f", with {signed(mean, '.1%')} expected of a round trip"
    on_paper = facts.proven + facts.on_probation - facts.live
    if not on_paper:
        trade = f"{facts.live:,} trade live"
    else:
        trade = f"{on_paper:,} trade on paper" + (f" and {facts.live:,} live" if facts.live else "")
    held = f"{trade}{families}{expected}; {_proof(facts)}."
    if not on_paper:
        return f"{held} All paper capital stays in cash."
    who = "Those on paper" if facts.live else "They"
    return f"{held} {who} hold {facts.invested_ratio:.1%} of the equity, the rest is cash."


def _proof(facts: Learned) -> str:
    if facts.proven:
        return f"{facts.proven:,} {'is' if facts.proven == 1 else 'are'} proven"
    if facts.trades_needed is None:
        return "none is proven yet"
    return f"none is proven yet, the nearest to it needs about {plural(round(facts.trades_needed), 'more round trip')}"
