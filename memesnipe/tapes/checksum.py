"""The seal of a tape: a digest of the whole file, kept in the metadata at the end of it.

The digest is taken with its own digits as zeros. So no bit of the file can change unnoticed, whether it means anything
to who reads it or not.
"""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

_MARK: Final = b"memesnipe-seal:"
_DIGITS: Final = 32
_TRAILER: Final = 8  # of a Parquet file: the length of the metadata, and "PAR1"
_BLOCK: Final = 1 << 20

UNSEALED: Final = (_MARK + b"0" * _DIGITS).decode()  # what the metadata must hold for a file to be sealed


def seal(path: Path) -> None:
    """Write the digest of a file into it.

    Raises:
        ValueError: the metadata has no place for it.
        OSError: the file cannot be read or written.
    """
    with path.open("r+b") as file:
        place = _place(file)
        if place is None:
            raise ValueError(f"{path} has no place for a seal")
        digest = _digest(file, place)
        file.seek(place)
        file.write(digest)


def is_whole(path: Path) -> bool:
    """Whether a file is to the bit what was sealed."""
    with path.open("rb") as file:
        place = _place(file)
        if place is None:
            return False
        file.seek(place)
        return file.read(_DIGITS) == _digest(file, place)


def _place(file: BinaryIO) -> int | None:
    """Where the digits of the seal begin; None where there is none."""
    size = file.seek(0, 2)
    if size < _TRAILER:
        return None
    file.seek(size - _TRAILER)
    length = min(int.from_bytes(file.read(4), "little"), size - _TRAILER)
    file.seek(size - _TRAILER - length)
    found = file.read(length).rfind(_MARK)  # of the last entry, whatever the others say
    return size - _TRAILER - length + found + len(_MARK) if found >= 0 else None


def _digest(file: BinaryIO, place: int) -> bytes:
    digest = blake2b(digest_size=_DIGITS // 2)
    for start, block in _blocks(file):
        first, last = place - start, place - start + _DIGITS
        if first < len(block) and last > 0:
            for i in range(max(first, 0), min(last, len(block))):
                block[i] = ord("0")
        digest.update(block)
    return digest.hexdigest().encode()


def _blocks(file: BinaryIO) -> Iterator[tuple[int, bytearray]]:
    file.seek(0)
    start = 0
    while block := bytearray(file.read(_BLOCK)):
        yield start, block
        start += len(block)
