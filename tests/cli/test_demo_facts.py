"""What `memesnipe demo` tells is what the database and the event log of the run have."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from memesnipe.cli.demo_facts import read_facts, read_rugs
from memesnipe.engine.genome import simple_genome
from memesnipe.market.events import DEPTH, NS_PER_S, PRICE
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.schema import GenerationRow, LifecycleRow, StrategyRow, StreamOffsetRow, TradeRow
from memesnipe.storage.schema_control import RefusalRow
from tests.cli.test_demo_rugs import events_of

Insert = Callable[..., None]


@pytest.fixture
def run(database: sa.Engine, new_run: int, insert: Insert) -> int:
    """Return a run: a generation, two promotions of which one to live, and a round trip that ends 5 s after a rug."""
    insert(GenerationRow, index=0, evaluations=50, proposed=1, reason="")
    genome = simple_genome("momentum_5m", {}).to_dict()
    evidence = {"expected_return": 0.1, "deviation": 0.1, "round_trips": 3, "e_value": 1.5, "threshold": 20.0,
                "trades_needed": 40.0, "is_proven": False}  # fmt: skip
    insert(StrategyRow, spec_id="aa11", mode="paper", genome=genome, allocation_usd=5.0, evidence=evidence)
    insert(LifecycleRow, number=1, spec_id="aa11", from_mode="simulating", to_mode="paper", reason="evidence 1.5 of 20")
    insert(LifecycleRow, number=2, spec_id="bb22", from_mode="paper", to_mode="live", reason="by hand")
    trade = {"spec_id": "aa11", "account": "paper", "token": 7, "mint": "Mint", "token_raw": 100, "status": "PAPER"}
    insert(TradeRow, **trade, order_id="1", side="buy", sol_lamports=1_000_000_000, ts=10 * NS_PER_S, reason="entry")
    insert(TradeRow, **trade, order_id="2", side="sell", sol_lamports=900_000_000, ts=35 * NS_PER_S, reason="stop_loss")
    insert(RefusalRow, account="paper", order_id="3", seq=2, reason="unsafe_token", detail="the developer left")
    insert(RefusalRow, account="paper", order_id="4", seq=2, reason="busy", detail="")
    insert(StreamOffsetRow, stream="events", actor="executor", seq=2, number=2, consumed=2)
    return new_run


def test_the_facts_are_those_of_the_records(database: sa.Engine, run: int) -> None:
    with database.connect() as connection:
        facts = read_facts(connection, run)
    assert [row["evaluations"] for row in facts.generations] == [50]
    (promoted,) = facts.promotions
    assert (promoted["spec_id"], promoted["families"]) == ("aa11", ["momentum_5m"])
    assert promoted["reason"] == "evidence 1.5 of 20" and promoted["why"].startswith("It holds 5.00 USD on probation")
    (trip,) = facts.trips
    assert (trip["spec_id"], trip["exit_reason"], trip["profit_sol"]) == ("aa11", "stop_loss", pytest.approx(-0.1))


def test_the_rugs_are_found_in_the_event_log(database: sa.Engine, run: int, tmp_path: Path) -> None:
    events = events_of((PRICE, 7, 0, 9_000), (DEPTH, 7, 30, 3_000))
    events["seq"] = (1, 2)
    log = EventLog(tmp_path / "events.bin")
    log.append(events)
    log.close()
    with database.connect() as connection:
        rugs = read_rugs(connection, run, tmp_path / "events.bin", read_facts(connection, run).trips)
    assert (rugs["count"], rugs["refused"], rugs["refusal"]) == (1, 1, "the developer left")
    (fate,) = rugs["fates"]
    assert (fate["seconds"], fate["trip"]["exit_reason"]) == (5.0, "stop_loss")
