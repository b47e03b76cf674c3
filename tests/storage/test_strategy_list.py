"""Strategies: sorted, filtered, a page at a time, each with why it holds capital."""

import pytest

from memesnipe.storage import schema
from memesnipe.storage.rows import Page
from memesnipe.storage.strategy_list import SortKey, Standing, StrategyFilter, families, strategies
from memesnipe.storage.why import why

SOL = 1_000_000_000
ALL = StrategyFilter()
EVIDENCE = {
    **{"e_value": 3.0, "threshold": 400.0, "is_proven": False, "round_trips": 12, "mean_return": 0.02},
    **{"expected_return": 0.01, "deviation": 0.005, "trades_needed": 262.4, "weight": 0.1},
}


def genome(*names):
    return {"size": 0.1, "signals": [{"family": name, "params": {}, "weight": 0.5} for name in names]}


@pytest.fixture
def conn(database):
    with database.connect() as connection:
        yield connection


@pytest.fixture
def bred(insert):
    for spec_id, mode, total_return, names, evidence in (
        ("gone", "retired", 9.0, ("one",), None),
        ("fresh", "simulating", None, ("one", "two"), None),
        ("worse", "simulating", -0.1, ("two",), EVIDENCE | {"e_value": 0.4}),
        ("better", "simulating", 2.5, ("two",), EVIDENCE),
        ("poor", "paper", -0.5, ("one",), EVIDENCE),
        ("rich", "paper", 1e-3, ("one",), EVIDENCE | {"is_proven": True, "e_value": 500.0}),
    ):
        result = None if total_return is None else {"total_return": total_return, "trades": 1}
        row = {"spec_id": spec_id, "mode": mode, "result": result, "genome": genome(*names), "evidence": evidence}
        insert(schema.StrategyRow, **row, allocation_usd=80.0 if spec_id == "rich" else 0.0)


def ids(found):
    return [row["spec_id"] for row in found.rows]


def test_strategies_are_sorted_by_mode_then_return(conn, new_run, bred):
    found = strategies(conn, new_run, ALL, Page(10))
    assert ids(found) == ["rich", "poor", "better", "worse", "fresh", "gone"]
    assert found.total == 6 and found.rows[0]["genome"] == genome("one")


def test_a_page_has_some_rows_and_the_number_of_all(conn, new_run, bred):
    found = strategies(conn, new_run, ALL, Page(2, 4))
    assert (ids(found), found.total) == (["fresh", "gone"], 6)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (StrategyFilter(mode="paper"), {"rich", "poor"}),
        (StrategyFilter(family="two"), {"fresh", "better", "worse"}),
        (StrategyFilter(family="nobody"), set()),
        (StrategyFilter(evidence=Standing.PROVEN), {"rich"}),
        (StrategyFilter(evidence=Standing.GROWING), {"poor", "better"}),
        (StrategyFilter(evidence=Standing.AGAINST), {"worse"}),
        (StrategyFilter(evidence=Standing.NONE), {"fresh", "gone"}),
        (StrategyFilter(search="r"), {"rich"}),
        (StrategyFilter(search="%"), set()),
        (StrategyFilter(spec_ids=("rich", "gone", "absent")), {"rich", "gone"}),
        (StrategyFilter(mode="simulating", family="two", evidence=Standing.GROWING), {"better"}),
    ],
)
def test_filters_select(conn, new_run, bred, chosen, expected):
    found = strategies(conn, new_run, chosen, Page(10))
    assert (set(ids(found)), found.total) == (expected, len(expected))


@pytest.mark.parametrize("sort", SortKey)
@pytest.mark.parametrize("is_descending", [True, False])
def test_every_order_has_all_rows_once(conn, new_run, bred, sort, is_descending):
    found = [ids(strategies(conn, new_run, ALL, Page(2, at), sort, is_descending=is_descending)) for at in (0, 2, 4)]
    assert sorted(row for rows in found for row in rows) == ["better", "fresh", "gone", "poor", "rich", "worse"]


def test_a_figure_sorts_both_ways_with_missing_ones_last(conn, new_run, bred):
    down = ids(strategies(conn, new_run, ALL, Page(9), SortKey.EVIDENCE))
    up = ids(strategies(conn, new_run, ALL, Page(9), SortKey.EVIDENCE, is_descending=False))
    assert (down[0], up[0]) == ("rich", "worse")
    assert set(down[-2:]) == set(up[-2:]) == {"fresh", "gone"}


def test_profit_is_that_of_each_account_alone(conn, new_run, bred, insert):
    money = {"spec_id": "rich", "token_raw": 1, "cost_lamports": 2 * SOL, "value_lamports": 3 * SOL}
    insert(schema.PositionRow, token=1, **money, realised_lamports=SOL // 2)
    insert(schema.PositionRow, token=2, spec_id="rich", realised_lamports=-SOL)
    insert(schema.PositionRow, token=1, spec_id="rich", realised_lamports=7 * SOL, account="live")
    row = strategies(conn, new_run, StrategyFilter(spec_ids=("rich",)), Page(1)).rows[0]
    assert (row["paper_pnl_sol"], row["live_pnl_sol"]) == (0.5, 7.0)
    other = strategies(conn, new_run, StrategyFilter(spec_ids=("poor",)), Page(1)).rows[0]
    assert (other["paper_pnl_sol"], other["live_pnl_sol"]) == (None, None)
    assert other["expected_interval"] == pytest.approx([0.0002, 0.0198])


def test_families_have_their_strategies_and_capital(conn, new_run, bred):
    one, two = families(conn, new_run)
    assert one == {"family": "one", "simulating": 1, "paper": 2, "live": 0, "retired": 1, "weighted_usd": 80.0}
    assert (two["family"], two["simulating"], two["weighted_usd"]) == ("two", 3, 0.0)


def test_a_manual_promotion_is_told_from_one_by_evidence(conn, new_run, bred, insert):
    steps = (("rich", "paper", "manual: I like it"), ("poor", "paper", "manual"), ("poor", "paper", "it was good"))
    for number, (spec_id, mode, reason) in enumerate((*steps, ("better", "simulating", "manual")), 1):
        insert(schema.LifecycleRow, number=number, spec_id=spec_id, to_mode=mode, reason=reason)
    rows = {row["spec_id"]: row for row in strategies(conn, new_run, ALL, Page(10)).rows}
    assert {spec_id for spec_id, row in rows.items() if row["is_by_hand"]} == {"rich"}
    assert "holds 80.00 USD because it was promoted by hand" in rows["rich"]["why"]


@pytest.mark.parametrize(
    ("mode", "usd", "evidence", "words"),
    [
        ("retired", 0.0, None, "It is retired"),
        ("paper", 0.0, None, "no result yet"),
        ("simulating", 0.0, EVIDENCE, "only simulated, without capital: a round trip is expected to return +1.0%"),
        ("paper", 5.0, EVIDENCE, "holds 5.00 USD on probation"),
        ("paper", 5.0, EVIDENCE, "Its evidence is 3, and 400 end the probation: about 262 more round trips"),
        ("paper", 5.0, EVIDENCE | {"trades_needed": None}, "at this expectation it never gets there"),
        ("paper", 900.0, EVIDENCE | {"is_proven": True}, "holds 900.00 USD because its evidence is proven"),
        ("live", 0.0, EVIDENCE, "on live without capital at present"),
    ],
)
def test_why_it_holds_capital_is_said_in_words(mode, usd, evidence, words):
    assert words in why(mode, usd, evidence)
