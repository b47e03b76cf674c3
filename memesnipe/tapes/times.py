"""Units of time, derived from the magnitude: between 2020 and now times in s, ms, us and ns do not overlap."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.errors import TapeError
from memesnipe.market.events import NS_PER_S
from memesnipe.market.plausible import OLDEST_TS
from memesnipe.market.record_rules import MAX_AHEAD_NS
from memesnipe.tapes.columns import Reasons, are_odd

NS_PER_UNIT: Final = {"s": NS_PER_S, "ms": 1_000_000, "us": 1_000, "ns": 1}


def to_ns(
    values: NDArray[np.int64], name: str, reasons: Reasons, now_ns: int, only: str = "", label: str = ""
) -> tuple[NDArray[np.int64], str]:
    """Convert times to ns, shape (n,); return them and their unit; reject rows before 2020 or after tomorrow.

    The unit is that of the overwhelming majority; rows in another one are rejected.

    Args:
        values: values of the column, shape (n,), not negative; rows with a reason are ignored.
        name: name of the column for messages.
        reasons: updated with the rejected rows.
        now_ns: the clock.
        only: the unit, if it is known.
        label: the unit of the file, if these are converted times: "iso" for dates.

    Raises:
        TapeError: the times have more than one unit without such a majority, or none of them is plausible in any unit.
    """
    latest = now_ns + MAX_AHEAD_NS
    good = reasons.is_good
    units = {only: NS_PER_UNIT[only]} if only else NS_PER_UNIT
    fits = {unit: good & (values >= OLDEST_TS // ns) & (values <= latest // ns) for unit, ns in units.items()}
    found = [unit for unit, mask in fits.items() if mask.any()]
    counts = {unit: int(fits[unit].sum()) for unit in found}
    most = max(found, key=lambda unit: counts[unit], default="")
    if len(found) > 1 and are_odd(sum(counts.values()) - counts[most], counts[most]):
        for unit in found:
            if unit != most:
                reasons.reject(fits[unit], f"time {name} is in {unit}, where most rows are in {most}")
        good, found = reasons.is_good, [most]
    if len(found) > 1:
        rows = (f"row {int(np.flatnonzero(fits[unit])[0]) + 1} in {unit}" for unit in found)
        hint = "" if ":" in name else f"; choose one with --map ts={name}:{most}, and the others are left out"
        raise TapeError(f"{name} mixes units of time: {', '.join(rows)}{hint}")
    if not found:
        if not good.any():
            return np.zeros(len(values), np.int64), ""
        shown = int(values[np.flatnonzero(good)[0]])
        raise TapeError(f"{name} is {shown}: before 2020 or after tomorrow in {label or only or 's, ms, us and ns'}")
    (unit,) = found
    ns = NS_PER_UNIT[unit]
    where = "" if label == "iso" else f", in {label or unit}"
    reasons.reject(good & (values < OLDEST_TS // ns), f"time {name} is before 2020{where}")
    reasons.reject(good & (values > latest // ns), f"time {name} is after tomorrow{where}")
    return np.where(fits[unit], values, OLDEST_TS // ns) * ns, unit
