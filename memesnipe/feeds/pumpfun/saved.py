"""A file with what is known of coins and pools, so that a restart does not lose it."""

import os
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Final

import msgspec

from memesnipe.errors import first_line
from memesnipe.feeds.pumpfun.coins import FORGET_AFTER_NS, Coin, Coins, KnownPool

SAVE_EVERY_S: Final = 60.0
VERSION: Final = 1  # of the content; raised whenever a field is added, removed or means something else
# The latest are saved. Together at most about 30 MB, which takes 0.2 s.
MAX_COINS: Final = 30_000
MAX_POOLS: Final = 30_000
MAX_HOLDERS: Final = 1_000_000
_DIGEST_BYTES: Final = 16
_MAX_FILE_BYTES: Final = 128 << 20

Key = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class _State(msgspec.Struct, array_like=True):
    version: int
    coins: list[tuple[Key, int, Coin]]  # with the time of the last use, latest first
    pools: list[tuple[Key, int, KnownPool]]


class _Version(msgspec.Struct, array_like=True):
    version: int


class SavedCoins:
    """Reads and writes the file. A failure is no reason to stop: ``warning`` says what happened, "" for nothing.

    Args:
        path: of the file.
        clock: returns monotonic seconds.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.warning = ""
        self._path, self._clock = path, clock
        self._due_s = clock() + SAVE_EVERY_S

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
        """Write the file if it is `SAVE_EVERY_S` old."""
        if self._clock() >= self._due_s:
            self.save(coins)

    def save(self, coins: Coins) -> None:
        """Write the file."""
        self._due_s = self._clock() + SAVE_EVERY_S
        content = msgspec.msgpack.encode(_State(VERSION, _latest(coins), coins.pools.latest(MAX_POOLS)))
        temporary = self._path.with_suffix(f".{os.getpid()}.writing")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(_digest(content) + content)
            temporary.replace(self._path)
        except OSError as error:
            self.warning = f"coins and pools are not saved: {first_line(error)}"
        else:
            self.warning = ""


def _latest(coins: Coins) -> list[tuple[bytes, int, Coin]]:
    """Return the coins used last, as many as may be saved with their holders."""
    found, holders = [], 0
    for entry in coins.coins.latest(MAX_COINS):
        holders += entry[2].holders
        if holders > MAX_HOLDERS:
            break
        found.append(entry)
    return found


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


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST_BYTES).digest()
