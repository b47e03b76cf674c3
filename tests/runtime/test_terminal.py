"""Tables on a terminal are folded within its width; piped, each row is one whole line without colours."""

import os
import re
import subprocess
import sys

import pytest

from memesnipe.runtime.terminal import print_rows, print_table, print_view, text_of
from tests.terminal import SPAWN

MINT = "9BB6NFEcjBCtnNLFko2FqVQBq8HHM13kCyYcdQbgpump"
LONG = " ".join(["word"] * 60)
SHOW = (
    "from memesnipe.runtime.terminal import print_paragraphs, print_rows\n"
    f"print_rows('a title of [bold] [1m words', ('spec_id', 'mint', 'why'), [('1a2b', '{MINT}', '{LONG}')])\n"
    f"print_paragraphs('1a2b', {{'buys': '{LONG}'}})\n"
)


def in_terminal(columns: int) -> list[str]:
    """Return what a terminal of a width shows."""
    environment = os.environ | {"COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-c", SPAWN, sys.executable, "-c", SHOW]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout).splitlines()


def test_a_terminal_of_40_columns_shows_everything_within_its_width() -> None:
    lines = in_terminal(40)
    assert max(map(len, lines)) <= 40
    shown = "".join(lines)
    assert "\u2026" not in shown
    assert shown.count("word") == 120 + 1, "each word of the table and of the paragraph, and that of the title"
    assert MINT in "".join(line[9:23] for line in lines).replace(" ", ""), "folded, not cut"


def test_a_piped_row_is_one_whole_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows("title", ("spec_id", "why"), [("1a2b3c", LONG), ("1", "[red]\x1b[31m:key:")])
    assert capsys.readouterr().out.splitlines() == [
        "title",
        "spec_id  why",
        f"1a2b3c   {LONG}",
        r"1        [red]\x1b[31m:key:",
    ]


def test_a_piped_view_is_neither_folded_nor_coloured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.table import Table
    from rich.text import Text

    monkeypatch.setenv("COLUMNS", "40")
    table = Table("name", "why", box=None)
    table.add_row(Text("a", "red"), LONG)
    print_view(table)
    _, row = capsys.readouterr().out.splitlines()
    assert row.split(maxsplit=1) == ["a", LONG]


def test_names_are_those_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("momentum_5m", {"total_pnl_usd": -6.62, "rejected_because": {"bad_price": 2}, "halted": False})
    assert capsys.readouterr().out.splitlines() == [
        "momentum_5m",
        "total_pnl_usd     -6.62",
        "rejected_because  bad_price 2",
        "halted            no",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), ("", "-"), ([], "-"), ({}, "-"), (True, "yes"), (2501, "2501"), (["a", "b"], "a, b"),
        (10_000.0, "10,000.00"), (-6.6182, "-6.618"), (13.72, "13.72"), (0.0066182, "0.006618"), (0.0, "0.00"),
        (1e-12, "0.00"), (float("nan"), "nan"), ({"a_b": 1.5, "c": None}, "a_b 1.50, c -"),
    ],
)  # fmt: skip
def test_values_are_written_with_the_digits_that_matter(value: object, text: str) -> None:
    assert text_of(value) == text
