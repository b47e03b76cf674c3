"""Times in text: ISO 8601 dates, and seconds, milliseconds or microseconds with a fraction, as whole numbers."""

from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from memesnipe.tapes.columns import Reasons, are_odd, strings

# Years from 1970 to 2099: later ones do not fit into 64 bits of nanoseconds.
_ISO: Final = (
    r"^(19[7-9][0-9]|20[0-9]{2})-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
    r"( ?(UTC|Z|[+-][0-9]{2}:?[0-9]{2}))?)?$"
)
_FRACTION: Final = r"^[0-9]{10,16}\.[0-9]*[1-9][0-9]*$"
_TEXT: Final = r"[/:]|[A-DF-Za-df-z]"  # in no number
_DIGITS: Final = {10: "s", 13: "ms", 16: "us"}  # of times since 2001
_NS_DIGITS: Final = 19  # of a time since 2001


def whole_stamps(column: Any, name: str, unit: str, reasons: Reasons) -> tuple[Any, str]:
    """Return times as whole numbers in text; in ns if the second value, the unit of the file, is not "".

    Args:
        column: trimmed strings.
        name: name of the column for reasons.
        unit: the unit that the user chose, or "".
        reasons: updated with the rows whose date does not exist, and those in another form than the other rows.
    """
    if unit not in {"", "iso"}:
        return _without_fractions(column, name, unit, reasons)
    is_iso = strings(column, _ISO)
    if unit == "iso" or is_iso.mean() > 0.5:
        reasons.reject(~is_iso & ~_is_empty(column), f"time {name} is not a date like 2025-09-13T16:53:15Z")
        ns, exists = _ns(column, is_iso)
        reasons.reject(is_iso & ~exists, f"time {name} is a date that does not exist")
        return pc.if_else(pa.array(exists), pa.array(ns).cast(pa.string()), ""), "iso"
    is_text = strings(column, _TEXT)
    reasons.reject(is_text, f"time {name} is neither a date like 2025-09-13T16:53:15Z nor a number")
    return _without_fractions(pc.if_else(pa.array(is_text), "", column), name, "", reasons)


def _is_empty(column: Any) -> NDArray[np.bool_]:
    return strings(column, "^$")


def _ns(column: Any, is_iso: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return dates in ns since 1970, shape (n,), UTC unless they name a zone, and which of them exist."""
    text = pc.replace_substring_regex(pc.if_else(pa.array(is_iso), column, ""), r" ?(UTC|Z)$", "")
    text = pc.replace_substring_regex(text, r" ([+-])", r"\1")
    parsed = pd.Series(pd.to_datetime(text.to_pandas(), format="ISO8601", utc=True, errors="coerce"))
    exists = parsed.notna().to_numpy()
    ns = np.where(exists, parsed.dt.as_unit("ns").astype("int64").to_numpy(), 0)
    return ns.astype(np.int64), np.asarray(exists)


def _without_fractions(column: Any, name: str, unit: str, reasons: Reasons) -> tuple[Any, str]:
    """Return times with a fraction of their unit in ns, as exact decimal text; times of several units are unchanged.

    The unit is that of the overwhelming majority; rows in another one are rejected.
    """
    if not strings(column, _FRACTION).any():
        return column, ""
    is_number = strings(column, r"^[0-9]{10,16}(\.[0-9]*)?$")
    whole = pc.replace_substring_regex(column, r"\..*$", "")
    digits_of = pc.utf8_length(whole).to_numpy(zero_copy_only=False)
    lengths, counts = np.unique(digits_of[is_number], return_counts=True)
    most = int(np.argmax(counts))
    found = _DIGITS.get(int(lengths[most]), "")
    others = is_number & (digits_of != lengths[most])
    if not found or unit not in {"", found} or not are_odd(int(others.sum()), int(counts[most])):
        return column, ""
    reasons.reject(others, f"time {name} is not in {found}, where most rows are")
    is_number &= ~others
    fraction = pc.replace_substring_regex(column, r"^[0-9]*\.?", "")
    digits = pc.utf8_slice_codeunits(pc.binary_join_element_wise(whole, fraction, "000000000", ""), 0, _NS_DIGITS)
    return pc.if_else(pa.array(is_number), digits, column), found
