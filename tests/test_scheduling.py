from pathlib import Path

import pytest

from tests.scheduling import LONG, SYSTEM, next_file

TESTS = Path(__file__).parent
REST = ("tests/a.py", "tests/b.py")


def test_every_file_with_tests_of_the_system_is_listed() -> None:
    marked = {path for path in TESTS.rglob("test_*.py") if path != Path(__file__) and "mark.system" in path.read_text()}
    only_long = TESTS / "system" / "test_long_faults.py"
    assert {TESTS.parent / file for file in SYSTEM} == marked - {only_long}
    assert all((TESTS.parent / file).is_file() for file in LONG)


@pytest.mark.parametrize(
    ("waiting", "first", "others"),
    [
        ((*REST, *LONG, *SYSTEM), SYSTEM[0], LONG[0]),
        ((*REST, LONG[1], *SYSTEM[2:]), SYSTEM[2], LONG[1]),
        (REST, REST[0], REST[0]),
        (SYSTEM[1:4], SYSTEM[1], SYSTEM[3]),
    ],
)
def test_the_first_worker_begins_with_the_system_and_the_others_with_the_rest(
    waiting: tuple[str, ...], first: str, others: str
) -> None:
    assert next_file(waiting, is_first=True) == first
    assert next_file(waiting, is_first=False) == others
