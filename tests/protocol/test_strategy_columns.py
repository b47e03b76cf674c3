"""Figures of strategies in one array: exact after encoding, and refused where they are not what this code reads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays, from_dtype

from memesnipe.engine.figures import FIGURES
from memesnipe.protocol.messages import ParityRecord, SimulationResults
from memesnipe.protocol.payload import ProtocolError, encode
from memesnipe.protocol.strategy_columns import StrategyColumns
from memesnipe.protocol.streams import SIMULATION_RESULTS, decoder_of

ROWS = arrays(FIGURES, st.integers(0, 5), elements=from_dtype(FIGURES, allow_nan=False, allow_infinity=False))


def _message(columns: StrategyColumns) -> SimulationResults:
    return SimulationResults(seq=3, ts=5, flags=1, strategies=columns, parity={"0": ParityRecord(2, 0.5)})


@given(ROWS)
def test_the_figures_are_exact_after_encoding(figures) -> None:  # type: ignore[no-untyped-def]
    names = [f"{row}" for row in range(len(figures))]
    message = _message(StrategyColumns.of(names, figures))
    read = decoder_of(SIMULATION_RESULTS)(encode(message))
    assert read == message
    assert read.strategies.figures.tobytes() == figures.tobytes()
    assert [result.spec_id for result in read.strategies.results()] == names
    assert [one.mean for one in read.strategies.evidence().values()] == figures["mean"].tolist()
    assert [int(one.digest, 16) for one in read.strategies.results()] == figures["digest"].tolist()


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (b'"sharpe"', b'"shrape"', "columns"),
        (b'"sharpe","<f8"', b'"sharpe","<f4"', "columns"),
        (b'["a"]', b'["a","b"]', "200 bytes for 2 strategies of 200 bytes"),
        (b'"spec_ids"', b'"names"', "unknown field"),
        (b'"data":"AAAAAAAA8D8', b'"data":"AAAAAAAA8H8', "not finite"),  # 1.0 becomes infinity
        (b'"v":2', b'"v":1', "version 1, this code reads 2"),
    ],
)
def test_other_columns_are_refused(before: bytes, after: bytes, reason: str) -> None:
    figures = np.zeros(1, FIGURES)
    figures["observed_s"] = 1.0
    data = encode(_message(StrategyColumns.of(["a"], figures)))
    assert data.count(before) == 1
    with pytest.raises(ProtocolError, match=reason):
        decoder_of(SIMULATION_RESULTS)(data.replace(before, after))


def test_figures_that_are_not_finite_are_not_sent() -> None:
    figures = np.zeros(2, FIGURES)
    figures["sharpe"][1] = np.inf
    with pytest.raises(ValueError, match="not finite"):
        StrategyColumns.of(["a", "b"], figures)
