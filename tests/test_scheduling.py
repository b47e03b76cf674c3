from pathlib import Path

import pytest

from tests.scheduling import DIVIDED, LONG, SYSTEM, next_scope, scope_of

TESTS = Path(__file__).parent
REST = ("tests/a.py", "tests/b.py")
PARTS = (f"{DIVIDED[0]}::test[0]", f"{DIVIDED[0]}::test[1]")


def test_every_file_with_tests_of_the_system_is_listed() -> None:
    """Those that `make test` leaves out as a whole need no place."""
    texts = {path: path.read_text() for path in TESTS.rglob("test_*.py") if path != Path(__file__)}
    marked = {
        path
        for path, text in texts.items()
        if "mark.system" in text and "pytest.mark.system, pytest.mark.long" not in text
    }
    assert {TESTS.parent / file for file in SYSTEM} == marked
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
