"""The same strategy on one tape through MemeSnipe, vectorbt, RaptorBT and backtesting.py: genome-events per second.

    .venv/bin/python benchmarks/peers.py [--json]

The first run makes a virtual environment for the peers (a minute). Each tool runs in a separate process on one
core, with a warm-up before the measurement; the tools alternate, and medians are compared. A genome-event is one
parameter set on one trade.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from peers_ours import make_tape
from peers_tape import FEE_PER_SIDE

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "peers_requirements.txt"
OURS, VECTORBT, RAPTORBT, BACKTESTING = "memesnipe", "vectorbt", "raptorbt", "backtesting.py"
ONE_CORE = {
    "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1",
    "TQDM_DISABLE": "1",
}  # fmt: skip
NOTES = (
    "All compute the strategy's signals from the same formula on the same trades; the buy signals of one "
    "parameter set were counted in each tool and are equal.",
    f"The peers take {FEE_PER_SIDE:.2%} per side and fill in full at the next trade's price. They model no price "
    "impact, no latency, no landing failures, and each of their backtests has its own cash.",
    "MemeSnipe does more in its time: integer fills against the pool, which the order moves; latency, failed landings "
    "and slippage limits; stops and take-profits; one capital for all tokens; equity marked as the market moves. It "
    "also reads the events that are not trades, and they are not counted.",
    "vectorbt: a compiled indicator (IndicatorFactory) over the parameter grid, Portfolio.from_signals and "
    "total_return, one column for each token and parameter set, with its Rust engine. Rows that only fill up a "
    "column are not counted.",
    "RaptorBT: run_tick_backtest, one call per token and parameter set, on signals computed by compiled code; its "
    "ticks have no spread, and its stops are out of reach.",
    "backtesting.py: one Backtest per token, one run per parameter set, the signal precomputed in init with self.I. "
    "Each run computes all statistics of the library; on short-lived tokens they take most of its time.",
    "One core each. Preparing the data, imports and compilation are not in the measured time.",
)


@dataclass(slots=True)
class Tool:
    """A tool in its process, and its measurements."""

    name: str
    sets: int
    process: subprocess.Popen[str]
    log: IO[str]
    warm: dict[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)

    def answer(self) -> dict[str, Any]:
        """Return the next answer of the process.

        Raises:
            SystemExit: it has ended.
        """
        line = next(iter(self.process.stdout or ()), "")
        if not line:
            self.log.seek(0)
            raise SystemExit(f"{self.name} failed:\n{self.log.read()[-4000:]}")
        return dict(json.loads(line))

    def measure(self) -> None:
        """Run the tool once over the tape."""
        print(file=self.process.stdin, flush=True)
        took = self.answer()
        self.seconds.append(took["seconds"])
        self.cpu_seconds.append(took["cpu_seconds"])

    def report(self, trades: int) -> dict[str, Any]:
        """Return the measurements as JSON values."""
        median = statistics.median(self.seconds)
        return self.warm | {
            "parameter_sets": self.sets,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "median_seconds": median,
            "genome_events_per_second": self.sets * trades / median,
        }


def main() -> None:
    """Measure and print the report."""
    options = _options()
    peers_python = _peers_python(options.peers_venv)
    sets = {
        OURS: options.sets_ours,
        VECTORBT: options.sets_vectorbt,
        RAPTORBT: options.sets_raptorbt,
        BACKTESTING: options.sets_backtesting,
    }
    with ExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "tape.npz"
        _print_step("generating the tape")
        tape = make_tape(options.seed, options.events, max(sets.values()))
        tape.save(path)
        tools = []
        for name, count in sets.items():
            python = sys.executable if name == OURS else str(peers_python)
            _print_step(f"warming {name} up")
            tools.append(stack.enter_context(_tool(name, python, path, count)))
        _check_signals(tools)
        for round_no in range(1, options.rounds + 1):
            _print_step(f"round {round_no} of {options.rounds}")
            for tool in tools:
                tool.measure()
        size = {"seed": options.seed, "events": len(tape.market), "trades": tape.trades, "tokens": len(tape.starts) - 1}
        report = _report(size, {tool.name: tool.report(tape.trades) for tool in tools})
    print(json.dumps(report) if options.json else _text(report))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--peers-venv", type=Path, default=HERE / ".venv-peers", help="created if missing")
    parser.add_argument("--seed", type=int, default=1, help="of the tape and of the parameter sets")
    parser.add_argument(
        "--events", type=int, default=100_000, help="length of the tape, social events and SOL prices included"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sets-ours", type=int, default=256, help="parameter sets for MemeSnipe")
    parser.add_argument("--sets-vectorbt", type=int, default=128)
    parser.add_argument("--sets-raptorbt", type=int, default=64)
    parser.add_argument("--sets-backtesting", type=int, default=1)
    return parser.parse_args()


def _peers_python(venv: Path) -> Path:
    """Return the peers' Python, after making its environment if it was not made from the current requirements."""
    python, made_from = venv / "bin" / "python", venv / "made_from.txt"
    wanted = REQUIREMENTS.read_text()
    if not made_from.is_file() or made_from.read_text() != wanted:
        _print_step(f"making {venv} for the peers, once")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        (venv / ".gitignore").write_text("*\n")  # independent of the repository's .gitignore
        install = [str(python), "-m", "pip", "install", "-qq", "--requirement", str(REQUIREMENTS)]
        subprocess.run(install, check=True, stdout=sys.stderr)
        made_from.write_text(wanted)
    return python


@contextmanager
def _tool(name: str, python: str, tape: Path, sets: int) -> Iterator[Tool]:
    command = [python, str(HERE / "peers_worker.py"), name, str(tape), str(sets)]
    environment = {**os.environ, **ONE_CORE}
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, text=True, env=environment) as process,
    ):
        tool = Tool(name, sets, process, log)
        try:
            tool.warm = tool.answer()
            yield tool
        finally:
            process.kill()


def _check_signals(tools: list[Tool]) -> None:
    counts = {tool.name: tool.warm["buy_signals"] for tool in tools}
    if len(set(counts.values())) > 1 or 0 in counts.values():
        raise SystemExit(f"the tools do not compute the same signals: buy signals of the first parameter set {counts}")


def _report(tape: dict[str, int], tools: dict[str, dict[str, Any]]) -> dict[str, Any]:
    speed = {name: tool["genome_events_per_second"] for name, tool in tools.items()}
    return {
        "tape": tape,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "tools": tools,
        "ratios": {f"memesnipe / {name}": speed[OURS] / speed[name] for name in (VECTORBT, RAPTORBT, BACKTESTING)},
        "notes": NOTES,
    }


def _text(report: dict[str, Any]) -> str:
    tape = report["tape"]
    lines = [f"Tape: {tape['trades']:,} trades of {tape['tokens']:,} tokens ({tape['events']:,} events)", ""]
    lines.append(f"{'':24}{'sets':>6}{'warm-up s':>11}{'median s':>10}{'genome-events/s':>17}  buy signals")
    for name, tool in report["tools"].items():
        lines.append(
            f"{name + ' ' + tool['version']:24}{tool['parameter_sets']:>6}{tool['warm_up_seconds']:>11.1f}"
            f"{tool['median_seconds']:>10.2f}{tool['genome_events_per_second']:>17,.0f}  {tool['buy_signals']:,}"
        )
    lines += ["", *(f"{name}: {ratio:,.2f}" for name, ratio in report["ratios"].items()), ""]
    return "\n".join(lines + [f"- {note}" for note in report["notes"]])


def _print_step(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
