"""Duration of importing a million swaps, by step and by format, and of validating the tape.

Run: python benchmarks/importing.py [ROWS]
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from memesnipe.market.validation import validate
from memesnipe.tapes.importer import import_swaps
from memesnipe.tapes.tape import read_tape, write_tape

ROWS = 1_000_000
TOKENS = 5_000
SOL = "So11111111111111111111111111111111111111112"
START_NS = 1_757_782_395_000_000_000


def make_swaps(rows: int, reserves: bool) -> pd.DataFrame:
    """Return swaps of many tokens on pump.fun curves, several per second, each at the current price of its pool."""
    rng = np.random.default_rng(24)
    second = np.sort(rng.integers(0, rows // 8 + 1, rows))
    token = rng.integers(0, max(TOKENS * rows // ROWS, 1), rows)
    reserve = 70 + 35 * np.sin(second / 3_000 + token)
    price = reserve**2 / (30 * 1.073e9)
    sol = np.exp(rng.normal(np.log(0.05), 1.5, rows)).round(9)
    frame = pd.DataFrame(
        {
            "ts_ns": START_NS + second * 1_000_000_000,
            "mint": pd.Series(token).map("Mint{:040d}".format),
            "side": np.where(rng.random(rows) < 0.5, "buy", "sell"),
            "sol_amount": sol,
            "token_amount": (sol / price).round(6),
        }
    )
    if reserves:
        frame["v_sol"], frame["v_tok"] = reserve.round(9), (30 * 1.073e9 / reserve).round(6)
    return frame


def write_dune(swaps: pd.DataFrame, path: Path) -> None:
    """Write the swaps as an export of Dune, with dates, raw amounts and two sides."""
    is_buy = swaps["side"] == "buy"
    lamports, raw = ((swaps[n] * 10**d).round().astype("int64") for n, d in (("sol_amount", 9), ("token_amount", 6)))
    pd.DataFrame(
        {
            "block_time": pd.to_datetime(swaps["ts_ns"]).dt.strftime("%Y-%m-%d %H:%M:%S.000 UTC"),
            "project": "pumpdotfun",
            "token_bought_mint_address": swaps["mint"].where(is_buy, SOL),
            "token_sold_mint_address": swaps["mint"].where(~is_buy, SOL),
            "token_bought_amount_raw": raw.where(is_buy, lamports),
            "token_sold_amount_raw": lamports.where(is_buy, raw),
            "tx_id": [f"signature{i}" for i in range(len(swaps))],
        }
    ).to_csv(path, index=False)


def write_lines(swaps: pd.DataFrame, path: Path) -> None:
    swaps.to_json(path, orient="records", lines=True)


def write_parquet(swaps: pd.DataFrame, path: Path) -> None:
    swaps.to_parquet(path)


FORMATS = {"Dune, CSV": write_dune, "JSON by lines": write_lines, "Parquet": write_parquet}


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Print the wall time of a step, and its processor time, which other load affects less."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    print(f"  {step}: {time.perf_counter() - wall:.2f} s, {time.process_time() - cpu:.2f} s of processor time")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with TemporaryDirectory() as folder:
        csv, tape = Path(folder) / "swaps.csv", Path(folder) / "swaps.tape"
        for name, reserves in (("pools assumed", False), ("with reserves", True)):
            make_swaps(rows, reserves).to_csv(csv, index=False)
            print(f"{rows:,} rows, {name}, load {os.getloadavg()[0]:.1f}")
            with timed("import"):
                imported = import_swaps(csv, 200.0)
            with timed("validation"):
                bad = validate(imported.tape.events, imported.tape.mints).counts()
            with timed("writing the tape"):
                write_tape(tape, imported.tape)
            with timed("reading the tape"):
                read_tape(tape)
            print(f"  {len(imported.tape.events):,} events, rejected {imported.rejected or 0}, invalid {bad or 0}")
        for name, write in FORMATS.items():
            write(make_swaps(rows, reserves=False), csv)
            print(f"{rows:,} rows, {name}, load {os.getloadavg()[0]:.1f}")
            with timed("import"):
                imported = import_swaps(csv, 200.0)
            print(f"  {len(imported.tape.events):,} events, rejected {imported.rejected or 0}")


if __name__ == "__main__":
    main()
