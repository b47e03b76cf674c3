"""The ids of entries: the number that the writer gave, and a seal over all that the entry says."""

from hashlib import blake2b
from typing import Final

_SEAL_BYTES: Final = 8  # an id is two integers of 64 bits
LAST: Final = 2**64 - 1  # no seal is beyond this one


class Seal:
    """Makes ids that nobody can make without the run's key, nor take for an entry that says something else.

    An entry is the writer's where its id is the one that this gives. Equal ids mean equal content.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._key = key

    def identifier(self, stream: str, number: int, seq: int | bytes, data: bytes) -> str:
        """The id of an entry; ``seq`` in decimal digits where it is bytes."""
        digits = seq if isinstance(seq, bytes) else b"%d" % seq
        said = b"%b %d %b " % (stream.encode(), number, digits)
        seal = blake2b(said + data, digest_size=_SEAL_BYTES, key=self._key).digest()
        return f"{number}-{int.from_bytes(seal)}"


def number_of(identifier: bytes) -> int:
    """The number in an id."""
    return int(identifier.split(b"-")[0])
