"""The factory announces a generation once, whatever the number of attempts, and records why it proposed nothing."""

from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from memesnipe.bus.merge import Entry
from memesnipe.evolution.admission import MIN_TRADES
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.protocol.messages import ArenaStandings, BacktestResult
from memesnipe.protocol.streams import ARENA_STANDINGS, BACKTEST_JOBS, BACKTEST_RESULTS, STRATEGY_SPECS
from memesnipe.roles import consumer
from memesnipe.roles.strategy_factory import StrategyFactory
from memesnipe.storage.journal import UnitOfWork
from memesnipe.storage.messages import read_messages
from memesnipe.storage.schema import GenerationRow
from tests.roles.conftest import Reader, Stage
from tests.support import CURVE, population, price_message


class Decider(Reader):
    """Stands in for the portfolio: publishes the standings of an empty arena after each generation."""

    name = "portfolio"

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        for entry in entries:
            if isinstance(entry.payload, BacktestResult):
                work.send(ArenaStandings(seq=entry.seq, spec_ids=[], round_trips=[], expected=[], deviations=[]))


def _failing_first() -> Any:
    calls = []

    def evaluate(generation: int, sample: Any, genomes: list[Any]) -> list[Evaluation]:
        calls.append(sample.window.count)
        if len(calls) in (1, 3):
            raise RuntimeError("the machine went away")
        return _failed(genomes)

    return evaluate


def _failed(genomes: list[Any]) -> list[Evaluation]:
    return [Evaluation(genome.spec_id, None, None, float(i), np.zeros((0, 3))) for i, genome in enumerate(genomes)]


def _published(stage: Stage, stream: str) -> list[int]:
    with stage.database.connect() as connection:
        return [message.payload.generation for message in read_messages(connection, stage.run_id, stream)]


def test_a_generation_is_announced_once_despite_a_failed_attempt(stage: Stage) -> None:
    feed = [price_message(at_s, "A", "buy", CURVE, 1, 1) for at_s in (1, 2, 700, 701, 1400)]
    market = stage.market(feed)
    market.open()
    while market.seq < 3:
        market.step()
    evaluate = _failing_first()
    decider = stage.start(Decider)
    decider.open()
    for generation in range(2):
        failing = stage.start(StrategyFactory, evaluate)
        failing.open()
        with pytest.raises(RuntimeError):
            failing.step()
        assert _published(stage, BACKTEST_JOBS) == list(range(generation + 1))
        assert _published(stage, BACKTEST_RESULTS) == list(range(generation))
        again = stage.start(StrategyFactory, evaluate)
        again.open()
        again.step()
        assert _published(stage, BACKTEST_JOBS) == _published(stage, BACKTEST_RESULTS) == list(range(generation + 1))
        stage.has_read("executor", "allocations_channel", market.seq)
        while not generation and market.seq < 5:
            market.step()
        if not generation:
            again.step()
            assert _published(stage, BACKTEST_JOBS) == [0], "the standings after the first generation are awaited"
            decider.step()


def test_standings_that_were_read_before_a_failed_attempt_are_kept(stage: Stage) -> None:
    stage.monkeypatch.setattr(consumer, "_UNCOMMITTED_S", 1e9)
    market = stage.market([price_message(at_s, "A", "buy", CURVE, 1, 1) for at_s in (1, 2, 700, 701, 1400)])
    market.open()
    while market.seq < 3:
        market.step()
    decider = stage.start(Decider)
    decider.open()
    factory = stage.start(StrategyFactory, _failing_first())
    factory.open()
    with pytest.raises(RuntimeError):
        factory.step()
    genome = population()[0]
    factory._breeder._live_results.propose([genome])
    factory._breeder._live_results.losing.append(genome.spec_id)  # in the arena, which by the standings it has left
    factory.step()
    decider.step()
    stage.has_read("executor", "allocations_channel", market.seq)
    factory.step()  # reads the standings, and commits nothing
    while market.seq < 5:
        market.step()
    with pytest.raises(RuntimeError):
        factory.step()
    assert _published(stage, BACKTEST_JOBS) == [0, 1]
    again = stage.start(StrategyFactory, _failing_first())
    again.open()
    assert again.offsets[ARENA_STANDINGS].number == 0
    with pytest.raises(RuntimeError):
        again.step()
    assert _published(stage, BACKTEST_JOBS) == [0, 1]
    assert again._breeder._live_results.lost == factory._breeder._live_results.lost == [genome.spec_id]


def test_a_generation_without_a_proposal_records_why(stage: Stage) -> None:
    market = stage.market([price_message(at_s, "A", "buy", CURVE, 1, 1) for at_s in (1, 2, 700)])
    market.open()
    while market.seq < 3:
        market.step()
    factory = stage.start(StrategyFactory, lambda _index, _sample, genomes: _failed(genomes))
    factory.open()
    factory.step()
    with stage.database.connect() as connection:
        columns = sa.select(GenerationRow.index, GenerationRow.proposed, GenerationRow.reason)
        rows = connection.execute(columns.where(GenerationRow.run_id == stage.run_id)).all()
        assert list(read_messages(connection, stage.run_id, STRATEGY_SPECS)) == []
    assert rows == [(0, 0, f"no genome made {MIN_TRADES} round trips in each segment")]
