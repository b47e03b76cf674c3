"""Conversion of columns of strings to numbers, with the reason for each row that cannot be converted."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from memesnipe.errors import TapeError

Mask = NDArray[np.bool_]
MAJORITY: Final = 20  # rows of one form for each row of another that is an exception
_DIGITS: Final = 19  # every integer of so many digits fits into unsigned 64 bits
_WHOLE: Final = r"^\+?[0-9]+(\.0*)?$"  # including integers written as floats: 95.0
_NUMBER: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_NOT_FINITE: Final = r"(?i)^[+-]?(inf|infinity|nan)$"
_UNCLEAR: Final = "the comma may separate decimals or thousands"
_GROUPED: Final = r"^[+-]?[0-9]{1,3}([,.' \x{00a0}\x{202f}][0-9]{3})+([.,][0-9]*)?$"
_DECIMAL_COMMA: Final = r"^[+-]?[0-9]+,[0-9]+$"
_THOUSANDS: Final = r"^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+$"


@dataclass(slots=True)
class Reasons:
    """The first reason why each row cannot be used: shape (n,), 0 for a usable row."""

    codes: NDArray[np.int32]
    texts: list[str] = field(default_factory=lambda: [""])

    @property
    def is_good(self) -> Mask:
        """Mask of the rows without a reason, shape (n,)."""
        return np.asarray(self.codes == 0)

    def reject(self, bad: Any, text: str) -> None:
        """Set this reason for the given rows without one."""
        chosen = np.asarray(bad) & (self.codes == 0)
        if chosen.any():
            if text not in self.texts:
                self.texts.append(text)
            self.codes[chosen] = self.texts.index(text)

    def counts(self) -> dict[str, int]:
        """Return the number of rows by reason, the maximum frequent first."""
        counts = np.bincount(self.codes, minlength=len(self.texts))
        found = {text: int(counts[code]) for code, text in enumerate(self.texts) if code and counts[code]}
        return dict(sorted(found.items(), key=lambda item: -item[1]))


def strings(column: Any, pattern: str) -> Mask:
    """Return whether each string matches a pattern, shape (n,)."""
    return np.asarray(pc.match_substring_regex(column, pattern).to_numpy(zero_copy_only=False))


def integers(
    column: Any, name: str, reasons: Reasons, *, maximum: int, minimum: int = 0, empty: int | None = None
) -> NDArray[np.int64]:
    """Convert a column to integers, shape (n,); rejected rows read as ``minimum``.

    Args:
        column: trimmed strings.
        name: the name of the column in reasons.
        reasons: updated with the rejected rows.
        maximum: the largest number allowed.
        minimum: the smallest number allowed, not negative.
        empty: the value of an empty field; None to reject it.
    """
    is_whole = strings(column, _WHOLE)
    is_empty = np.asarray(pc.equal(column, "").to_numpy(zero_copy_only=False))
    if empty is None:
        reasons.reject(is_empty, f"{name} is empty")
    _reject_non_numbers(column, ~is_whole & ~is_empty, name, reasons, whole=True)
    digits = pc.replace_substring_regex(column, r"^\+?0*([0-9]*)(\.0*)?$", r"\1") if is_whole.any() else column
    lengths = np.asarray(pc.utf8_length(digits).to_numpy(zero_copy_only=False))
    fits = is_whole & (lengths <= _DIGITS)
    values = np.full(len(is_whole), minimum if empty is None else empty, dtype=np.uint64)
    readable = pc.if_else(pa.array(fits & (lengths > 0)), digits, "0")
    values[fits] = pc.cast(readable, pa.uint64()).to_numpy(zero_copy_only=False)[fits]
    too_large = is_whole & (~fits | (values > maximum))
    reasons.reject(too_large, f"{name} is too large (at most {maximum:,})")
    too_small = fits & (values < minimum)
    reasons.reject(too_small, f"{name} is below {minimum:,}")
    values[too_large | too_small] = minimum
    return values.astype(np.int64)


def scaled(column: Any, name: str, reasons: Reasons, *, scale: Any, maximum: int) -> NDArray[np.int64]:
    """Convert a column of non-negative decimal numbers to smallest units, shape (n,); rejected rows read as 0.

    Args:
        column: trimmed strings.
        name: the name of the column in reasons.
        reasons: updated with the rejected rows.
        scale: smallest units per whole unit; a number, or shape (n,).
        maximum: the largest number of smallest units allowed.
    """
    is_number = strings(column, _NUMBER)
    _reject_non_numbers(column, ~is_number, name, reasons, whole=False)
    readable = pc.if_else(pa.array(is_number), column, "0")
    readable = pc.replace_substring_regex(readable, r"^\+", "") if strings(readable, r"^\+").any() else readable
    values = pc.cast(readable, pa.float64()).to_numpy(zero_copy_only=False)
    reasons.reject(values < 0, f"{name} is negative")
    with np.errstate(over="ignore"):  # infinite values are then too large
        units = np.rint(values * scale)
    reasons.reject(units > maximum, f"{name} is too large (at most {maximum / np.min(scale):,.15g})")
    return np.where((units >= 0) & (units <= maximum), units, 0).astype(np.int64)


def _reject_non_numbers(column: Any, bad: Mask, name: str, reasons: Reasons, *, whole: bool) -> None:
    if not bad.any():
        return
    reasons.reject(bad & np.asarray(pc.equal(column, "").to_numpy(zero_copy_only=False)), f"{name} is empty")
    reasons.reject(bad & strings(column, _NOT_FINITE), f"{name} is not a finite number")
    is_number = strings(column, _NUMBER)
    if whole:
        reasons.reject(bad & is_number & strings(column, "^-"), f"{name} is negative")
        reasons.reject(bad & is_number, f"{name} is not a whole number")
    reasons.reject(bad & strings(column, _GROUPED), f"{name} has separators of thousands: write 1234.5 for 1,234.5")
    reasons.reject(
        bad & strings(column, _DECIMAL_COMMA),
        f"{name} looks like a decimal comma: write 1.5 for 1,5, or separate the columns by semicolons",
    )
    reasons.reject(bad, f"{name} is not a number")


def are_odd(few: int, others: int) -> bool:
    """Return whether so few rows are exceptions that say nothing about a file: one in 21 at most."""
    return few * MAJORITY <= others


def with_decimal_points(columns: dict[str, Any], delimiter: str, reasons: Reasons) -> tuple[dict[str, Any], bool]:
    """Replace decimal commas of numeric columns by points; return the columns and whether there were any.

    The overwhelming majority of the rows decides; a row with the other mark is rejected, never interpreted.

    Args:
        columns: trimmed strings by name.
        delimiter: of the file.
        reasons: updated with the rejected rows.

    Raises:
        TapeError: commas may separate decimals or thousands, and the file does not determine which.
    """
    if delimiter == ",":
        return columns, False
    commas = {name: strings(column, ",") for name, column in columns.items()}
    if not any(mask.any() for mask in commas.values()):
        return columns, False
    points = {name: strings(column, r"\.") for name, column in columns.items()}
    with_comma, with_point = _in_a_column(commas), _in_a_column(points)
    if with_point.any() and are_odd(int(with_comma.sum()), int((with_point & ~with_comma).sum())):
        _reject_marked(commas, "a comma", "decimal points", reasons)
        return columns, False
    # Rows with a point too do not show what a comma alone is.
    may_be_thousands = all(
        strings(pc.if_else(pa.array(commas[name] & ~with_point), column, "1,000"), _THOUSANDS).all()
        for name, column in columns.items()
    )
    if not with_point.any() and may_be_thousands and are_odd(int(with_comma.sum()), int((~with_comma).sum())):
        _reject_marked(commas, "a comma", "none: it may separate decimals or thousands", reasons)
        return columns, False
    if may_be_thousands or (
        with_point.any() and not are_odd(int(with_point.sum()), int((with_comma & ~with_point).sum()))
    ):
        raise _ambiguous(columns, commas, points)
    _reject_marked(points, "a point", "decimal commas", reasons)
    return {name: pc.replace_substring(column, ",", ".") for name, column in columns.items()}, True


def _in_a_column(masks: dict[str, Mask]) -> Mask:
    return np.asarray(np.logical_or.reduce(list(masks.values())))


def _reject_marked(masks: dict[str, Mask], mark: str, others: str, reasons: Reasons) -> None:
    for name, mask in masks.items():
        reasons.reject(mask, f"{name} has {mark}, where most rows have {others}")


def _ambiguous(columns: dict[str, Any], commas: dict[str, Mask], points: dict[str, Mask]) -> TapeError:
    """Return the error of a file whose commas cannot be read, with a value, and with one that has a point."""
    name, shown = _first(columns, commas)
    why = _UNCLEAR
    if any(mask.any() for mask in points.values()):
        other, with_point = _first(columns, points)
        why = f"with points too ({other} is {with_point!r}) {_UNCLEAR}"
    return TapeError(f"{name} is {shown!r}: {why}; write decimal points")


def _first(columns: dict[str, Any], masks: dict[str, Mask]) -> tuple[str, str]:
    """Return the first column with a marked row, and the value there."""
    name = next(name for name, mask in masks.items() if mask.any())
    return name, columns[name][int(np.flatnonzero(masks[name])[0])].as_py()[:40]
