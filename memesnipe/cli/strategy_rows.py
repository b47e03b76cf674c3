"""Strategies as rows of a table, for `strategies` and `monitor`, and why there are none."""

from collections.abc import Mapping, Sequence
from typing import Any

from memesnipe.number_text import signed

Row = dict[str, Any]


def strategy_row(strategy: Mapping[str, Any]) -> Row:
    """Return a strategy of the database or the API as `strategies --json` shows it."""
    result = strategy["result"] or {}
    return {
        **{name: strategy[name] for name in ("spec_id", "mode", "generation", "allocation_usd")},
        "families": [gene["family"] for gene in strategy["genome"]["signals"]],
        "trades": result.get("trades"),
        "total_return": result.get("total_return"),
    }


def cells(row: Row, names: Sequence[str]) -> list[str]:
    """Return the fields with these names as text."""
    gained, trades, capital = row["total_return"], row["trades"], row["allocation_usd"]
    texts = {
        "spec_id": row["spec_id"],
        "mode": row["mode"],
        "generation": f"{row['generation']:,}",
        "allocation_usd": f"${capital:,.2f}" if capital else "-",
        "families": " + ".join(row["families"]),
        "trades": "-" if trades is None else f"{trades:,}",
        "total_return": "-" if gained is None else signed(gained, ".2%"),
    }
    return [texts[name] for name in names]


def why_none(report: Mapping[str, Any], mode: str | None, in_words: str) -> str:
    """Return why no strategy is listed, and what to do.

    Args:
        report: of the run.
        mode: the only one that was asked for; None for all.
        in_words: what the run has learned.
    """
    counts = {name: count for name, count in report["strategies"].items() if count}
    if counts and mode is not None:
        others = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        return f"Run {report['run_id']} has no {mode} strategy, but {others}; without --mode all are listed."
    return f"Run {report['run_id']} has no strategy yet. {in_words}"
