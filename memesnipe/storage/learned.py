"""What a run has learned so far: the facts, read from the database, and the same in words."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from memesnipe.protocol.account import Account
from memesnipe.storage.schema import EquityRow, EvaluationRow, GenerationRow, StrategyRow


@dataclass(frozen=True, slots=True)
class Learned:
    """The facts."""

    generations: int
    evaluations: int  # genomes tried, each time counted
    proposed: int  # strategies better than luck in their backtest
    last_reason: str  # why the last generation proposed none; "" where it did
    on_probation: int
    proven: int
    invested_ratio: float  # capital of proven strategies, of the paper account's equity
    expected_return: float | None  # of a round trip of the proven strategies, weighted by their capital
    families: tuple[str, ...]  # of the proven strategies, those with most capital first
    trades_needed: float | None  # by the strategy on probation that is nearest to its proof


def learned(conn: Connection, run_id: int) -> Learned:
    """Return the facts about a run; zeros and None where it has none."""
    of_generations = GenerationRow.run_id == run_id
    generations, proposed = conn.execute(
        select(func.count(), func.coalesce(func.sum(GenerationRow.proposed), 0)).where(of_generations)
    ).one()
    evaluations = conn.scalar(select(func.count()).where(EvaluationRow.run_id == run_id)) or 0
    last = select(GenerationRow.reason).where(of_generations).order_by(GenerationRow.index.desc()).limit(1)
    equity = select(EquityRow.equity_usd).where(EquityRow.run_id == run_id, EquityRow.account == Account.PAPER)
    equity_usd = conn.scalar(equity.order_by(EquityRow.seq.desc()).limit(1)) or 0.0
    columns = (StrategyRow.genome, StrategyRow.allocation_usd, StrategyRow.evidence)
    in_mode = StrategyRow.mode.in_(("paper", "live"))
    on_paper = conn.execute(select(*columns).where(StrategyRow.run_id == run_id, in_mode)).all()
    proven = [row for row in on_paper if row.evidence and row.evidence["is_proven"]]
    others = [row for row in on_paper if not (row.evidence and row.evidence["is_proven"])]
    capital_usd = sum(row.allocation_usd for row in proven)
    needed = [row.evidence["trades_needed"] for row in others if row.evidence]
    return Learned(
        generations=generations,
        evaluations=evaluations,
        proposed=int(proposed or 0),
        last_reason=conn.scalar(last) or "",
        on_probation=len(others),
        proven=len(proven),
        invested_ratio=capital_usd / equity_usd if equity_usd else 0.0,
        expected_return=_weighted_return(proven, capital_usd),
        families=_families(proven),
        trades_needed=min((count for count in needed if count is not None), default=None),
    )


def _weighted_return(rows: list[Any], capital_usd: float) -> float | None:
    if not capital_usd:
        return None
    return sum(float(row.allocation_usd * row.evidence["expected_return"]) for row in rows) / capital_usd


def _families(rows: list[Any]) -> tuple[str, ...]:
    """Return the families of genomes, those whose genes hold most capital first."""
    capital: Counter[str] = Counter()
    for row in rows:
        for gene in row.genome["signals"]:
            capital[gene["family"]] += row.allocation_usd * gene["weight"]
    return tuple(family for family, _ in capital.most_common())


def in_words(facts: Learned) -> str:
    """Return two or three sentences: what was tried, what holds up, and where the capital is."""
    if not facts.generations:
        return "Nothing is learned yet: the first generation is bred when there are enough events."
    tried = f"{_plural(facts.generations, 'generation')} tried {_plural(facts.evaluations, 'strategy', 'strategies')}"
    if not facts.proposed:
        return f"{tried}; none was better than luck ({facts.last_reason}). All capital stays in cash."
    were = "was" if facts.proposed == 1 else "were"
    return f"{tried}; {facts.proposed:,} {were} better than luck in the backtest. {_standing(facts)}"


def _standing(facts: Learned) -> str:
    probation = f"{facts.on_probation:,} on probation" if facts.on_probation else "none on probation"
    if not facts.proven:
        nearest = ""
        if facts.on_probation and facts.trades_needed is not None:
            nearest = f"; the nearest to it needs about {_plural(round(facts.trades_needed), 'more round trip')}"
        return f"None is proven on fresh trades ({probation}{nearest}), so nearly all capital stays in cash."
    expected = "" if facts.expected_return is None else f", {facts.expected_return:+.1%} expected of a round trip"
    families = f", mostly {', '.join(facts.families[:2])}" if facts.families else ""
    return (
        f"{facts.proven:,} {'is' if facts.proven == 1 else 'are'} proven on fresh trades{families}{expected}; "
        f"{probation}. Proven ones hold {facts.invested_ratio:.0%} of the equity, the rest is cash."
    )


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
