"""The paths of an installation: its database is found wherever it is."""

from pathlib import Path

import pytest

from memesnipe.config.home import Home


@pytest.mark.parametrize("is_moved", [False, True], ids=["in the folder", "moved to a folder that root has opened"])
def test_a_database_is_found_where_it_is(tmp_path: Path, is_moved: bool) -> None:
    home, elsewhere = Home(tmp_path / "home"), tmp_path / "elsewhere"
    home.postgres.mkdir(parents=True)
    if is_moved:
        elsewhere.mkdir()
        (home.postgres / "moved-to").symlink_to(elsewhere)
    assert not home.has_database
    data = (elsewhere if is_moved else home.postgres) / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("18")
    assert home.has_database
    assert home.postgres_pid.resolve() == (data / "postmaster.pid").resolve()
