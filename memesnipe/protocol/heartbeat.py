"""Heartbeats: each actor writes its state to a Redis key, which expires soon after the actor stops writing."""

from typing import Final

import msgspec

ACTORS: Final = ("market_data", "executor", "position", "portfolio", "strategy_factory")
MAX_ARENAS: Final = 16
ARENAS: Final = tuple(f"arena_{index}" for index in range(MAX_ARENAS))  # those with processes of their own
HEARTBEAT_KEY: Final = "memesnipe:heartbeat:{}"


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one actor."""

    state: str  # starting | running | quiet | breeding | stalled | recovering | finished
    detail: str = ""
    pid: int = 0
    seq: int = 0  # the last event that it has applied
    metrics_port: int = 0


_DECODER: Final = msgspec.json.Decoder(Heartbeat)


def encode_heartbeat(heartbeat: Heartbeat) -> bytes:
    """Return the JSON of a heartbeat."""
    return msgspec.json.encode(heartbeat)


def decode_heartbeat(data: bytes | str) -> Heartbeat | None:
    """Return a heartbeat, or None if the data is not the JSON of a heartbeat."""
    try:
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
