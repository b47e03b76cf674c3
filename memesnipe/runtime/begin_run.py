"""Begin or resume the run of a feed in PostgreSQL, and say what becomes of an earlier one."""

from functools import partial
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import Engine

from memesnipe.bus.redis_bus import Bus
from memesnipe.code import code_hash
from memesnipe.config.home import installation_of
from memesnipe.config.settings import Settings
from memesnipe.errors import MemeSnipeError
from memesnipe.feeds.choice import FeedChoice
from memesnipe.runtime.earlier_run import why_not_continued
from memesnipe.runtime.live_run import live_identity, live_opening, why_another_run
from memesnipe.runtime.terminal import print_message
from memesnipe.runtime.trading_mode import TradingMode
from memesnipe.storage import runs
from memesnipe.tapes.history import identity_of
from memesnipe.telemetry.logs import without_secrets


def begin_run(settings: Settings, choice: FeedChoice, mode: TradingMode, database: Engine) -> runs.RunInfo:
    """Begin or resume the run, and clear the streams of another run from Redis.

    Args:
        settings: with the addresses of the servers.
        choice: the feed.
        mode: paper or live.
        database: migrated.

    Raises:
        MemeSnipeError: Redis does not respond.
    """
    live = live_identity(settings) if mode.is_live else {}
    opening = partial(live_opening, settings, live[runs.WALLET]) if live else dict
    kept = _kept(settings, choice) | live
    run = runs.begin_run(database, choice.identity, choice.to_dict(), kept, opening)
    if not run.resumed:
        sentence = _on_another_live_run(database, choice, mode, run.run_id, live)
        if sentence := sentence or why_not_continued(database, choice.identity, run.run_id, kept):
            print_message(sentence)
    _take_over(settings, run.run_id)
    return run


def _kept(settings: Settings, choice: FeedChoice) -> dict[str, Any]:
    """Return what a run keeps: a start with anything else begins another one."""
    # Changed code is another experiment: an unfinished run is resumed only with the same code.
    kept = {**settings.deciding, runs.CODE: code_hash(settings.simulation.strategy_folders)}
    if choice.history:  # so is another history
        kept["history"] = identity_of([Path(path) for path in choice.history])
    shards = settings.simulation.arena_shards
    if shards > 1:  # their state is divided among them, so a run keeps their number
        kept[runs.ARENA_SHARDS] = shards
    return kept


def _on_another_live_run(
    database: Engine, choice: FeedChoice, mode: TradingMode, run_id: int, live: dict[str, Any]
) -> str:
    """Return in sentences why an earlier live run is not continued; "" where there is nothing to say."""
    earlier = runs.earlier_live_run(database, choice.identity, run_id) if live else None
    if earlier is None:
        return ""
    return why_another_run(run_id, live, earlier, is_local=mode.localnet is not None)


def _take_over(settings: Settings, run_id: int) -> None:
    """Clear the streams of another run from Redis."""
    assert settings.servers.redis_url is not None  # noqa: S101 - resolved by now
    url = settings.servers.redis_url.get_secret_value()
    bus = Bus(url)
    try:
        bus.take_over(installation_of(settings.installation.memesnipe_home), run_id)
    except redis.RedisError as error:
        raise MemeSnipeError(f"Redis at {without_secrets(url)} does not respond: {error}") from error
    finally:
        bus.close()
