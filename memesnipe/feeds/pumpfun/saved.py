"""A file with what is known of coins and pools, so that a restart does not lose it."""

import os
import time
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from threading import Thread
from typing import Annotated, Final

import msgspec

from memesnipe.errors import first_line
from memesnipe.feeds.pumpfun.coins import FORGET_AFTER_NS, Coin, Coins, KnownPool

SAVE_EVERY_S: Final = 60.0
VERSION: Final = 1  # of the content; raised whenever a field is added, removed or means something else
# The latest are saved. Together at most about 30 MB, which takes 0.2 s at once.
MAX_COINS: Final = 30_000
MAX_POOLS: Final = 30_000
MAX_HOLDERS: Final = 1_000_000
_PART: Final = 4_096  # holders and entries; half a millisecond, for which events wait
_DIGEST_BYTES: Final = 16
_MAX_FILE_BYTES: Final = 128 << 20
_ENCODER: Final = msgspec.msgpack.Encoder()
_ARRAY_OF_3: Final = b"\x93"  # of MessagePack
_ARRAY: Final = b"\xdd"  # followed by its length in 4 bytes

Key = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class _State(msgspec.Struct, array_like=True):
    version: int
    coins: list[tuple[Key, int, Coin]]  # with the time of the last use, latest first
    pools: list[tuple[Key, int, KnownPool]]


class _Version(msgspec.Struct, array_like=True):
    version: int


class SavedCoins:
    """Reads and writes the file. A failure is no reason to stop: ``warning`` says what happened, "" for nothing.

    While events arrive the file is made in parts, between which the caller continues, and written by a thread: no event
    waits for the whole.

    Args:
        path: of the file.
        clock: returns monotonic seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.warning = ""
        self._path, self._clock = path, clock
        self._due_s = clock() + SAVE_EVERY_S
        self._encoding: Iterator[None] | None = None
        self._writing: Thread | None = None

    def load(self, coins: Coins, now_ns: int) -> None:
        """Add what is in the file; nothing if there is none, or it is damaged or of another version.

        Args:
            coins: to which it is added.
            now_ns: this machine's time in ns since 1970; what would have been forgotten by now is left out.
        """
        try:
            state = _read(self._path)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            self.warning = f"coins and pools of the last process are not known: {first_line(error)}"
            return
        oldest_ts = now_ns - FORGET_AFTER_NS
        for mint, used_ts, coin in reversed(state.coins):
            if used_ts >= oldest_ts:
                coins.coins.put(mint, coin, used_ts)
        for pool, used_ts, known in reversed(state.pools):
            if used_ts >= oldest_ts:
                coins.pools.put(pool, known, used_ts)

    def save_if_due(self, coins: Coins) -> None:
        """Make the next part of the file if it is `SAVE_EVERY_S` old; after the last part, begin to write it."""
        if self._encoding is None and self._clock() >= self._due_s:
            self._due_s = self._clock() + SAVE_EVERY_S
            self._encoding = self._save_in_parts(coins)
        if self._encoding is not None and next(self._encoding, True):
            self._encoding = None

    def _save_in_parts(self, coins: Coins) -> Iterator[None]:
        content = bytearray()
        yield from _encode_in_parts(coins, content)
        self._finish_writing()
        self._writing = Thread(target=self._write, args=(content,), name="saved coins", daemon=True)
        self._writing.start()

    def save(self, coins: Coins) -> None:
        """Write the file, at once."""
        self._due_s, self._encoding = self._clock() + SAVE_EVERY_S, None
        content = bytearray()
        for _ in _encode_in_parts(coins, content):
            pass
        self._finish_writing()
        self._write(content)

    def _finish_writing(self) -> None:
        if self._writing is not None:
            self._writing.join()

    def _write(self, content: bytearray) -> None:
        temporary = self._path.with_suffix(f".{os.getpid()}.writing")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(_digest(content))
                file.write(content)
            temporary.replace(self._path)
        except OSError as error:
            self.warning = f"coins and pools are not saved: {first_line(error)}"
        else:
            self.warning = ""


def _encode_in_parts(coins: Coins, content: bytearray) -> Iterator[None]:
    """Append the encoded `_State` to ``content``; yield between two parts.

    A coin that changes between two parts is saved as it is when its part is made.
    """
    content += _ARRAY_OF_3 + _ENCODER.encode(VERSION)
    yield from _encode_entries(coins.coins.latest(MAX_COINS), content)
    yield from _encode_entries(coins.pools.latest(MAX_POOLS), content)


def _encode_entries(
    entries: list[tuple[bytes, int, Coin]] | list[tuple[bytes, int, KnownPool]], content: bytearray
) -> Iterator[None]:
    """Append entries as an array, up to the one with which they have more than `MAX_HOLDERS` holders."""
    start = len(content)
    content += _ARRAY + bytes(4)
    count = holders = size = 0
    for entry in entries:
        of_this = entry[2].holders if isinstance(entry[2], Coin) else 0
        holders += of_this
        if holders > MAX_HOLDERS:
            break
        _ENCODER.encode_into(entry, content, -1)
        count, size = count + 1, size + of_this + 1
        if size >= _PART:
            size = 0
            yield
    content[start + 1 : start + 5] = count.to_bytes(4)


def _read(path: Path) -> _State:
    """Return the content of a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large, damaged, or of another version.
    """
    size = path.stat().st_size
    if size > _MAX_FILE_BYTES:
        raise ValueError(f"{path} has {size} bytes, more than {_MAX_FILE_BYTES}")
    raw = path.read_bytes()
    content = raw[_DIGEST_BYTES:]
    if raw[:_DIGEST_BYTES] != _digest(content):
        raise ValueError(f"{path} is damaged")
    try:
        version = msgspec.msgpack.decode(content, type=_Version).version
        if version != VERSION:
            raise ValueError(f"{path} has version {version}, not {VERSION}")
        return msgspec.msgpack.decode(content, type=_State)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path}: {error}") from None


def _digest(content: bytes | bytearray) -> bytes:
    return blake2b(content, digest_size=_DIGEST_BYTES).digest()
