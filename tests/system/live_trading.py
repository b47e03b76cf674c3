"""A system that trades live on a local Solana: its strategies, their promotion, and what became of their orders."""

import os
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from memesnipe.protocol.account import Account
from memesnipe.storage.account_views import account_figures, outcomes
from memesnipe.storage.runs import has_settled
from memesnipe.storage.schema_submissions import SubmissionRow
from tests.system.installation import Installation, processes_of, wait_for
from tests.system.live import database_of, get, has_traded, is_healthy, promote

_REST = re.compile(r"\w*\d\w*")

# A strategy that trades whatever the market does: buys and sells a few events later.
STEADY = '''\
"""Buy now and then, and sell a few events later.

Hypothesis: none; the orders are what is tested.
"""

from memesnipe.sdk import BUY, HOLD, PRICE, SELL, Strategy, param, state


class Steady(Strategy):
    subscriptions = (PRICE,)
    held_events = param(3, 8, default=4, unit="events")
    count = state("i8")

    def on_event(p, s, e):
        s.count += 1
        if s.count == 2:
            return BUY
        if s.count > 2 + p.held_events:
            s.count = 0
            return SELL
        return HOLD
'''
# All genomes of a generation join, so that some trade always. Promotion by hand needs no evidence, and nothing but the
# test ends what a strategy does.
SETTINGS = {
    "STRATEGY_PATH": "mine", "POPULATION_SIZE": "60", "FIRST_POPULATION_SIZE": "60", "SPECS_PER_GENERATION": "60",
    "TRAINING_HOURS": "0.02", "MAX_DEV_OUT_PERCENT": "10000", "REBALANCE_INTERVAL_SECS": "3",
    "GENERATION_INTERVAL_SECS": "12",
    "MAX_DATA_AGE_MS": "60000", "MAX_PARITY_ERROR_BPS": "1000000", "MAX_PARITY_ERROR_BPS_FOR_LIVE": "1000000",
    "MAX_DRAWDOWN_FOR_LIVE": "1", "MAX_ORDERS_PER_MINUTE": "100000", "MAX_DAILY_LOSS_PERCENT": "100",
}  # fmt: skip


def write_strategy(installation: Installation) -> Path:
    """Add the strategy that trades whatever the market does; return its folder."""
    folder = installation.folder / "mine"
    folder.mkdir()
    (folder / "steady.py").write_text(STEADY)
    return folder


def start_trading(installation: Installation, faults: Sequence[str]) -> "subprocess.Popen[str]":
    """Start it with our strategy on a local chain that trades under faults, and wait until it is healthy."""
    write_strategy(installation)
    options = [text for fault in faults for text in ("--fault", fault)]
    chain = ("--localnet", "--slot-ms", "100", "--rate", "20")
    process = installation.start("up", "--mode", "live", *chain, *options, "--json")
    wait_for("the system to be healthy", lambda: is_healthy(installation))
    return process


class Promotions:
    """Promotes strategies that trade to live mode by hand, those with the most round trips first.

    Args:
        installation: that runs.
        count: of strategies to promote.
    """

    def __init__(self, installation: Installation, count: int) -> None:
        self._installation, self._count = installation, count
        self._modes: dict[str, str] = {}  # in which a strategy was promoted last

    def go_on(self) -> int:
        """Promote strategies whose last promotion has had its effect; return how many are live."""
        strategies = get(self._installation, "api/strategies?limit=500")
        live = sum(one["mode"] == "live" for one in strategies)
        trading = [one for one in strategies if has_traded(one)]
        for one in sorted(trading, key=lambda one: -one["result"]["trades"]):
            spec_id, mode = one["spec_id"], one["mode"]
            may_begin = spec_id in self._modes or len(self._modes) < self._count
            if mode in ("simulating", "paper") and may_begin and self._modes.get(spec_id) != mode:
                promote(self._installation, spec_id)
                self._modes[spec_id] = mode
        return live


def live_outcomes(installation: Installation) -> dict[str, int]:
    """Return the number of live orders by what became of them."""
    with database_of(installation) as connection:
        return outcomes(connection, 1)


def unsigned_reasons(installation: Installation) -> dict[str, int]:
    """Return the number of live orders that were not signed by the reason, without its numbers and addresses."""
    query = sa.select(SubmissionRow.failure).where(SubmissionRow.outcome == "unsent")
    with database_of(installation) as connection:
        reasons = Counter(_REST.sub("_", text)[:80] for text in connection.scalars(query))
    return dict(reasons.most_common())


def live_figures(installation: Installation) -> dict[str, Any]:
    with database_of(installation) as connection:
        return account_figures(connection, 1, Account.LIVE)


def settle(installation: Installation, timeout_s: float = 200) -> None:
    """Halt, and wait until every live order has its final outcome."""
    installation.ask("halt")
    wait_for("the halt", lambda: get(installation, "api/risk")["halted"])

    def has_ended() -> bool:
        with database_of(installation) as connection:
            return has_settled(connection, 1)

    wait_for("every live order to have an outcome", has_ended, timeout_s)


def kill(installation: Installation, matches: Callable[[str], bool]) -> int:
    """Kill the processes whose command line matches; return how many."""
    found = [pid for pid, command in processes_of(installation.folder).items() if matches(command)]
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    return len(found)


def is_executor(command: str) -> bool:
    return command.startswith("ray::Executor")


def is_signer(command: str) -> bool:
    return command.startswith("ray::ServeReplica:signer")


def is_chain(command: str) -> bool:
    return "-m memesnipe localnet " in command


def chain_log(installation: Installation) -> str:
    """Return what the local chain has printed; its last line counts blocks, transactions and faults since its start."""
    return (installation.folder / ".memesnipe" / "localnet" / "chain" / "server.log").read_text()
