"""One tool in a process of its own: `python peers_worker.py TOOL TAPE SETS`, then one run for each line of stdin.

It answers in lines of JSON: one when it is warm, and one for each run.
"""

import importlib
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from peers_tape import load

MODULES = {"memesnipe": "peers_ours", "vectorbt": "peers_vectorbt", "backtesting.py": "peers_backtesting"}


def main(tool: str, path: str, sets: int) -> None:
    """Warm up with one run that is not measured, then run as often as asked."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the tools print themselves is not an answer
    began = time.perf_counter()
    tape = load(Path(path))
    tool_is = importlib.import_module(MODULES[tool]).prepare(replace(tape, params=tape.params[:sets]))
    warm = {"version": tool_is.version, "buy_signals": tool_is.count_buys()}
    if not tool_is.run():
        raise SystemExit("it made no trade at all")
    print(json.dumps(warm | {"warm_up_seconds": time.perf_counter() - began}), file=answers)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        tool_is.run()
        took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
        print(json.dumps(took), file=answers)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
