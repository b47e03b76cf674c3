"""The event log: reads return the committed events, or report the damage."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.market.events import Events, empty, join
from memesnipe.storage.event_log import EventLog, count_events, damaged_ranges, read_batches
from tests.fuzz.framework import MUTATIONS, Mutation, fuzz
from tests.support import synthetic_events


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "events.bin"


def _all(path: Path, count: int, size: int) -> bytes:
    return join(*read_batches(path, 1, count, size)).tobytes() if count else b""


def _batch(first: int, count: int, salt: int) -> Events:
    events = empty(count)
    events["seq"] = np.arange(first, first + count)
    events["ts"] = salt
    return events


STEP = st.tuples(st.integers(1, 9), st.booleans(), st.binary(max_size=200))


@fuzz
@given(st.lists(STEP, max_size=8), st.integers(1, 7))
def test_after_any_crashes_the_log_has_the_committed_events(
    path: Path, steps: list[tuple[int, bool, bytes]], size: int
) -> None:
    """A batch is appended and committed or not; then the writer dies, possibly in the middle of the next batch."""
    path.unlink(missing_ok=True)
    committed, count = b"", 0
    for salt, (more, is_committed, half) in enumerate(steps):
        log = EventLog(path)
        log.truncate(count)
        batch = _batch(count + 1, more, salt)
        log.append(batch)
        if is_committed:
            committed, count = committed + batch.tobytes(), count + more
        log.close()
        with path.open("ab") as file:
            file.write(half)
        assert _all(path, count, size) == committed
        assert list(damaged_ranges(path, count)) == []
    if steps:
        log = EventLog(path)
        log.truncate(count)
        log.close()
        assert count_events(path) == count


@pytest.fixture(scope="module")
def good(path: Path) -> Path:
    good = path.with_name("good.bin")
    log = EventLog(good)
    log.append(synthetic_events(30))
    log.close()
    return good


@fuzz
@given(MUTATIONS, st.integers(1, 30))
def test_damage_is_detected_and_readable_events_are_correct(
    path: Path, good: Path, mutation: Mutation, size: int
) -> None:
    content = good.read_bytes()
    path.write_bytes(mutation.of(content))
    written = synthetic_events(30).tobytes()
    try:
        read = _all(path, 30, size)
    except OSError:
        short = path.stat().st_size < len(content)
        assert short or list(damaged_ranges(path, 30))
        return
    assert read == written
    # The content is unchanged, or longer, which `verify` detects by the length.
    assert path.read_bytes() == content or count_events(path) > 30
