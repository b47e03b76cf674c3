"""The table of streams in the documentation is the one in the code."""

from pathlib import Path

from memesnipe.protocol.topology import table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"


def test_the_page_has_the_table_of_the_code() -> None:
    assert table() in PAGE.read_text(), (
        "run: python -m memesnipe.protocol.topology, and put it into docs/architecture.md"
    )
