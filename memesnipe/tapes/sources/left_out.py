"""The rows of a file that are not on its tape, each with its reason."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from memesnipe.errors import InputError
from memesnipe.tapes.columns import Reasons
from memesnipe.tapes.table import Table

_SHOWN: Final = 60  # characters of a value in a message


class LeftOut:
    """Rows left out, with their reasons in the order of discovery."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._rows: list[NDArray[np.int64]] = []
        self._reasons: list[str] = []
        self._is_duplicate: list[bool] = []

    def add(self, reasons: Reasons, rows: NDArray[np.int64]) -> None:
        """Add the rejected swaps.

        Args:
            reasons: of the swaps, shape (n,).
            rows: the row of the file of each swap, shape (n,).
        """
        for code, text in enumerate(reasons.texts):
            chosen = reasons.codes == code
            if code and chosen.any():
                self._append(rows[chosen], text, is_duplicate=False)

    def add_duplicates(self, rows: NDArray[np.int64], by: str) -> None:
        """Add rows that repeat an earlier one, which has the same values in the columns ``by``."""
        if len(rows):
            self._append(rows, f"duplicate of another row (by {by})", is_duplicate=True)

    def _append(self, rows: NDArray[np.int64], reason: str, *, is_duplicate: bool) -> None:
        self._rows.append(rows)
        self._reasons.append(reason)
        self._is_duplicate.append(is_duplicate)

    def counts(self) -> dict[str, int]:
        """Return the number of rejected swaps by reason, the most frequent first; duplicates are counted elsewhere."""
        found: dict[str, int] = {}
        for rows, reason, is_duplicate in zip(self._rows, self._reasons, self._is_duplicate, strict=True):
            if not is_duplicate:
                found[reason] = found.get(reason, 0) + len(rows)
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def rows(self, reason: str, limit: int) -> list[int]:
        """Return the first rows with a reason, counted from 1 as `write` does, at most ``limit``."""
        parts = [rows for rows, text in zip(self._rows, self._reasons, strict=True) if text == reason]
        found: list[int] = (np.unique(np.concatenate(parts))[:limit] + 1).tolist()
        return found

    def first(self) -> str:
        """Return the first row left out, with the values of its columns that are not empty."""
        row = min(int(rows.min()) for rows in self._rows if len(rows))
        values = ((name, column[row].as_py()) for name, column in self._table.columns.items())
        text = ", ".join(f"{name} {str(value)[:_SHOWN]!r}" for name, value in values if value not in ("", None))
        return f"row {row + 1} has {text[: 4 * _SHOWN] or 'no value'}"

    def write(self, path: Path) -> int:
        """Write ``row,reason`` and the columns of the file for every row left out; return their number.

        Rows count from 1, without the header and without empty lines. A candle whose trades were rejected is written
        once for each reason.

        Raises:
            InputError: the file cannot be written.
        """
        rows = np.concatenate([*self._rows, np.empty(0, np.int64)])
        reasons = np.repeat(np.arange(len(self._rows)), [len(part) for part in self._rows])
        pairs = np.unique(np.stack([rows, reasons], axis=1), axis=0)
        chosen = pa.array(pairs[:, 0], pa.int64())
        columns: dict[str, Any] = {
            "row": pa.array(pairs[:, 0] + 1, pa.int64()),
            "reason": pa.array(self._reasons, pa.string()).take(pa.array(pairs[:, 1], pa.int64())),
        }
        for name, column in self._table.columns.items():
            columns[f"file_{name}" if name in columns else name] = column.take(chosen)
        partial = path.with_name(path.name + ".partial")
        try:
            arrow_csv.write_csv(pa.table(columns), partial)
            partial.replace(path)
        except OSError as error:
            raise InputError(f"--rejects {path}: cannot be written: {error.strerror or error}") from error
        return len(pairs)
