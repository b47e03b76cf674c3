from pathlib import Path

import pytest

from tests.scheduling import DIVIDED, LONG, SYSTEM, next_scope, scope_of

TESTS = Path(__file__).parent
REST = ("tests/a.py", "tests/b.py")
PARTS = (f"{DIVIDED[0]}::test[0]", f"{DIVIDED[0]}::test[1]")


def test_every_file_with_tests_of_the_system_is_listed() -> None:
    marked = {path for path in TESTS.rglob("test_*.py") if path != Path(__file__) and "mark.system" in path.read_text()}
    only_long = TESTS / "system" / "test_long_faults.py"
    assert {TESTS.parent / file for file in SYSTEM} == marked - {only_long}
    assert all((TESTS.parent / file).is_file() for file in (*LONG, *DIVIDED))


@pytest.mark.parametrize(
    ("waiting", "first", "others"),
    [
        ((*REST, *LONG, *SYSTEM), SYSTEM[0], LONG[0]),
        ((*REST, LONG[1], *SYSTEM[2:]), SYSTEM[2], LONG[1]),
        ((*PARTS, *REST), REST[0], REST[0]),
        (PARTS, PARTS[0], PARTS[0]),
        ((*PARTS, *SYSTEM), SYSTEM[0], PARTS[0]),
        (SYSTEM[1:4], SYSTEM[1], SYSTEM[3]),
    ],
)
def test_the_first_worker_begins_with_the_system_and_the_others_with_the_rest(
    waiting: tuple[str, ...], first: str, others: str
) -> None:
    assert next_scope(waiting, is_first=True) == first
    assert next_scope(waiting, is_first=False) == others


def test_a_file_stays_together_unless_its_tests_share_nothing() -> None:
    assert scope_of("tests/a.py::test_one[a::b]") == "tests/a.py"
    assert scope_of(PARTS[0]) == PARTS[0]
