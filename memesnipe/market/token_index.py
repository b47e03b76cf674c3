"""The token index of a run or a tape: mints numbered in order of first appearance."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from memesnipe.market.events import NO_TOKEN


@dataclass(slots=True)
class TokenIndex:
    """Numbers mints in order of appearance, after those already known."""

    mints: list[str] = field(default_factory=list)
    _index: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self._index = {mint: i for i, mint in enumerate(self.mints)}

    def of(self, mint: str | None) -> int:
        """Return the token of a mint, added if new; NO_TOKEN for an event of the whole market, which has no mint."""
        if not mint:
            return NO_TOKEN
        if mint not in self._index:
            self._index[mint] = len(self.mints)
            self.mints.append(mint)
        return self._index[mint]

    def of_column(self, column: Any) -> NDArray[np.int32]:
        """Return the token of each row of an Arrow column of mints, shape (rows,)."""
        encoded = column.dictionary_encode()  # in order of first appearance
        tokens = [self.of(mint) for mint in encoded.dictionary.to_pylist()]
        chosen: NDArray[np.int32] = np.array(tokens, dtype=np.int32)[
            np.from_dlpack(encoded.indices)
        ]  # `to_numpy` loads pandas
        return chosen
