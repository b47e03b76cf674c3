"""Executing programs of the chain leaves the arithmetic of the caller's thread intact."""

import numpy as np

from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from tests.localnet.programs.market import ME, OneCoin


def test_long_doubles_are_exact_after_a_program_has_run() -> None:
    coin = OneCoin()
    record = coin.land(coin.market.buy(ME, coin.mint, SOL))
    assert record.execution.err is None
    assert np.longdouble(1) / np.longdouble(4) + np.longdouble(2) == np.longdouble("2.25")
    assert np.array_equal(np.array([86_401.5, 2.0]) % 86_400.0, [1.5, 2.0])
