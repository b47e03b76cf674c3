"""The words of `memesnipe demo`: sentences from the facts of the run, and what did not occur is said too."""

from collections.abc import Mapping
from typing import Any, Final

from memesnipe.cli.demo_facts import Facts, Json
from memesnipe.number_text import signed
from memesnipe.storage.wording import plural

_SHOWN_GENERATIONS: Final = 5
_SHOWN_PROMOTIONS: Final = 3
_SHOWN_TRIPS: Final = 3
CHAPTERS: Final = {
    "bred": "strategies bred and judged against luck",
    "promoted": "a strategy promoted to paper with its evidence",
    "traded": "round trips on paper",
    "rug": "a rug survived",
    "fault": "a killed actor back, without a loss",
    "verified": "all records verified",
}


class Story:
    """Tells each fact once, as soon as it is recorded.

    After the first ones of a kind, a sentence says that later ones are left to the summary.
    """

    def __init__(self) -> None:
        self._generations = self._trips = 0
        self._promoted: set[str] = set()
        self._left_out: set[str] = set()

    def new_lines(self, facts: Facts) -> list[str]:
        """Return a line for each fact that is new."""
        lines, trials = [], sum(row["evaluations"] for row in facts.generations[: self._generations])
        for row in facts.generations[self._generations : _SHOWN_GENERATIONS]:
            trials += row["evaluations"]
            lines.append(_generation(row, trials))
        self._generations = len(facts.generations)
        lines += self._leave_out("generations", self._generations > _SHOWN_GENERATIONS)
        for each in facts.promotions:
            if each["spec_id"] in self._promoted:
                continue
            if len(self._promoted) < _SHOWN_PROMOTIONS:
                self._promoted.add(each["spec_id"])
                lines.append(_promotion(each))
            else:
                lines += self._leave_out("promotions", True)
        lines += [_trip(each) for each in facts.trips[self._trips : _SHOWN_TRIPS]]
        self._trips = len(facts.trips)
        return lines + self._leave_out("round trips", self._trips > _SHOWN_TRIPS)

    def _leave_out(self, kind: str, are_left_out: bool) -> list[str]:
        """Return the sentence that later facts of a kind are not told, once."""
        if not are_left_out or kind in self._left_out:
            return []
        self._left_out.add(kind)
        return [f"(Later {kind} are left out here and counted at the end; --json has each of them.)"]


def _generation(row: Json, trials: int) -> str:
    tried = (
        f"Generation {row['index']}: {row['evaluations']:,} strategies tried in {row['seconds']:.1f} s on "
        f"{row['window_events']:,} events{_luck(row)}"
    )
    if not row["proposed"]:
        return f"{tried}; none joins the market: {row['reason'] or 'none was proposed'}."
    are, join = ("is", "joins") if row["proposed"] == 1 else ("are", "join")
    found = f"{row['proposed']} {are} better than luck explains after {trials:,} trials"
    return f"{tried}; {found}, and {join} the market."


def _luck(row: Json) -> str:
    """Return the Sharpe ratios, in validation, of the best genome and of luck; "" where a generation has none."""
    best, luck = row.get("best_sharpe"), row.get("luck_sharpe")
    if best is None or luck is None:
        return ""
    return f"; the best has an annualised Sharpe ratio of {best:,.0f}, where luck alone reaches {luck:,.0f}"


def _promotion(each: Json) -> str:
    families = " + ".join(each["families"]) or "unknown families"
    return f"{each['spec_id']} ({families}) is promoted to paper: {each['reason']}."


def _trip(trip: Json) -> str:
    return (
        f"Round trip of {trip['spec_id']} in {_short(trip['mint'])}: paid {trip['paid_sol']:.4f} SOL, "
        f"{_profit(trip)} after all fees; "
        f"out by {_words(trip['exit_reason'])}."
    )


def _profit(trip: Json) -> str:
    return f"{signed(trip['profit_sol'], '.4f')} SOL ({signed(trip['profit_ratio'], '.1%')})"


def rug_line(rugs: Mapping[str, Any], facts: Facts) -> str:
    """Return what the rugs did to our money.

    Args:
        rugs: of `memesnipe.cli.demo_facts.read_rugs`.
        facts: of the run.
    """
    if not rugs["count"]:
        return "No token was rugged in this time, so there was nothing to survive."
    market = f"The market had {plural(rugs['count'], 'rug')} so far."
    if rugs["fates"]:
        return f"{market} {_fate(rugs['fates'][0])} {_standing(facts)}"
    if rugs["refused"]:
        return (
            f"{market} We held none of these tokens; the risk gate refused {plural(rugs['refused'], 'purchase')} of "
            f"unsafe ones, the last one because {rugs['refusal']}."
        )
    return f"{market} We held none of these tokens, and no purchase of an unsafe one had to be refused."


def _fate(fate: Json) -> str:
    rug, trip = fate["rug"], fate["trip"]
    when = f"{abs(fate['seconds']):.0f} s {'before' if fate['seconds'] < 0.0 else 'after'} that"
    return (
        f"{_short(trip['mint'])} lost {rug['share']:.0%} of its liquidity within a minute; {trip['spec_id']} was out "
        f"by {_words(trip['exit_reason'])} {when}, with {_profit(trip)}."
    )


def _standing(facts: Facts) -> str:
    equity, risk = facts.report["equity_usd"], facts.risk
    if equity is None:
        return ""
    level = f"{risk['drawdown']:.2%} below its peak, and the breaker is {risk['level']}"
    return f"The account has {equity:,.2f} USD, {level}."


def fault_line(fault: Mapping[str, Any]) -> str:
    """Return what the kill did; see `memesnipe.cli.demo_run`."""
    if not fault["killed"]:
        return "The executor could not be killed, so no fault was shown."
    if fault["seconds"] is None:
        return f"The executor (process {fault['pid']}) was killed by SIGKILL and was not back in time."
    return (
        f"The executor (process {fault['pid']}) was killed by SIGKILL while {fault['activity']}, at event "
        f"{fault['event']:,}. Process {fault['new_pid']} took over, and had passed event {fault['event_after']:,} "
        f"{fault['seconds']:.1f} s later. Whether anything was lost is for `verify` to say."
    )


def verify_line(verdict: Mapping[str, Any] | None, message: str) -> str:
    """Return the verdict of `memesnipe verify`; its message where it gave none."""
    if verdict is None:
        return f"The run could not be verified: {message}"
    if not verdict["clean"]:
        return f"verify found {plural(verdict['difference_count'], 'difference')}: {verdict['differences'][0]}"
    return (
        f"verify derived the whole run again from its {verdict['events']:,} events: {verdict['orders']:,} orders, "
        f"{verdict['fills']:,} fills, {verdict['refusals']:,} refusals and {verdict['equity_marks']:,} marks of the "
        "equity are exactly as recorded. Nothing was lost or repeated."
    )


def summary_lines(facts: Facts, story: Mapping[str, bool]) -> list[str]:
    """Return the figures at the end, and what of the story did not occur."""
    report = facts.report
    profit = sum(trip["profit_sol"] for trip in facts.trips)
    lines = [
        f"In all: {report['generations']} generations, {report['evaluations']:,} strategies tried, "
        f"{len(facts.promotions)} promoted, {plural(len(facts.trips), 'round trip')} with {signed(profit, '.4f')} SOL.",
    ]
    missing = [words for name, words in CHAPTERS.items() if not story.get(name)]
    if missing:
        lines.append(f"Not shown this time: {'; '.join(missing)}. A longer run (--minutes) may show it.")
    return lines


def _short(mint: str) -> str:
    return mint if len(mint) <= 12 else f"{mint[:4]}...{mint[-4:]}"


def _words(reason: str) -> str:
    return reason.replace("_", " ") or "an exit without a reason"
