"""Validation: the rules of `memesnipe.market.record_rules`, applied to whole arrays of records at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.market.events import FIELDS, KIND_NAMES, NO_TOKEN, PRICE, SIDE_NAMES, VENUE_NAMES, Events
from memesnipe.market.plausible import FEE_BPS_BELOW, LAST_TS, OLDEST_TS
from memesnipe.market.record_rules import (
    ASSIGNED_BY_A_RUN,
    CATEGORIES,
    CODES,
    FEES,
    FUTURE,
    MALFORMED,
    MAX_AHEAD_NS,
    NEEDS_MINT,
    NUMBERS,
    OUT_OF_ORDER,
    OUT_OF_RANGE,
    TOO_OLD,
    Error,
    Number,
    error_of,
    is_mint,
    time_error,
)

_VALID: Final = 0  # else 1 + the index of the category
_NAMES: Final = {"kind": KIND_NAMES, "venue": VENUE_NAMES, "side": SIDE_NAMES}
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Findings:
    """The invalid records of an array, and the first rule that each of them breaks."""

    events: Events
    mints: Sequence[str]
    codes: NDArray[np.uint8]  # shape (n,): 0 for a valid record, else 1 + the index in CATEGORIES
    reached_ts: NDArray[
        np.int64
    ]  # shape (n + 1,): the time of the last valid record before each record, and of the last of all
    now_ns: int | None
    ahead_ns: int

    @property
    def last_ts(self) -> int:
        """The time of the last valid record, or the given ``last_ts`` if there is none."""
        return int(self.reached_ts[-1])

    @property
    def is_bad(self) -> Mask:
        """Mask of the records that break a rule, shape (n,)."""
        return np.asarray(self.codes != _VALID)

    def counts(self) -> dict[str, int]:
        """Return the number of invalid records by category."""
        counts = np.bincount(self.codes, minlength=len(CATEGORIES) + 1)[1:]
        return {category: int(count) for category, count in zip(CATEGORIES, counts, strict=True) if count}

    def first(self) -> tuple[int, str, str] | None:
        """Return index, category and message of the first invalid record; None if all are valid."""
        bad = np.flatnonzero(self.codes)
        return (int(bad[0]), self.category(int(bad[0])), self.message(int(bad[0]))) if len(bad) else None

    def category(self, index: int) -> str:
        """Return the category of a record's error; empty for a valid record."""
        code = int(self.codes[index])
        return CATEGORIES[code - 1] if code != _VALID else ""

    def message(self, index: int) -> str:
        """Return a record's error in one line that names the field; empty for a valid record."""
        error = self._error(index) if self.codes[index] != _VALID else None
        return error.message if error is not None else ""

    def _error(self, index: int) -> Error | None:
        event, count = self.events[index], len(self.mints)
        token = int(event["token"])
        broken = error_of(_message(event, self.mints))
        if not NO_TOKEN <= token < count and (broken is None or broken.message.startswith("mint ")):
            return Error(MALFORMED, f"token is {token}: there are {count} mints")
        ts, previous_ts = int(event["ts"]), int(self.reached_ts[index])
        return broken or time_error(ts, previous_ts, self.now_ns, self.ahead_ns)


def validate(
    events: Events,
    mints: Sequence[str],
    *,
    last_ts: int = 0,
    now_ns: int | None = None,
    ahead_ns: int = MAX_AHEAD_NS,
) -> Findings:
    """Apply every rule to every record.

    An invalid record does not affect the order of the others, as in the sequencer, which rejects it.

    Args:
        events: shape (n,), in the order of the tape.
        mints: the mint of each token index.
        last_ts: the time of the last accepted event before the first one, or 0.
        now_ns: the clock, or None to skip the check against it.
        ahead_ns: how far ahead of the clock an event may be.
    """
    codes = np.zeros(len(events), dtype=np.uint8)
    kinds = events["kind"]
    known = np.zeros(256, dtype=bool)
    known[list(FIELDS)] = True
    _mark(codes, slice(None), ~known[kinds], MALFORMED)
    is_valid_mint = np.array(
        [*(is_mint(mint) for mint in mints), True], dtype=bool
    )  # NO_TOKEN, -1, selects the last element
    for kind in FIELDS:
        of_kind = kinds == kind
        count = int(np.count_nonzero(of_kind))
        if not count:
            continue
        chosen: Any = slice(None) if count == len(events) else np.flatnonzero(of_kind)
        for bad, category in _broken(kind, events, chosen, is_valid_mint):
            _mark(codes, chosen, bad, category)
    ts = np.ascontiguousarray(events["ts"])
    _mark(codes, slice(None), ts < OLDEST_TS, TOO_OLD)
    _mark(codes, slice(None), ts > LAST_TS, FUTURE)
    reached_ts = _reached(ts, codes == _VALID, last_ts, now_ns, ahead_ns)
    _mark(codes, slice(None), ts < reached_ts[:-1], OUT_OF_ORDER)
    if now_ns is not None:
        _mark(codes, slice(None), ts > now_ns + ahead_ns, FUTURE)
    return Findings(events, mints, codes, reached_ts, now_ns, ahead_ns)


def _mark(codes: NDArray[np.uint8], chosen: Any, bad: Mask, category: str) -> None:
    """Assign the category to the chosen records that are invalid and have no category yet."""
    if bad.any():
        of_kind = codes[chosen]
        of_kind[bad & (of_kind == _VALID)] = 1 + CATEGORIES.index(category)
        codes[chosen] = of_kind


def _broken(kind: int, events: Events, chosen: Any, is_valid_mint: Mask) -> Iterator[tuple[Mask, str]]:
    """Yield for each rule of a kind, except those of time, which chosen records break it and the category."""
    for name, allowed in CODES[kind].items():
        yield ~np.isin(events[name][chosen], list(allowed)), MALFORMED
    fees_bps: Any = 0
    for number in NUMBERS[kind]:
        values = events[number.name][chosen]
        if number.name in FEES:
            fees_bps = fees_bps + values.astype(np.int64)
        if number.name != "ts":
            yield _outside(number, values), OUT_OF_RANGE
    if kind == PRICE:
        yield fees_bps >= FEE_BPS_BELOW, OUT_OF_RANGE
    tokens = events["token"][chosen]
    exists = (tokens >= NO_TOKEN) & (tokens < len(is_valid_mint) - 1)
    bad = ~exists | ~is_valid_mint[np.where(exists, tokens, NO_TOKEN)]
    yield bad | (tokens == NO_TOKEN) if kind in NEEDS_MINT else bad, MALFORMED


def _outside(number: Number, values: NDArray[Any]) -> Mask:
    # Comparisons with NaN are false, so NaN is in no range.
    inside = (values >= number.minimum) & (values <= number.maximum)
    if number.or_zero:
        inside |= values == 0
    return np.asarray(~inside, dtype=bool)


def _reached(ts: NDArray[np.int64], good: Mask, last_ts: int, now_ns: int | None, ahead_ns: int) -> NDArray[np.int64]:
    """Return the time of the last accepted record before each record, and of the last of all; shape (n + 1,).

    Among records that are valid except for their order, those accepted are the ones at the greatest time so far, so
    the time of the last accepted record is that greatest time.
    """
    if now_ns is not None:
        good = good & (ts <= now_ns + ahead_ns)
    reached: NDArray[np.int64] = np.maximum.accumulate(np.concatenate(([last_ts], np.where(good, ts, 0))))
    return reached


def _message(event: Any, mints: Sequence[str]) -> dict[str, Any]:
    """Return a record in the form of a feed's message; a code without a name stays a number."""
    kind = int(event["kind"])
    message = {name: event[name].item() for name in FIELDS.get(kind, ("kind",)) if name not in ASSIGNED_BY_A_RUN}
    for name, names in _NAMES.items():
        if name in message:
            message[name] = names.get(message[name], message[name])
    token = int(event["token"])
    if 0 <= token < len(mints):
        message["mint"] = mints[token]
    return message
