"""A system that trades a market on two websockets of Solana, and what it has recorded of it."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from memesnipe.config.settings import settings_from
from memesnipe.feeds.base import FeedMessage
from memesnipe.feeds.replay import ReplayFeed
from memesnipe.market.events import PRICE, SIDE_NAMES, STALE, VENUE_NAMES, join, rows
from memesnipe.market.sequencer import Sequencer
from memesnipe.runtime.database import open_database
from memesnipe.sdk.registry import discover
from memesnipe.storage.event_log import EventLog, read_batches
from memesnipe.storage.runs import read_mints
from memesnipe.tapes.tape import Tape, read_tape, write_tape
from memesnipe.testing.live_market import LiveMarket
from memesnipe.verification.audit import read_run
from memesnipe.verification.conditions import audit_of, settings_of
from tests.system.installation import Installation, wait_for
from tests.system.live import database_of, get, has_traded, promote, seq_of, wait_for_events, wait_until_healthy
from tests.system.live_trading import write_strategy

# The market passes quickly, and so do the decisions. On a busy machine nothing is too old to trade on. Whole
# generations join, with a family that trades whatever the market does, so that some trade soon. Only commands promote,
# so that none comes after the system itself.
PUMPFUN_SETTINGS = {"REBALANCE_INTERVAL_SECS": "3", "GENERATION_INTERVAL_SECS": "12", "MAX_DATA_AGE_MS": "60000",
                    "POPULATION_SIZE": "30", "FIRST_POPULATION_SIZE": "30", "SPECS_PER_GENERATION": "30",
                    "MIN_TRADES_FOR_PROMOTION": "1000"}  # fmt: skip
PUMPFUN_SPEED = 12.0
# What a frame carries of a trade; amounts in USD follow from it and the price of SOL.
EXACT = ("sol_lamports", "token_raw", "pool_sol_lamports", "pool_token_raw", "real_sol_lamports", "real_token_raw",
         "trader", "slot", "lp_fee_bps", "protocol_fee_bps", "creator_fee_bps")  # fmt: skip

Trades = dict[str, list[tuple[Any, ...]]]  # of each mint, in order


class PumpfunSystem:
    """An installation that runs `memesnipe up --feed pumpfun` on a market that the test plays.

    `undisturbed` has the actors of another system, which ran before it started.
    """

    def __init__(self, installation: Installation, market: LiveMarket, undisturbed: set[int]) -> None:
        self.installation, self.market, self.undisturbed = installation, market, undisturbed
        self._promoted: set[str] = set()
        installation.env["STRATEGY_PATH"] = str(write_strategy(installation))
        self.process = installation.start("up", "--feed", "pumpfun", "--json")
        wait_until_healthy(installation)
        market.start()

    def cut_each_websocket(self) -> None:
        """Cut one after the other, so that every frame arrives at least once, and wait until the feed goes on."""
        for server in self.market.websockets:
            attempts = server.attempts
            server.cut()
            wait_for("the feed to connect again", lambda s=server, a=attempts: s.attempts > a)  # type: ignore[misc]
            wait_for_events(self.installation, 300)

    def paper_trades(self) -> Any:
        """Return the trades on paper; strategies that trade are promoted by hand, before their evidence does it."""
        strategies = get(self.installation, "api/strategies?limit=500")
        trading = {one["spec_id"] for one in strategies if one["mode"] == "simulating" and has_traded(one)}
        for spec_id in trading - self._promoted:
            promote(self.installation, spec_id)
        self._promoted |= trading
        return get(self.installation, "api/trades")

    def stop_the_market(self) -> Trades:
        """Stop the market, and wait until all that it sent is recorded; return the trades that it sent."""
        self.market.stop()
        sent = trades_sent(self.market.sent)
        wait_for("every trade to be traded on", lambda: count(trades_recorded(self.installation)) >= count(sent))
        return sent


def differences_of_a_replay(installation: Installation, folder: Path) -> list[str]:
    """Replay the recorded events from a tape; return where the books then differ from those of the live run."""
    home = installation.folder / ".memesnipe"
    with open_database(settings_from({"memesnipe_home": home}, env_file=None)) as (engine, _):
        with engine.connect() as connection:
            recorded = read_run(connection, 1)
        engine.dispose()
    events = join(*read_batches(home / "runs/1/events.bin", 1, recorded.last_seq))
    write_tape(folder / "live.tape", Tape(events, [recorded.mints[token] for token in sorted(recorded.mints)]))
    settings = settings_of(recorded)
    sequencer = Sequencer(settings.trading.rebalance_interval_secs, settings.evolution.generation_interval_secs)
    messages = list(ReplayFeed(read_tape(folder / "live.tape")).messages(0))
    replayed, rejected = sequencer.stamp(messages)
    assert rejected == []
    replayed["flags"] |= events["flags"] & STALE  # by this machine's clock then, which no replay has
    assert replayed.tobytes() == events.tobytes()
    log = EventLog(folder / "events.bin")
    log.append(replayed)
    log.close()
    audit = audit_of(recorded, folder / "events.bin", settings, discover(*settings.simulation.strategy_folders))
    assert [step.seq for step in audit.derive()]
    assert recorded.records.trades
    return list(audit.differences())


def trades_sent(messages: list[FeedMessage]) -> Trades:
    found: Trades = defaultdict(list)
    for message in messages:
        if message["kind"] == "price":
            found[message["mint"]].append((message["venue"], message["side"], *(message[name] for name in EXACT)))
    return found


def trades_recorded(installation: Installation) -> Trades:
    """Return the trades that the executor has consumed, from the run's event log."""
    with database_of(installation) as connection:
        mints = read_mints(connection, 1)
    found: Trades = defaultdict(list)
    for event in events_of(installation):
        if event.kind == PRICE:
            names = VENUE_NAMES[event.venue], SIDE_NAMES[event.side]
            found[mints[event.token]].append((*names, *(getattr(event, name) for name in EXACT)))
    return found


def events_of(installation: Installation) -> Iterator[Any]:
    path = installation.folder / ".memesnipe/runs/1/events.bin"
    for events in read_batches(path, 1, seq_of(installation)):
        yield from rows(events)


def count(trades: Trades) -> int:
    return sum(map(len, trades.values()))
