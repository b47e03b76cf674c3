"""Recorded trades under other names and in other units are the recorded trades."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from memesnipe.tapes.importer import import_swaps
from tests.tapes.csvs import SHARED

RECORDED = SHARED / "pump_curve_trades.csv.gz"
NAMES = {
    "block_time": "timestamp", "transaction_signature": "signature", "block_num": "slot", "token_address": "mint",
    "wallet_address": "wallet", "is_buy": "is_buy", "amount_in_sol": "sol_amount", "amount_in_token": "token_amount",
    "virtual_sol_reserves": "virtual_sol_reserves", "virtual_token_reserves": "virtual_token_reserves",
}  # fmt: skip
FIELDS = (
    "ts", "slot", "side", "venue", "trader", "token", "price_usd", "sol_lamports", "token_raw", "pool_sol_lamports",
    "pool_token_raw", "real_sol_lamports", "real_token_raw", "protocol_fee_bps", "creator_fee_bps",
)  # fmt: skip
pytestmark = pytest.mark.skipif(not RECORDED.is_file(), reason="no recorded trades")


def _trades() -> pd.DataFrame:
    return pd.read_csv(RECORDED, dtype=str)[list(NAMES)].rename(columns=NAMES)


def _decimal(units: "pd.Series[str]", digits: int) -> "pd.Series[str]":
    padded = units.str.zfill(digits + 1)
    return padded.str[:-digits] + "." + padded.str[-digits:]


@pytest.mark.parametrize("shape", ["smallest units", "whole units and dates"])
def test_recorded_trades_are_the_same_under_common_names(tmp_path: Path, shape: str) -> None:
    trades, path = _trades(), tmp_path / "swaps.csv"
    if shape == "whole units and dates":
        trades["timestamp"] = pd.to_datetime(trades["timestamp"].astype(int), unit="s").dt.strftime(
            "%Y-%m-%dT%H:%M:%SZ"
        )
        for name, digits in (("sol_amount", 9), ("virtual_sol_reserves", 9), ("token_amount", 6)):
            trades[name] = _decimal(trades[name], digits)
        trades["virtual_token_reserves"] = _decimal(trades["virtual_token_reserves"], 6)
    trades.to_csv(path, index=False)
    imported, expected = import_swaps(path, 200.0), import_swaps(RECORDED, 200.0)
    assert (imported.layout, imported.rejected, len(imported.tape.events)) == ("common names", {}, 2501)
    units = {"sol_amount": "lamports", "token_amount": "raw", "v_sol": "lamports", "v_tok": "raw"}
    if shape != "smallest units":
        units = {"sol_amount": "sol", "token_amount": "whole", "v_sol": "sol", "v_tok": "whole"}
    assert {name: imported.units[name] for name in units} == units
    for name in FIELDS:
        np.testing.assert_array_equal(imported.tape.events[name], expected.tape.events[name], err_msg=name)
