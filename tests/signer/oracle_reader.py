"""A hand-written reader of transactions, for the oracle; it knows nothing of `memesnipe` and of solders' own reader."""

from dataclasses import dataclass

from solders.pubkey import Pubkey

from tests.signer import addresses as w
from tests.signer.world import World


class UnreadableError(Exception):
    """The bytes are no transaction."""


class Reader:
    """Reads bytes from the front."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise UnreadableError
        self.at += count
        return self.data[self.at - count : self.at]

    def short(self) -> int:
        """Read a compact-u16 in its shortest form."""
        value = 0
        for position in range(3):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << 7 * position
            if not byte & 0x80:
                if (byte == 0 and position) or value > 0xFFFF:
                    raise UnreadableError
                return value
        raise UnreadableError


@dataclass
class Read:
    """A transaction."""

    keys: list[Pubkey]
    static: int
    instructions: list[tuple[Pubkey, list[Pubkey], bytes]]


def read_transaction(raw: bytes, world: World, found: set[str]) -> Read | None:
    if not raw or len(raw) > 1_232:
        found.add("malformed")
        return None
    if raw[0] >= 0x80:
        found.add("version")
        return None
    if raw[0] != 1:
        found.add("signatures")
        return None
    if len(raw) > 65 and raw[65] > 0x80:
        found.add("version")
        return None
    try:
        return _read_message(raw, world, found)
    except UnreadableError:
        found.add("malformed")
        return None


def _read_message(raw: bytes, world: World, found: set[str]) -> Read | None:
    reader = Reader(raw)
    reader.take(1)
    own = reader.take(64)
    is_v0 = raw[65:66] == b"\x80"
    reader.take(is_v0)
    required, readonly_signed, readonly_unsigned = reader.take(3)
    if required != 1:
        found.add("signatures")
    keys = [Pubkey(reader.take(32)) for _ in range(reader.short())]
    reader.take(32)
    compiled = [
        (reader.take(1)[0], reader.take(reader.short()), reader.take(reader.short())) for _ in range(reader.short())
    ]
    lookups = [
        (Pubkey(reader.take(32)), reader.take(reader.short()), reader.take(reader.short()))
        for _ in range(reader.short() if is_v0 else 0)
    ]
    if reader.at != len(raw):
        raise UnreadableError
    total = len(keys) + sum(len(a) + len(b) for _, a, b in lookups)
    if required <= readonly_signed or required + readonly_unsigned > len(keys) or total > 256:
        raise UnreadableError
    if any(not a and not b for _, a, b in lookups):
        raise UnreadableError
    for program, accounts, _ in compiled:
        if not 0 < program < len(keys) or any(index >= total for index in accounts):
            raise UnreadableError
    if any(own):
        found.add("signatures")
    if keys[0] != w.WALLET:
        found.add("fee_payer")
    static = len(keys)
    if any(table not in world.tables or max(a + b) >= len(world.tables[table]) for table, a, b in lookups):
        found.add("lookup_table")
    if found:
        return None
    for part in (1, 2):
        keys += [world.tables[look[0]][index] for look in lookups for index in look[part]]
    if len(set(keys)) < len(keys):
        raise UnreadableError
    return Read(keys, static, [(keys[p], [keys[i] for i in a], d) for p, a, d in compiled])
