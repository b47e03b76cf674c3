"""The framework of the fuzzers: one file for each kind of input.

A target is a hypothesis test with the decorator `fuzz`. It passes mutated input to the real function and checks the
invariant: input is either accepted, and then usable everywhere, or rejected with an error of one line. `make test` runs
the same 150 cases of each target every time; `make fuzz` runs FUZZ_CASES new ones.
"""

import os
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from memesnipe.errors import InputError

CASES: Final = int(os.environ.get("FUZZ_CASES", "150"))

fuzz: Final = settings(
    max_examples=CASES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def one_line(error: InputError) -> str:
    """Return the text of an error, which must be one printable line, with exit code 2."""
    text = str(error)
    assert error.exit_code == 2
    assert text.strip()
    assert text.isprintable(), repr(text)
    return text


@dataclass(frozen=True)
class Mutation:
    """A change of file content of any length."""

    kind: str
    position: float  # from 0 to 1
    length: int
    put: bytes
    bits: list[float]

    def of(self, content: bytes) -> bytes:
        """Return the changed bytes."""
        start = int(self.position * len(content))
        end = start + self.length
        if self.kind == "flip":
            changed = bytearray(content)
            for bit in (int(b * 8 * len(content)) for b in self.bits if content):
                changed[bit // 8] ^= 1 << bit % 8
            return bytes(changed)
        return {
            "cut": content[:start],
            "remove": content[:start] + content[end:],
            "repeat": content[:end] + content[start:],
            "overwrite": content[:start] + self.put + content[start + len(self.put) :],
            "insert": content[:start] + self.put + content[start:],
        }[self.kind]


_POSITION: Final = st.floats(0, 1, exclude_max=True)
MUTATIONS: Final = st.builds(
    Mutation,
    st.sampled_from(["flip", "flip", "cut", "remove", "repeat", "overwrite", "insert"]),
    _POSITION,
    st.integers(1, 64),
    st.binary(min_size=1, max_size=16),
    st.lists(_POSITION, min_size=1, max_size=4),
)


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
