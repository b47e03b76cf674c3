"""A short run of the live benchmark: every figure is present and plausible."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("memesnipe")


@pytest.mark.timeout(300)
def test_every_load_is_measured(tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, "bench", "live", "--quick", "--repeats", "1", "--genes", "30", "--json"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    for name, strategies in (("whole_market", 200), ("peak", 200), ("fast", 50)):
        assert found[name]["strategies"] == strategies
        assert 0 < found[name]["p50_ms"] <= found[name]["p99_ms"] <= found[name]["p999_ms"] <= found[name]["max_ms"]
        assert found[name]["on_the_desk"] == 20
        assert found[name]["decisions"] > 0, "decisions of the portfolio are measured too"
        assert found[name]["snapshots"] > 0
        assert found[name]["events_per_s"] > 0
        for figure, (low, median, high) in found[name]["spread"].items():
            assert low <= median == found[name][figure] <= high
    assert (found["repetitions"], found["cores"]) == (1, os.cpu_count())
    assert found["cpu"]
    assert set(found["load"]) == {"before", "after"}
    sustained = found["sustained"]
    assert set(sustained) == {"200 strategies", "200 strategies, 2 threads", "50 strategies"}
    rates = [load["events_per_s"] for load in sustained.values()]
    assert min(rates) >= 0 < max(rates)  # 0 where no rate could be sustained beside the other tests
    assert found["tokens"] > 50
