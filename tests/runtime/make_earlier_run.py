"""Make `earlier_run.backup`: a small run that an earlier version of MemeSnipe has traded, with its tables.

    python tests/runtime/make_earlier_run.py dd73137b

It takes the sources of a commit from the history of this checkout, lets them replay a short tape on embedded servers,
and writes database and event log as a backup, without what can be derived again.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, text

from memesnipe.config.home import Home
from memesnipe.runtime.backup import write_archive
from memesnipe.servers.servers import LocalServers
from memesnipe.testing.chaos.replay import QUICK, RAY_ENVIRONMENT

OUTPUT: Final = Path(__file__).with_name("earlier_run.backup")
EVENTS: Final = 4_000
# More strategies than in the quickest runs, so that some trade soon.
_BUSY: Final = {
    "FIRST_POPULATION_SIZE": "30",
    "SPECS_PER_GENERATION": "8",
    "GENERATION_INTERVAL_SECS": "30",
}
_TAPE: Final = f"""
import numpy as np
from pathlib import Path
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.sequencer import Sequencer
from memesnipe.tapes.tape import Tape, write_tape
feed, sequencer = SyntheticFeed(7).messages(0), Sequencer(60, 600)
events, _ = sequencer.stamp([next(feed) for _ in range({EVENTS})])
write_tape(Path("one.tape"), Tape(np.asarray(events), sequencer.mints))
"""


def main(commit: str) -> None:
    """Replay the tape with the sources of a commit, and write the backup."""
    with tempfile.TemporaryDirectory(prefix="memesnipe-earlier-", dir="/tmp") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)  # PostgreSQL runs as another user where we are root
        sources, home = folder / "sources", folder / "home"
        sources.mkdir()
        packed = subprocess.run(["git", "archive", commit], capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", sources], input=packed, check=True)
        given = {"PYTHONPATH": str(sources), "MEMESNIPE_HOME": str(home)}
        environment = os.environ | QUICK | RAY_ENVIRONMENT | _BUSY | given
        replay = ("up", "--feed", "replay", "--tape", "one.tape", "--speed", "max", "--until-end", "--json")
        for command in (("-c", _TAPE), ("-m", "memesnipe", *replay)):
            subprocess.run([sys.executable, *command], cwd=folder, env=environment, check=True)
        _write(home, commit, folder)


def _write(home: Path, commit: str, folder: Path) -> None:
    for path in [*(home / "runs").rglob("*"), *(home / "tapes").rglob("*")]:
        if path.is_file() and path.name != "events.bin":
            path.unlink()
    with LocalServers(*Home(home).server_folders) as servers:
        url = servers.start(need_redis=False).database_url or ""
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM snapshots"))  # a state that nobody reads: the run is finished
        engine.dispose()
        manifest = {"format": "memesnipe-backup-1", "version": commit, "made_at": "", "newest_run": 1}
        write_archive(home, url, manifest, folder, OUTPUT)


if __name__ == "__main__":
    main(sys.argv[1])
