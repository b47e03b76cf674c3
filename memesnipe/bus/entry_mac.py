"""The ids of entries: the number that the writer assigned, and a keyed hash (MAC) of the entry's content."""

from hashlib import blake2b
from typing import Final

_MAC_BYTES: Final = 8  # an id is two integers of 64 bits
_FIELDS: Final = {b"seq", b"data"}
MAX_MAC: Final = 2**64 - 1  # the largest possible MAC


class EntryMac:
    """Computes ids that cannot be forged without the run's key or reused for other content.

    An entry is authentic if its id equals the computed one. Equal ids mean equal content.
    """

    def __init__(self, key: bytes = b"") -> None:
        self._keyed = blake2b(digest_size=_MAC_BYTES, key=key)

    def entry_id(self, stream: str, number: int, seq: int, data: bytes) -> str:
        """Return the id of an entry."""
        return f"{number}-{self._mac_of(stream, b'%d' % number, b'%d' % seq, data)}"

    def matches(self, stream: str, identifier: bytes, fields: dict[bytes, bytes]) -> bool:
        """Return whether the id of an entry equals the computed one."""
        number, _, mac = identifier.partition(b"-")
        if fields.keys() != _FIELDS:
            return False
        return self._mac_of(stream, number, fields[b"seq"], fields[b"data"]) == int(mac)

    def _mac_of(self, stream: str, number: bytes, seq: bytes, data: bytes) -> int:
        mac = self._keyed.copy()
        mac.update(b"%b %b %b %b" % (stream.encode(), number, seq, data))
        return int.from_bytes(mac.digest())


def number_of(identifier: bytes) -> int:
    """Return the number in an id."""
    return int(identifier.partition(b"-")[0])
