"""Checkpoints of a feed that is generated: states on the way, so that a restart need not begin at the first event."""

import os
from hashlib import blake2b
from pathlib import Path
from typing import Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")
_KEPT: Final = 2  # the feed is ahead of what was committed, so the newest may be too far
_DIGEST: Final = 32  # bytes, in hex twice as many


class Checkpoints(Generic[T]):
    """A file with the last states, each with its position; one that is damaged or of another market counts as none."""

    def __init__(self, path: Path, market: str, state: type[T]) -> None:
        self._path, self._market = path, market
        self._content: TypeAdapter[tuple[str, list[tuple[int, T]]]] = TypeAdapter(tuple[str, list[tuple[int, state]]])  # type: ignore[valid-type]
        self._held = self._read()

    def before(self, position: int) -> tuple[int, T] | None:
        """The last state that is not beyond a position; None where there is none."""
        return next(((at, state) for at, state in reversed(self._held) if at <= position), None)

    def keep(self, position: int, state: T) -> None:
        """Write a state down, unless one at or behind this position is there already.

        Raises:
            OSError: the file cannot be written.
        """
        if self._held and self._held[-1][0] >= position:
            return
        self._held = [*self._held, (position, state)][-_KEPT:]
        content = self._content.dump_json((self._market, self._held))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Two that run at once write the same things, but not into one another's file.
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
            return []  # of other code
        return held if market == self._market else []


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST).hexdigest().encode()
