"""From the logs of a transaction to the events of pump.fun and PumpSwap in it."""

import binascii
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from memesnipe.feeds.pumpfun.chain_events import ChainEvent
from memesnipe.feeds.pumpfun.invocations import DataLine, attribute
from memesnipe.feeds.pumpfun.layouts import DISCRIMINATOR_BYTES, LAYOUTS, LayoutError
from memesnipe.feeds.pumpfun.programs import OTHER_EVENTS, PROGRAM_NAMES

UNKNOWN = "unknown discriminator"
UNDECODABLE = "undecodable"
APPENDED = "events with appended fields"


class Unread(NamedTuple):
    """Data of one of the programs that is no event of a known layout."""

    program: str
    category: str  # UNKNOWN or UNDECODABLE
    reason: str  # with the discriminator, or the event's name and length


class Transaction(NamedTuple):
    """The events of a transaction, in order."""

    slot: int
    events: list[ChainEvent]
    unread: list[Unread]
    others: list[str]  # programs of the events that are known and not used
    is_complete: bool  # whether no event can be missing


class Decoder:
    """Decodes logs.

    Attributes:
        counts: the number of events by name, and of everything left out by reason.
        appended: by event, what a program has appended to it since its layout was written.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.appended: dict[str, str] = {}

    def decode(self, slot: int, logs: Sequence[str]) -> Transaction:
        """Return the events in a transaction's logs. No input raises an exception."""
        lines, copies, is_truncated, is_broken = attribute(logs)
        found = Transaction(slot, [], [], [], not (is_truncated or is_broken))
        self._add_all(lines, found)
        if copies:
            self.counts["copies of an event"] += copies
        if is_truncated:
            self.counts["truncated logs"] += 1
        if is_broken:
            self.counts["invocations that do not nest"] += 1
        return found

    def decode_lines(self, slot: int, lines: Sequence[DataLine]) -> Transaction:
        """Return the events in the data of the two programs, which is all of the transaction's."""
        found = Transaction(slot, [], [], [], is_complete=True)
        self._add_all(lines, found)
        return found

    def _add_all(self, lines: Sequence[DataLine], found: Transaction) -> None:
        for line in lines:
            self._add(line, found)

    def _add(self, line: DataLine, found: Transaction) -> None:
        """Decode a line of data into the transaction."""
        program = line.program
        try:
            data = binascii.a2b_base64(line.text, strict_mode=True)
        except (binascii.Error, ValueError):  # ValueError: not ASCII
            data = b""
        discriminator = data[:DISCRIMINATOR_BYTES]
        layout = LAYOUTS[program].get(discriminator)
        if layout is None:
            self._add_other(program, data, found)
            return
        try:
            found.events.append(layout.decode(data))
        except LayoutError as error:
            known = f"{layout.name} of {len(layout.fields)} known fields"
            self._add_unread(Unread(program, UNDECODABLE, f"{known}: {error}"), found)
            return
        self.counts[layout.name] += 1
        if rest := layout.appended_bytes(data):
            self.counts[APPENDED] += 1
            self.appended[layout.name] = (
                f"program changed: {PROGRAM_NAMES[program]}: {layout.name} has more than its {len(layout.fields)} "
                f"known fields: {rest} bytes at its end are not read"
            )

    def _add_other(self, program: str, data: bytes, found: Transaction) -> None:
        discriminator = data[:DISCRIMINATOR_BYTES].hex()
        name = OTHER_EVENTS[program].get(discriminator)
        if name is not None:
            self.counts[name] += 1
            found.others.append(program)
        elif len(data) < DISCRIMINATOR_BYTES:
            self._add_unread(Unread(program, UNDECODABLE, f"{len(data)} bytes are no event"), found)
        else:
            self._add_unread(Unread(program, UNKNOWN, f"discriminator {discriminator}"), found)

    def _add_unread(self, unread: Unread, found: Transaction) -> None:
        self.counts[f"{unread.category} of {PROGRAM_NAMES[unread.program]}"] += 1
        found.unread.append(unread)
