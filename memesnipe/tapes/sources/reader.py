"""Reading of a file of any format as a table: delimited text, JSON, JSON by lines or Parquet, plain or compressed."""

from collections.abc import Callable, Collection
from pathlib import Path

from memesnipe.tapes.files import as_text, read_content
from memesnipe.tapes.layouts import PLAIN, RAW
from memesnipe.tapes.sources.json_rows import read_json
from memesnipe.tapes.sources.parquet_rows import MAGIC, read_parquet
from memesnipe.tapes.table import Table, read_table


def read_source(path: Path, known: Collection[str], accepts: Callable[[list[str]], bool]) -> Table:
    """Read a file; its format is recognised by its content, not by its name.

    Args:
        path: the file.
        known: names of columns in lower case; the delimiter that shows most of them separates the columns.
        accepts: whether the names of a header are those of a layout; without it every JSON and Parquet file is read.

    Raises:
        TapeError: the file cannot be read, or is text whose header matches no layout.
    """
    data = read_content(path)
    if data.startswith(MAGIC):
        return read_parquet(path, data)
    text = as_text(path, data)
    if text.lstrip()[:1] in {b"{", b"["}:
        return read_json(path, text)
    return read_table(path, text, (RAW, PLAIN), known=known, accepts=accepts)
