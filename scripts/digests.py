"""Record digests of the system's decisions, to compare before and after a change that must not alter them.

    .venv/bin/python scripts/digests.py -o before.json     # record
    .venv/bin/python scripts/digests.py --against before.json

It makes one synthetic tape, backtests every family on it, breeds on it, and replays it through the whole system. It
compares digests of the fills of each backtest, of the search, and of the rows of the tables with results. Columns are
named here, so that a table may get others. Exit code 1 means that a digest differs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from memesnipe.config.home import Home
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.sequencer import Sequencer
from memesnipe.servers.servers import LocalServers
from memesnipe.storage.database import connect
from memesnipe.tapes.tape import Tape, write_tape
from memesnipe.testing.chaos.replay import QUICK

MEMESNIPE: Final = Path(sys.executable).with_name("memesnipe")
EVENTS: Final = 8_000
SEED: Final = 7  # a market in which the quick settings trade on paper early
TABLES: Final = {
    "trades": "order_id, spec_id, mint, side, status, reason, ts, seq, token_raw, sol_lamports, pool_fee_lamports, "
    "network_fee_lamports, value_usd",
    "orders": "order_id, spec_id, mint, side, reason, status, decided_seq, due_ts, budget_lamports, token_raw",
    "positions": "spec_id, mint, token_raw, cost_lamports, value_lamports, realised_lamports, opened_ts, seq",
    "equity": "seq, ts, equity_lamports, equity_usd, cash_usd, drawdown",
    "generations": "index, seq, window_events, evaluations, best_fitness, median_fitness",
    "strategies": "spec_id, genome::text, generation, mode, since_seq, allocation_usd",
    "allocations": "seq, spec_id, allocation_usd, effective_seq",
    "lifecycle": "number, seq, spec_id, from_mode, to_mode, reason",
    "evaluations": "generation, spec_id, fitness, train_sharpe, validation_sharpe",
}


def make_tape(path: Path) -> None:
    """Write the tape."""
    sequencer = Sequencer(60, 600)
    stamped, _ = sequencer.stamp(list(islice(SyntheticFeed(SEED).messages(0), EVENTS)))
    write_tape(path, Tape(stamped, sequencer.mints))


def answer_of(folder: Path, *arguments: str) -> dict[str, Any]:
    """Run a command in a folder and return its JSON.

    Raises:
        SystemExit: it failed.
    """
    print(f"memesnipe {' '.join(arguments)}", file=sys.stderr, flush=True)
    environment = os.environ | QUICK | {"MEMESNIPE_HOME": str(folder / ".memesnipe")}
    command = [MEMESNIPE, *arguments, "--json"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"memesnipe {arguments[0]}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    return dict(json.loads(done.stdout))


def tables_of(home: Path) -> dict[str, str]:
    """Return the digest of each table of the run in a home folder."""
    found = {}
    with LocalServers(*Home(home).server_folders) as servers:
        engine = connect(servers.start(need_redis=False).database_url or "")
        with engine.connect() as connection:
            for table, columns in TABLES.items():
                rows = connection.execute(sa.text(f"SELECT {columns} FROM {table} WHERE run_id = 1"))  # noqa: S608
                text = "\n".join(sorted(repr(tuple(row)) for row in rows))
                found[f"replay: {table}"] = blake2b(text.encode(), digest_size=16).hexdigest()
        engine.dispose()
    return found


def record(folder: Path) -> dict[str, str]:
    """Return every digest by name."""
    tape = folder / "digests.tape"
    make_tape(tape)
    families = list(answer_of(folder, "list-strategies"))
    digests = {
        f"backtest: {family}": answer_of(folder, "backtest", "--tape", str(tape), "--strategy", family)["digest"]
        for family in families
    }
    search = ("evolve", "--tape", str(tape), "--generations", "3", "--population", "40", "--seed", "1")
    digests["evolve"] = answer_of(folder, *search)["digest"]
    shutil.rmtree(folder / ".memesnipe")
    answer_of(folder, "up", "--feed", "replay", "--tape", str(tape), "--speed", "max", "--until-end")
    return digests | tables_of(folder / ".memesnipe")


def main() -> int:
    """Record or compare; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="write the digests to this file")
    parser.add_argument("--against", type=Path, help="compare with those in this file")
    asked = parser.parse_args()
    before = json.loads(asked.against.read_text()) if asked.against else None
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-digests-", dir="/tmp"))  # sockets need a short path
    folder.chmod(0o755)  # as root, the embedded PostgreSQL runs as another user
    try:
        digests = record(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if asked.output:
        asked.output.write_text(json.dumps(digests, indent=2) + "\n")
    if before is None:
        print(json.dumps(digests, indent=2))
        return 0
    names = sorted(before.keys() | digests.keys())
    differing = [name for name in names if before.get(name) != digests.get(name)]
    print(f"{len(names)} digests, {len(differing)} differ", *differing, sep="\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
