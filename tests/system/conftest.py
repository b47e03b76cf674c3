"""Installations for tests of the whole system, and a tape for them."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.sequencer import Sequencer
from memesnipe.tapes.tape import Tape, write_tape
from tests.system.installation import SHORT_TAPE_EVENTS, TAPE_EVENTS, Installation, wait_for
from tests.system.nodes import Nodes

Make = Callable[..., Installation]


@contextmanager
def made_installations() -> Iterator[Make]:
    """Give a function that makes installations; what still runs in them at the end is killed."""
    made: list[Installation] = []

    def make(**settings: str) -> Installation:
        folder = Path(tempfile.mkdtemp(prefix="memesnipe-system-", dir="/tmp")).resolve()
        folder.chmod(0o755)  # PostgreSQL runs as another user where we are root
        made.append(Installation(folder, **settings))
        return made[-1]

    yield make
    for installation in made:
        for process in installation.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        wait_for("all processes to end", lambda i=installation: not i.leftovers(), 150)  # type: ignore[misc]
        shutil.rmtree(installation.folder, ignore_errors=True)
        shutil.rmtree(installation.ray_folder, ignore_errors=True)


@pytest.fixture
def installations() -> Iterator[Make]:
    with made_installations() as make:
        yield make


@pytest.fixture(scope="module")
def installations_of_module() -> Iterator[Make]:
    with made_installations() as make:
        yield make


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    folder = Path(tempfile.mkdtemp(prefix="nodes-", dir="/tmp"))
    cluster = Nodes(folder)
    yield cluster
    cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tape of the synthetic market."""
    return _tape(tmp_path_factory, TAPE_EVENTS)


@pytest.fixture(scope="session")
def short_tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first events of that tape; strategies trade in it too."""
    return _tape(tmp_path_factory, SHORT_TAPE_EVENTS)


def _tape(tmp_path_factory: pytest.TempPathFactory, count: int) -> Path:
    feed = SyntheticFeed(7).messages(0)
    sequencer = Sequencer(60, 600)
    events, rejected = sequencer.stamp([next(feed) for _ in range(count)])
    assert not rejected
    path = tmp_path_factory.mktemp("tape") / "synthetic.tape"
    write_tape(path, Tape(np.asarray(events), sequencer.mints))
    return path
