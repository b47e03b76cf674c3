"""Detectors of strategies that have lost their edge, fed by the round trips of the desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from memesnipe.protocol.messages import RoundTripSeen
from memesnipe.stats.betting import BETTING_ACCOUNT, MAX_OPEN
from memesnipe.stats.e_detector import EDetectors
from memesnipe.stats.trade_log import TradeLog

MAX_GAIN: Final = 1.0  # a larger return counts as this


@dataclass(slots=True)
class DetectorState:
    """The detectors as plain data."""

    spec_ids: list[str] = field(default_factory=list)
    required_means: list[float] = field(default_factory=list)
    accounts: bytes = b""


class Detectors:
    """A detector for each strategy on a desk: evidence that the mean return is below what it must be."""

    def __init__(self) -> None:
        self._spec_ids: list[str] = []
        self._detectors = EDetectors(MAX_GAIN)

    def start(self, spec_id: str, required_mean: float) -> None:
        """Watch a strategy whose mean return must be at least ``required_mean``; one that is watched starts again."""
        self.stop(spec_id)
        self._detectors.add([min(required_mean, MAX_GAIN / 2)])
        self._spec_ids.append(spec_id)

    def stop(self, spec_id: str) -> None:
        """Forget a strategy; one that is not watched has no effect."""
        if spec_id in self._spec_ids:
            row = self._spec_ids.index(spec_id)
            self._detectors.remove([row])
            del self._spec_ids[row]

    def apply(self, seen: Sequence[RoundTripSeen]) -> None:
        """Apply round trips of the desks in order; those of strategies that are not watched have no effect."""
        row_of = {spec_id: row for row, spec_id in enumerate(self._spec_ids)}
        known = self._without_excess([one for one in seen if one.spec_id in row_of], row_of)
        if known:
            rows = [row_of[one.spec_id] for one in known]
            values = [0.0 if one.value is None else one.value for one in known]
            is_opening = [one.value is None for one in known]
            self._detectors.apply(TradeLog.of(rows, [one.position for one in known], is_opening, values))

    def _without_excess(self, seen: Sequence[RoundTripSeen], row_of: Mapping[str, int]) -> list[RoundTripSeen]:
        """Return the round trips without openings beyond MAX_OPEN: a strategy holds more where exits are refused."""
        open_by_row: dict[int, set[int]] = {}
        kept = []
        for one in seen:
            row = row_of[one.spec_id]
            if row not in open_by_row:
                open_by_row[row] = set(self._detectors.open_tokens(row))
            positions = open_by_row[row]
            if one.value is not None:
                positions.discard(one.position)
            elif len(positions) < MAX_OPEN and one.position not in positions:
                positions.add(one.position)
            else:
                continue
            kept.append(one)
        return kept

    def value_of(self, spec_id: str) -> float:
        """Return the evidence against a strategy; 1 without any."""
        if spec_id not in self._spec_ids:
            return 1.0
        return float(self._detectors.values[self._spec_ids.index(spec_id)])

    def dump(self) -> DetectorState:
        """Return the state."""
        arrays = self._detectors.dump()
        return DetectorState(list(self._spec_ids), arrays["required_means"].tolist(), arrays["accounts"].tobytes())

    def load(self, state: DetectorState) -> None:
        """Continue from a state of `dump`."""
        self._spec_ids = list(state.spec_ids)
        accounts = np.frombuffer(state.accounts, BETTING_ACCOUNT).copy()
        self._detectors.load({"accounts": accounts, "required_means": np.array(state.required_means)})
