"""Values that the shell completes with Tab: feeds, families and the ids of strategies.

A completion prints nothing but its values: without a system, or with wrong settings, there are none, and the command
itself says what is wrong.
"""

from pathlib import Path
from typing import Final

from memesnipe.errors import MemeSnipeError
from memesnipe.feeds.choice import FEED_NAMES, LIVE_FEEDS

_BUNDLED: Final = (
    Path(__file__).resolve().parents[2] / "strategies"
)  # as `memesnipe.sdk.registry`, which is slow to load
_MAX_IDS: Final = 200


def feeds(incomplete: str) -> list[str]:
    """Return the feeds that a list separated by commas can go on with."""
    return _after_comma(incomplete, FEED_NAMES)


def live_feeds(incomplete: str) -> list[str]:
    """Return the live feeds that a list separated by commas can go on with."""
    return _after_comma(incomplete, LIVE_FEEDS)


def _after_comma(incomplete: str, names: tuple[str, ...]) -> list[str]:
    before, comma, begun = incomplete.rpartition(",")
    taken = before.split(",")
    return [f"{before}{comma}{name}" for name in names if name.startswith(begun) and name not in taken]


def families(incomplete: str) -> list[str]:
    """Return the families whose names begin so: the bundled ones and those in the folders of STRATEGY_PATH."""
    from memesnipe.config.settings import load_settings  # noqa: PLC0415 - slow to load

    try:
        folders = [_BUNDLED, *load_settings().simulation.strategy_folders]
    except MemeSnipeError:
        folders = [_BUNDLED]
    return sorted(
        path.stem for folder in folders for path in folder.glob(f"{_safe(incomplete)}*.py") if path.stem[0] != "_"
    )


def strategies(incomplete: str) -> list[str]:
    """Return the ids of strategies of the newest run of a running system; the shell adds files without them."""
    from memesnipe.cli.sql import database_url  # noqa: PLC0415 - slow to load
    from memesnipe.storage.query import run_query  # noqa: PLC0415

    query = (
        "SELECT spec_id FROM strategies WHERE run_id = (SELECT max(run_id) FROM runs) "  # noqa: S608 - see `_safe`
        f"AND spec_id LIKE '{_safe(incomplete)}%' ORDER BY mode = 'simulating', spec_id"
    )
    try:
        found = run_query(database_url(), query, max_rows=_MAX_IDS, timeout_s=2.0)
    except MemeSnipeError:
        return []
    return [row["spec_id"] for row in found.rows]


def _safe(incomplete: str) -> str:
    """Return the text without the characters that mean something in a pattern or a query."""
    return "".join(letter for letter in incomplete if letter.isalnum() or letter == "_")
