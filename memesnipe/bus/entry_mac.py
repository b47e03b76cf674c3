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
        self._keyed = blake2b(digest_size=_SEAL_BYTES, key=key)

    def identifier(self, stream: str, number: int, seq: int, data: bytes) -> str:
        """The id of an entry."""
        return f"{number}-{self._seal(stream, b'%d' % number, b'%d' % seq, data)}"

    def fits(self, stream: str, identifier: bytes, fields: dict[bytes, bytes]) -> bool:
        """Whether an entry has the id that the writer would have given it."""
        number, _, seal = identifier.partition(b"-")
        if fields.keys() != {b"seq", b"data"}:
            return False
        return self._seal(stream, number, fields[b"seq"], fields[b"data"]) == int(seal)

    def _seal(self, stream: str, number: bytes, seq: bytes, data: bytes) -> int:
        seal = self._keyed.copy()
        seal.update(b"%b %b %b %b" % (stream.encode(), number, seq, data))
        return int.from_bytes(seal.digest())


def number_of(identifier: bytes) -> int:
    """The number in an id."""
    return int(identifier.partition(b"-")[0])
