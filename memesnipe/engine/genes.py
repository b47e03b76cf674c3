"""The distinct genes of a population: each votes once, whatever number of strategies shares it.

Two genes are the same if family, parameters and states are. That is so for strategies that join with equal parameters
and no event in between, and it stays so, because the same events change equal states alike.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.engine.layout import GENE
from memesnipe.engine.state_pool import StatePool
from memesnipe.sdk.loops import loop_of

_Key = tuple[int, bytes, bytes]
_NOTHING: Final = np.zeros(0, np.uint8)


@dataclass(slots=True)
class Genes:
    """The genes in use, counted by strategy; a free record has the code 0."""

    slots: int  # token slots, of which every state has at least as many
    records: NDArray[Any] = field(default_factory=lambda: np.zeros(0, GENE))
    # For each record: the parameters, the states of all slots, and how many strategies have the gene.
    params: list[NDArray[Any]] = field(default_factory=list)
    states: list[NDArray[Any]] = field(default_factory=list)
    uses: list[int] = field(default_factory=list)
    masks: list[int] = field(default_factory=list)  # the distinct sets of event kinds that genes subscribe to
    _free: list[int] = field(default_factory=list)
    _fresh: dict[_Key, int] = field(default_factory=dict)  # genes that have seen no event here, which can be shared
    _pool: StatePool = field(default_factory=StatePool)
    _params_pool: StatePool = field(default_factory=StatePool)  # each in one cache line if it fits

    def __len__(self) -> int:
        return len(self.states)

    def add(self, family: Any, values: dict[str, float], saved: NDArray[np.uint8] = _NOTHING) -> int:
        """Add a strategy's gene; return its index.

        Args:
            family: of the gene.
            values: of the parameters; missing ones have their default, others are clipped to their range.
            saved: the states of the first slots from a snapshot; without it they are empty.
        """
        params = np.zeros(1, family.param_dtype())
        params[0] = tuple(p.clip(values.get(name, p.default)) for name, p in family.params.items()) or (0.0,)
        code = loop_of(family.__class__).address
        key = (code, params.tobytes(), blake2b(saved.tobytes()).digest() if len(saved) else b"")
        gene = self._fresh.get(key)
        if gene is None:
            gene = self._fresh[key] = self._make(family, code, params, saved)
        self.uses[gene] += 1
        return gene

    def _make(self, family: Any, code: int, params: NDArray[Any], saved: NDArray[np.uint8]) -> int:
        gene = self._free.pop() if self._free else self._extend()
        mask = sum(1 << kind for kind in set(family.subscriptions))
        if mask not in self.masks:
            self.masks.append(mask)
        kept = self._params_pool.take(1, params.dtype)
        kept[:] = params
        states = self._pool.take(self.slots, family.state_dtype())
        states.view(np.uint8)[: len(saved)] = saved
        self.params[gene], self.states[gene] = kept, states
        self.records[gene] = (code, kept.ctypes.data, states.ctypes.data, states.itemsize, self.masks.index(mask))
        return gene

    def _extend(self) -> int:
        if len(self) == len(self.records):
            # Grow by a share of the size, so that adding genes one by one seldom copies the records.
            records = np.zeros(max(2 * len(self), 8), GENE)
            records[: len(self)] = self.records
            self.records = records
        self.params.append(_NOTHING)
        self.states.append(_NOTHING)
        self.uses.append(0)
        return len(self) - 1

    def release(self, gene: int) -> None:
        """Remove a strategy's gene; the last strategy's removal frees it."""
        self.uses[gene] -= 1
        if self.uses[gene]:
            return
        if len(self.states[gene]) == self.slots:
            self._pool.release(self.states[gene])
        self._params_pool.release(self.params[gene])
        self.params[gene] = self.states[gene] = _NOTHING
        self.records[gene] = np.zeros(1, GENE)[0]
        self._free.append(gene)
        self._fresh = {key: index for key, index in self._fresh.items() if index != gene}

    def settle(self) -> None:
        """Share no present gene with strategies that join later: events change its states from now on."""
        self._fresh.clear()

    def widen(self, slots: int) -> None:
        """Let every state that is made from now on have ``slots`` slots; `grow` the earlier ones."""
        self.slots, self._pool = slots, StatePool()

    def grow(self, gene: int) -> None:
        """Grow a gene's states to the present number of slots."""
        old = self.states[gene]
        if 0 < len(old) < self.slots:
            states = self._pool.take(self.slots, old.dtype)
            states[: len(old)] = old
            self.states[gene] = states
            self.records[gene]["states"] = states.ctypes.data

    @property
    def wide_kinds(self) -> int:
        """All event kinds that any gene subscribes to, as bits."""
        kinds = 0
        for mask in self.masks:
            kinds |= mask
        return kinds
