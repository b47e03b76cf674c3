"""The landing report as text."""

from collections.abc import Iterable, Sequence
from typing import Any

from memesnipe.protocol.chain_errors import in_words
from memesnipe.runtime.terminal import without_controls

Json = dict[str, Any]


def landing_text(report: Json) -> str:
    """Return the report of `memesnipe.runtime.landing_report` as lines."""
    outcomes = ", ".join(f"{count} {name}" for name, count in report["outcomes"].items()) or "none"
    title = "simulated orders" if report["run_id"] is None else f"run {report['run_id']}"
    lines = [f"{title}: {report['orders']} orders: {outcomes}"]
    if report["landing"]["sent"]:
        lines += [
            "",
            *_landing(report),
            "",
            *_lanes(report),
            "",
            *_fit(report),
            "",
            *_costs(report["costs"]),
            *_prices(report["prices"]),
        ]
        lines += ["", "settings that would take the fit over (nothing is changed by itself):"]
        lines += [f"  {name}={value}" for name, value in report["settings"].items()]
    return "\n".join(lines)


def _landing(report: Json) -> list[str]:
    landing, latency = report["landing"], report["latency"]
    return [
        f"landed    {_percent(landing)}; the simulation assumes {landing['assumed']:.1%}",
        f"latency   {_times(latency['latency_ms'])} ms; the simulation assumes {latency['assumed_ms']:,} ms",
        f"          from the decision in {latency['from_decision']} orders, from the acceptance in "
        f"{latency['from_acceptance']} (events of a replay)",
        f"slots     {_times(latency['slots'])} since that of the blockhash",
        *_bids_follow(report["bids_follow"]),
    ]


def _bids_follow(parts: Json) -> list[str]:
    """Return how many bids follow an estimate, the settings, or the settings for want of a recent estimate."""
    return [
        f"bids      {name.replace('_', ' ')} from: {', '.join(f'{basis} {count:,}' for basis, count in bases.items())}"
        for name, bases in parts.items()
        if bases
    ]


def _percent(rate: Json) -> str:
    return f"{rate['landed']} of {rate['sent']}, {rate['rate']:.1%} ({rate['low']:.1%} to {rate['high']:.1%})"


def _times(quantiles: Json) -> str:
    return ", ".join(f"{name} {'-' if value is None else f'{value:,.0f}'}" for name, value in quantiles.items())


def _lanes(report: Json) -> list[str]:
    rows = [("accepted by", "landed", "latency p50", "p90", "slots p50")]
    for group in report["accepted_by"]:
        times = (group["latency_ms"]["p50"], group["latency_ms"]["p90"], group["slots"]["p50"])
        rows.append((group["lanes"], _percent(group), *("-" if one is None else f"{one:,.0f}" for one in times)))
    lines = _table(rows)
    if not all(group["is_exact"] for group in report["accepted_by"]):
        lines.append("Which of several lanes landed a transaction is unknown: all send the same bytes.")
    replies = [("lane", "accepted", "failed", "last error")]
    for lane in report["lanes"]:
        error = without_controls(in_words(lane["last_error"])) or "-"
        replies.append((lane["lane"], f"{lane['accepted']:,}", f"{lane['failed']:,}", error))
    return [*lines, "", *_table(replies)]


def _fit(report: Json) -> list[str]:
    fit = report["fit"]
    rows = [("parameter", "fitted", "95 % interval", "assumed")]
    for name, digits in (("landing_max", 3), ("landing_half_lamports", 0)):
        one = fit[name]
        interval = f"{one['low']:,.{digits}f} to {one['high']:,.{digits}f}"
        rows.append((name, f"{one['fitted']:,.{digits}f}", interval, f"{one['assumed']:,.{digits}f}"))
    bids = [("bid, lamports", "landed", "fitted", "assumed", "")]
    for group in fit["bids"]:
        span = f"{group['from_lamports']:,} to {group['to_lamports']:,}"
        verdict = "contradicts the assumption" if group["contradicts"] else ""
        bids.append((span, _percent(group), f"{group['fitted']:.1%}", f"{group['assumed']:.1%}", verdict))
    return [*_table(rows), "", *_table(bids)]


def _costs(costs: Json) -> list[str]:
    rows = [("lamports an order", "live", "assumed")]
    for name, words in (
        ("failure_lamports", "cost of not trading"), ("priority_fee_lamports", "priority fee"), ("tip_lamports", "tip"),
    ):  # fmt: skip
        live = "-" if costs[name] is None else f"{costs[name]:,.0f}"
        rows.append((words, live, f"{costs[f'assumed_{name}']:,}"))
    return _table(rows)


def _prices(prices: Json) -> list[str]:
    rows: list[tuple[str, ...]] = [("worse by, bps", "fills", "mean", "p10", "p50", "p90")]
    for name, words in (("quote", "than the quote"), ("simulated", "than simulated")):
        one = prices[name]
        if one["fills"]:
            rows.append((words, f"{one['fills']:,}", *(f"{one[key]:,.0f}" for key in ("mean", "p10", "p50", "p90"))))
    missed, gained = prices["only_simulated_landed"], prices["only_live_landed"]
    pairs = f"pairs of which one landed: only the simulated one in {missed:,}, only the live one in {gained:,}"
    return (["", *_table(rows)] if len(rows) > 1 else []) + ([pairs] if missed or gained else [])


def _table(rows: Sequence[Iterable[str]]) -> list[str]:
    """Return rows with aligned columns."""
    cells = [tuple(row) for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
