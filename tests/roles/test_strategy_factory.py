"""The factory announces a generation once, however often it has to breed it."""

from typing import Any

import numpy as np
import orjson
import pytest
import sqlalchemy as sa

from memesnipe.bus.streams import BACKTEST_JOBS, BACKTEST_RESULTS
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.roles.strategy_factory import StrategyFactory
from memesnipe.storage.schema import Message
from tests.roles.conftest import Stage
from tests.support import CURVE, price_message


def _failing_first() -> Any:
    calls = []

    def evaluate(window: Any, genomes: list[Any]) -> list[Evaluation]:
        calls.append(len(window))
        if len(calls) in (1, 3):
            raise RuntimeError("the machine went away")
        return [Evaluation(genome.spec_id, None, None, float(i), np.zeros((0, 3))) for i, genome in enumerate(genomes)]

    return evaluate


def _told(stage: Stage, stream: str) -> list[int]:
    query = sa.select(Message.payload).where(Message.run_id == stage.run_id, Message.stream == stream)
    with stage.database.connect() as connection:
        return [orjson.loads(p)["generation"] for p in connection.scalars(query.order_by(Message.number))]


def test_a_generation_is_announced_once_although_the_first_attempt_to_breed_it_fails(stage: Stage) -> None:
    feed = [price_message(at_s, "A", "buy", CURVE, 1, 1) for at_s in (1, 2, 700, 701, 1400)]
    market = stage.market(feed)
    market.open()
    while market.seq < 3:
        market.step()
    evaluate = _failing_first()
    for generation in range(2):
        failing = stage.start(StrategyFactory, evaluate)
        failing.open()
        with pytest.raises(RuntimeError):
            failing.step()
        assert _told(stage, BACKTEST_JOBS) == list(range(generation + 1))
        assert _told(stage, BACKTEST_RESULTS) == list(range(generation))
        again = stage.start(StrategyFactory, evaluate)
        again.open()
        again.step()
        assert _told(stage, BACKTEST_JOBS) == _told(stage, BACKTEST_RESULTS) == list(range(generation + 1))
        stage.has_read("executor", "allocations_channel", market.seq)
        while not generation and market.seq < 5:
            market.step()
