"""One tool in a separate process: `python peers_worker.py TOOL TAPE SETS`, then one run per line of stdin.

It prints lines of JSON: one after the warm-up, and one per run.
"""

import importlib
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from peers_tape import load

MODULES = {
    "memesnipe": "peers_ours",
    "vectorbt": "peers_vectorbt",
    "raptorbt": "peers_raptorbt",
    "backtesting.py": "peers_backtesting",
}


def main(tool: str, path: str, sets: int) -> None:
    """Warm up with an unmeasured run, then run once per line of stdin."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # the tools' own output is not an answer
    began = time.perf_counter()
    tape = load(Path(path))
    prepared = importlib.import_module(MODULES[tool]).prepare(replace(tape, params=tape.params[:sets]))
    warm = {"version": prepared.version, "buy_signals": prepared.count_buys()}
    if not prepared.run():
        raise SystemExit("the tool made no trade")
    print(json.dumps(warm | {"warm_up_seconds": time.perf_counter() - began}), file=answers)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        prepared.run()
        took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
        print(json.dumps(took), file=answers)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
