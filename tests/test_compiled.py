import os
import stat
import subprocess
import sys
from pathlib import Path

import numba

from memesnipe import code
from memesnipe.compiled import CACHE_FOLDER, folder_in, source_hash

AGAIN = """
import memesnipe.engine.landing as landing
landing.landing_draw(1, 2, 3)
print(sum(landing.landing_draw.stats.cache_hits.values()), sum(landing.landing_draw.stats.cache_misses.values()))
"""


def test_the_cache_is_private_and_used_by_numba() -> None:
    assert CACHE_FOLDER.name == source_hash()
    assert stat.S_IMODE(CACHE_FOLDER.stat().st_mode) == 0o700
    assert str(CACHE_FOLDER) == numba.config.CACHE_DIR


def test_a_folder_writable_by_others_is_not_used(tmp_path: Path) -> None:
    parent = tmp_path / "cache"
    assert folder_in(parent) == parent / source_hash()
    (parent / source_hash()).chmod(0o777)
    assert folder_in(parent) is None
    (parent / source_hash()).chmod(0o700)
    assert folder_in(parent) is not None
    parent.chmod(0o770)
    assert folder_in(parent) is None


def test_a_file_instead_of_a_folder_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    assert folder_in(tmp_path / "cache") is None


def test_the_folders_of_old_sources_are_removed(tmp_path: Path) -> None:
    for age in range(10):
        old = tmp_path / f"sources {age}"
        old.mkdir()
        os.utime(old, (10_000 - age, 10_000 - age))
    tmp_path.chmod(0o700)
    assert folder_in(tmp_path) is not None
    assert {path.name for path in tmp_path.iterdir()} == {source_hash(), *(f"sources {age}" for age in range(5))}


def test_other_sources_have_another_folder(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    before = source_hash()
    monkeypatch.setattr(code, "_COMPILED_PACKAGES", ("market", "sdk"))
    assert source_hash() != before


def test_a_second_process_loads_the_compiled_code() -> None:
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", AGAIN], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "0"]
