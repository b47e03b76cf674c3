"""Assumed pools: exact if trades follow each other on a curve, robust if they do not, and reported."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine.backtest import backtest
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import simple_genome
from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S, PUMP_CURVE, Events, rows
from memesnipe.market.pools import Pool, moved, pool_after, quote_buy, quote_sell
from memesnipe.market.pump import CURVE_START_SOL_LAMPORTS, CURVE_START_TOKEN_RAW, PUMP_SUPPLY_RAW
from memesnipe.sdk.registry import discover
from memesnipe.tapes.importer import Imported, import_swaps
from memesnipe.tapes.pools import NO_PRICE, OUTLIER
from tests.tapes.csvs import PLAIN, SHARED, TS, write_csv

CASES = SHARED / "cases"
FRESH = Pool(
    PUMP_CURVE, CURVE_START_SOL_LAMPORTS, CURVE_START_TOKEN_RAW, 0, 793_100_000_000_000, PUMP_SUPPLY_RAW, 0, 95, 30
)
with_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"there is no {CASES}")


def _row(second: float, side: str, sol: float, price: float, mint: str = "A") -> str:
    return f"{TS + int(second * NS_PER_S)},{mint},{side},{sol:.9f},{sol / price:.6f}"


def _flat(count: int, price: float = 1e-7, start: int = 0) -> list[str]:
    return [_row(start + i, "buy" if i % 2 else "sell", 0.5, price * (1 + i % 3 / 1000)) for i in range(count)]


def _prices(imported: Imported) -> np.ndarray:
    events = imported.tape.events
    return events["pool_sol_lamports"] / events["pool_token_raw"] / 1000  # SOL per whole token


def _momentum_usd(events: Events) -> float:
    genome = simple_genome("momentum_5m", {"breakout": 0.01, "vol_mult": 0.5, "lookback_s": 60.0})
    return backtest(events, [genome], discover(), FillModel(), 1000.0)[0].total_pnl_usd


@with_cases
def test_a_dust_sale_does_not_change_the_result_of_a_backtest() -> None:
    clean, dust = (import_swaps(CASES / f"plain_{name}.csv") for name in ("clean", "one_dust_sale"))
    assert len(dust.tape.events) == len(clean.tape.events) + 1
    assert _momentum_usd(clean.tape.events) == pytest.approx(41.94, abs=0.01)
    assert _momentum_usd(dust.tape.events) == pytest.approx(41.94, abs=0.01)
    assert dust.tape.assumptions["pools"]["too_small_for_a_price"] == 1


@given(st.lists(st.tuples(st.booleans(), st.floats(0.02, 8.0)), min_size=2, max_size=40))
@settings(max_examples=60)
def test_reserves_of_a_fresh_curve_are_reconstructed_from_its_trades(
    tmp_path_factory: pytest.TempPathFactory, trades: list[tuple[bool, float]]
) -> None:
    pool, lines, pools = FRESH, [], []
    for i, (wants_to_buy, sol) in enumerate(trades):
        lamports = int(sol * LAMPORTS_PER_SOL)
        is_buy = wants_to_buy or pool.real_sol_lamports < 2 * lamports
        quote = (
            quote_buy(pool, lamports) if is_buy else quote_sell(pool, lamports * pool.token_raw // pool.sol_lamports)
        )
        if quote.sol_lamports < 10**7 or (is_buy and pool.sol_lamports > 100 * LAMPORTS_PER_SOL):
            continue
        sign = 1 if is_buy else -1
        pool = moved(pool, sign * quote.pool_sol_lamports, -sign * quote.token_raw)
        pools.append(pool)
        amounts = f"{quote.sol_lamports / 1e9:.9f},{quote.token_raw / 1e6:.6f}"
        lines.append(f"{TS + i * NS_PER_S},A,{'buy' if is_buy else 'sell'},{amounts}")
    imported = import_swaps(write_csv(tmp_path_factory.mktemp("curve"), PLAIN, *lines), 200.0)
    found = [pool_after(event) for event in rows(imported.tape.events)]
    assert len(found) == len(pools)
    for one, true in zip(found, pools, strict=True):
        assert one.sol_lamports == pytest.approx(true.sol_lamports, rel=1e-6)
        assert one.token_raw == pytest.approx(true.token_raw, rel=1e-6)
        assert one.real_sol_lamports == pytest.approx(true.real_sol_lamports, abs=1e-6 * true.sol_lamports)
        assert one.real_token_raw == pytest.approx(true.real_token_raw, rel=1e-5)


@pytest.mark.skipif(not (SHARED / "pump_curve_trades.csv.gz").is_file(), reason="there are no recorded trades")
def test_reserves_of_recorded_trades_are_reconstructed(tmp_path: Path) -> None:
    true = import_swaps(SHARED / "pump_curve_trades.csv.gz", 200.0).tape
    events = true.events
    frame = pd.DataFrame(
        {
            "ts_ns": events["ts"], "mint": [true.mints[token] for token in events["token"]],
            "side": np.where(events["side"] > 0, "buy", "sell"),
            "sol_amount": events["sol_lamports"] / 1e9, "token_amount": events["token_raw"] / 1e6,
            "slot": events["slot"], "seq": events["seq"],
        }
    )  # fmt: skip
    frame.to_csv(tmp_path / "a.csv", index=False, float_format="%.9f")
    imported = import_swaps(tmp_path / "a.csv", 200.0)
    pools = imported.tape.assumptions["pools"]
    assert (imported.rejected, pools["pools"], pools["chained"], pools["outliers"]) == ({}, 5, 5, 0)
    found = imported.tape.events
    error = np.abs(found["pool_sol_lamports"] / events["pool_sol_lamports"] - 1)
    assert np.quantile(error, 0.99) < 1e-6
    assert error.max() < 0.01  # after the two trades that are missing on the tape
    # Fees in the amounts, rents, and legs in another coin must not be profitable.
    rng = np.random.default_rng(7)
    frame["sol_amount"] *= np.where(frame["side"] == "buy", 1.0125, 0.9875)
    frame["sol_amount"] += np.where(frame["side"] == "buy", 0.00204, 0.0) * (rng.random(len(frame)) < 0.4)
    odd = rng.random(len(frame)) < 0.04
    frame.loc[odd, "sol_amount"] *= rng.choice([150.0, 1 / 150], odd.sum())
    frame.to_csv(tmp_path / "odd.csv", index=False, float_format="%.9f")
    odd_legs = import_swaps(tmp_path / "odd.csv", 200.0)
    assert set(odd_legs.rejected) == {OUTLIER}
    assert abs(_momentum_usd(odd_legs.tape.events) - _momentum_usd(events)) < 100.0


@pytest.mark.parametrize("factor", [1e-5, 1e-3, 0.1, 10.0, 1e3, 1e6])
@pytest.mark.parametrize("at", [0, 1, 10, 29, 30])
def test_an_outlier_is_rejected_with_its_reason(tmp_path: Path, factor: float, at: int) -> None:
    lines = _flat(30)
    odd = _row(at - 0.5, "buy", 0.4, 1.1e-7 * factor * (1.5 if factor > 1 else 0.5))
    imported = import_swaps(write_csv(tmp_path, PLAIN, *lines[:at], odd, *lines[at:]), 200.0)
    assert imported.rejected == {OUTLIER: 1}
    assert imported.tape.assumptions["pools"]["outliers"] == 1
    assert _prices(imported) == pytest.approx(1e-7, rel=0.03)


def test_a_lasting_change_of_price_is_not_an_outlier(tmp_path: Path) -> None:
    imported = import_swaps(write_csv(tmp_path, PLAIN, *_flat(20), *_flat(20, 5e-8, start=100)), 200.0)
    assert not imported.rejected
    prices = _prices(imported)
    assert prices[:20] == pytest.approx(1e-7, rel=0.03)
    assert prices[-15:] == pytest.approx(5e-8, rel=0.03)


def test_the_price_impact_of_a_large_trade_is_not_an_outlier(tmp_path: Path) -> None:
    pool = FRESH
    lines = []
    for i, sol in enumerate((0.5, 0.5, 0.5, 60.0, 0.5)):
        quote = quote_buy(pool, int(sol * LAMPORTS_PER_SOL))
        pool = moved(pool, quote.pool_sol_lamports, -quote.token_raw)
        lines.append(f"{TS + i * NS_PER_S},A,buy,{quote.sol_lamports / 1e9:.9f},{quote.token_raw / 1e6:.6f}")
    imported = import_swaps(write_csv(tmp_path, PLAIN, *lines), 200.0)
    assert (imported.rejected, len(imported.tape.events)) == ({}, 5)
    assert imported.tape.events["pool_sol_lamports"][-1] == pytest.approx(pool.sol_lamports, rel=1e-6)


def test_dust_before_any_price_is_rejected_with_its_reason(tmp_path: Path) -> None:
    lines = [f"{TS - 1},A,sell,0,0.000001", *_flat(5), f"{TS},B,sell,0,0.000001"]
    imported = import_swaps(write_csv(tmp_path, PLAIN, *lines), 200.0)
    assert imported.rejected == {NO_PRICE: 2}
    assert imported.tape.mints == ["A"]


@pytest.mark.parametrize(
    ("venue", "price", "sol"),
    [
        ("pump_curve", 2.8e-8, 30.02),  # a fresh curve
        ("pumpswap", 4.1084e-7, 84.99),  # the pool of a complete curve
        ("pumpswap", 4.1084e-5, 849.9),
        ("amm", 3.0, 84.99),  # the same SOL at the first price
    ],
)
def test_each_venue_has_its_own_depth(tmp_path: Path, venue: str, price: float, sol: float) -> None:
    lines = [f"{TS + i},A,buy,0.02,{0.02 / price + i * 1e-5:.9f},{venue}" for i in range(3)]
    imported = import_swaps(write_csv(tmp_path, f"{PLAIN},venue", *lines), 200.0, decimals=9)
    pool = pool_after(next(rows(imported.tape.events)))
    assert pool.sol_lamports / 1e9 == pytest.approx(sol, rel=0.002)
    assert pool.sol_lamports / pool.token_raw == pytest.approx(price, rel=0.002)
    on_curve = venue == "pump_curve"
    assert pool.real_sol_lamports == pool.sol_lamports - on_curve * 30 * LAMPORTS_PER_SOL
    assert quote_sell(pool, 1000).token_raw == 1000


def test_a_graduated_token_can_be_sold(tmp_path: Path) -> None:
    imported = import_swaps(write_csv(tmp_path, PLAIN, *_flat(6, price=1e-5)), 200.0)
    for event in rows(imported.tape.events):
        assert event.real_sol_lamports == event.pool_sol_lamports
        assert quote_sell(pool_after(event), 10**9).sol_lamports > 0
    assert imported.tape.assumptions["venue"] == "pump_curve"
