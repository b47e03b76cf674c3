"""The assumptions of a tape in plain sentences; every result computed from the tape includes them."""

from collections.abc import Mapping
from typing import Any, Final

from memesnipe.market.pump import AMM_LP_FEE_BPS
from memesnipe.market.times import utc_text

_UNITS: Final = {
    "s": "seconds", "ms": "milliseconds", "us": "microseconds", "iso": "dates, in UTC where they name no zone",
}  # fmt: skip


def describe(assumptions: Mapping[str, Any]) -> list[str]:
    """Return one sentence per assumption that could mislead a reader, the most serious first.

    Args:
        assumptions: the assumptions of a tape, as `memesnipe import` writes them; unknown keys are shown unchanged.
    """
    known = [sentence(assumptions[key]) for key, sentence in _SENTENCES.items() if key in assumptions]
    others = [f"{key}: {assumptions[key]}." for key in sorted(set(assumptions) - set(_SENTENCES))]
    return [sentence for sentence in (*known, *others) if sentence]


def _pools(value: Any) -> str:
    of = value if isinstance(value, Mapping) else {}
    chained, pools = of.get("chained", 0), of.get("pools", 0)
    parts = [
        f"The pools are assumed, not recorded ({pools:,} of them, {chained:,} follow their trades exactly): depth is "
        "the venue's own, prices are the median of the last trades. Fills are estimates, and nothing is promotable."
    ]
    if of.get("outliers"):
        parts.append(f"{of['outliers']:,} trades at impossible prices were left out.")
    if of.get("too_small_for_a_price"):
        parts.append(f"{of['too_small_for_a_price']:,} trades were too small to imply a price.")
    return " ".join(parts)


def _decimals(value: Any) -> str:
    if not isinstance(value, Mapping) or not value.get("assumed"):
        return ""
    return f"Tokens are assumed to have {value.get('value')} decimals, like pump.fun's."


def _sol_usd(value: Any) -> str:
    if not isinstance(value, Mapping):
        return f"SOL is assumed to cost {value} USD."
    if "from_ts" in value:
        first, last = (utc_text(value[name]) for name in ("from_ts", "to_ts"))
        return f"The price of SOL is from {value.get('source')}, {first} to {last}."
    why = "" if value.get("source") != "default" else ", because no price was given"
    return f"SOL is assumed to cost {value.get('value'):g} USD throughout{why}."


def _rejected(value: Any) -> str:
    if not isinstance(value, Mapping):
        return f"{_rows(value)} left out because they are invalid."
    reasons = "; ".join(f"{reason} ({count:,})" for reason, count in value.items())
    return f"{_rows(sum(value.values()))} left out: {reasons}."


def _rows(count: int) -> str:
    return "1 row was" if count == 1 else f"{count:,} rows were"


def _duplicates(value: Any) -> str:
    rows, by = (value.get("rows"), value.get("by")) if isinstance(value, Mapping) else (value, "")
    return f"{rows:,} duplicate rows (by {by}) were left out."


def _candles(value: Any) -> str:
    if not isinstance(value, Mapping):
        return f"Trades were made of candles ({value})."
    return (
        f"{value.get('trades', 0):,} trades were made of {value.get('candles', 0):,} candles: their order, sizes and "
        "sides are assumed, the pools smooth their highs and lows, and nothing is promotable."
    )


def _layout(value: Any) -> str:
    if not isinstance(value, Mapping):
        return f"The file was read as {value}."
    amounts = sorted((name, unit) for name, unit in (value.get("units") or {}).items() if name not in {"ts", "side"})
    units = ", ".join(f"{name} in {unit}" for name, unit in amounts)
    return f"The file was read as {value.get('name')}{f', with {units}' if units else ''}."


def _amms(value: Any) -> str:
    if not isinstance(value, Mapping):
        return f"The venues {value} were read as amm."
    names = ", ".join(f"{name} ({_rows_of(count)})" for name, count in value.items())
    return f"Venues read as amm, constant product pools with a fee of {AMM_LP_FEE_BPS} bps: {names}."


def _rows_of(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def with_feeds(assumptions: Mapping[str, Any], feeds: str) -> dict[str, Any]:
    """Return the assumptions of a feed for a tape that is recorded from it; a replay keeps the feeds of its tape."""
    before = assumptions.get("feeds")
    return {**assumptions, "feeds": f"{feeds} ({before})" if before else feeds}


_SENTENCES: Final = {
    "feeds": lambda value: f"The events are recorded from the feed {value}.",
    "candles": _candles,
    "pools": _pools,
    "decimals": _decimals,
    "sol_usd": _sol_usd,
    "venue": lambda value: f"Trades are assumed to be on {value}, because the file names no venue.",
    "amms": _amms,
    "layout": _layout,
    "time_unit": lambda value: f"Times were read as {_UNITS[value]}." if value in _UNITS else "",
    "order": lambda value: f"The rows were reordered: {value}.",
    "decimal_mark": lambda value: f"Decimals were read with a {value}.",
    "delimiter": lambda value: f"The column separator was read as a {value}.",
    "duplicates": _duplicates,
    "rejected": _rejected,
}
