"""The ids of entries: the number that the writer assigned, and a seal (a keyed hash) of the entry's content."""

from hashlib import blake2b
from typing import Final

_SEAL_BYTES: Final = 8  # an id is two integers of 64 bits
LAST: Final = 2**64 - 1  # the largest possible seal


class Seal:
    """Computes ids that cannot be forged without the run's key or reused for other content.

    An entry is authentic if its id equals the computed one. Equal ids mean equal content.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._keyed = blake2b(digest_size=_SEAL_BYTES, key=key)

    def identifier(self, stream: str, number: int, seq: int, data: bytes) -> str:
        """Return the id of an entry."""
        return f"{number}-{self._seal(stream, b'%d' % number, b'%d' % seq, data)}"

    def fits(self, stream: str, identifier: bytes, fields: dict[bytes, bytes]) -> bool:
        """Return whether the id of an entry equals the computed one."""
        number, _, seal = identifier.partition(b"-")
        if fields.keys() != {b"seq", b"data"}:
            return False
        return self._seal(stream, number, fields[b"seq"], fields[b"data"]) == int(seal)

    def _seal(self, stream: str, number: bytes, seq: bytes, data: bytes) -> int:
        seal = self._keyed.copy()
        seal.update(b"%b %b %b %b" % (stream.encode(), number, seq, data))
        return int.from_bytes(seal.digest())


def number_of(identifier: bytes) -> int:
    """Return the number in an id."""
    return int(identifier.partition(b"-")[0])
