"""How long an import of a million swaps takes, part by part, and the validation of what comes of it.

Run: python benchmarks/importing.py [ROWS]
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from memesnipe.market.tape import read_tape, write_tape
from memesnipe.market.validation import validate
from memesnipe.tapes.importer import import_swaps

ROWS = 1_000_000
TOKENS = 5_000
START_NS = 1_757_782_395_000_000_000


def make_swaps(rows: int, reserves: bool) -> pd.DataFrame:
    """Swaps of many tokens on curves of pump.fun, a few to a second."""
    rng = np.random.default_rng(24)
    sol = np.exp(rng.normal(np.log(0.05), 1.5, rows)).round(9)
    reserve = rng.uniform(31, 110, rows)
    price = reserve**2 / (30 * 1.073e9)
    tokens = rng.integers(0, max(TOKENS * rows // ROWS, 1), rows)
    frame = pd.DataFrame(
        {
            "ts_ns": START_NS + np.sort(rng.integers(0, rows // 8 + 1, rows)) * 1_000_000_000,
            "mint": pd.Series(tokens).map("Mint{:040d}".format),
            "side": np.where(rng.random(rows) < 0.5, "buy", "sell"),
            "sol_amount": sol,
            "token_amount": (sol / price).round(6),
        }
    )
    if reserves:
        frame["v_sol"], frame["v_tok"] = reserve.round(9), (30 * 1.073e9 / reserve).round(6)
    return frame


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with TemporaryDirectory() as folder:
        for name, reserves in (("pools assumed", False), ("with reserves", True)):
            csv, tape = Path(folder) / "swaps.csv", Path(folder) / "swaps.tape"
            make_swaps(rows, reserves).to_csv(csv, index=False)
            start = time.perf_counter()
            imported = import_swaps(csv, 200.0)
            read = time.perf_counter()
            bad = validate(imported.tape.events, imported.tape.mints).counts()
            checked = time.perf_counter()
            write_tape(tape, imported.tape)
            written = time.perf_counter()
            read_tape(tape)
            again = time.perf_counter()
            print(
                f"{rows:,} rows, {name}: import {read - start:.2f} s, validation {checked - read:.2f} s, "
                f"write {written - checked:.2f} s, read {again - written:.2f} s; "
                f"{len(imported.tape.events):,} events, rejected {imported.rejected or 0}, invalid {bad or 0}"
            )


if __name__ == "__main__":
    main()
