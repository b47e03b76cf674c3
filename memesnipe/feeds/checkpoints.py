"""Checkpoints of a generated feed: saved states, so that a restart need not begin at the first event."""

import os
from hashlib import blake2b
from pathlib import Path
from typing import Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")
_KEPT: Final = 2  # the feed is ahead of the committed position, so the newest state may be too far
_DIGEST: Final = 32  # bytes; written as twice as many hexadecimal digits


class Checkpoints(Generic[T]):
    """A file with the last states and their positions; a damaged file or one of another market counts as empty."""

    def __init__(self, path: Path, market: str, state: type[T]) -> None:
        self._path, self._market = path, market
        self._content: TypeAdapter[tuple[str, list[tuple[int, T]]]] = TypeAdapter(tuple[str, list[tuple[int, state]]])  # type: ignore[valid-type]
        self._held = self._read()

    def before(self, position: int) -> tuple[int, T] | None:
        """Return the last state at or before a position, with its own position; None without one."""
        return next(((at, state) for at, state in reversed(self._held) if at <= position), None)

    def keep(self, position: int, state: T) -> None:
        """Save a state, unless one at this position or after it is saved already.

        Raises:
            OSError: the file cannot be written.
        """
        if self._held and self._held[-1][0] >= position:
            return
        self._held = [*self._held, (position, state)][-_KEPT:]
        content = self._content.dump_json((self._market, self._held))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Processes that run at the same time write the same content, each to its own temporary file.
        temporary = self._path.with_suffix(f".{os.getpid()}.writing")
        temporary.write_bytes(_digest(content) + content)
        temporary.replace(self._path)

    def _read(self) -> list[tuple[int, T]]:
        try:
            raw = self._path.read_bytes()
        except OSError:
            return []
        digest, content = raw[: 2 * _DIGEST], raw[2 * _DIGEST :]
        if digest != _digest(content):
            return []
        try:
            market, held = self._content.validate_json(content)
        except ValidationError:
            return []  # written by another version
        return held if market == self._market else []


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST).hexdigest().encode()
