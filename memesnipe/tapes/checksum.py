"""The seal of a tape: a digest of the whole file in the metadata at its end.

The digest is computed with its own digits as zeros, so it covers every bit of the file, whether readers use it or not.
"""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

_MARK: Final = b"memesnipe-seal:"
_DIGITS: Final = 32
_TRAILER: Final = 8  # bytes at the end of a Parquet file: the length of the metadata, and "PAR1"
_BLOCK: Final = 1 << 20

UNSEALED: Final = (_MARK + b"0" * _DIGITS).decode()  # placeholder in the metadata of a file to be sealed


def seal(path: Path) -> None:
    """Write the digest of a file into it.

    Raises:
        ValueError: the metadata has no placeholder.
        OSError: the file cannot be read or written.
    """
    with path.open("r+b") as file:
        offset = _find_offset(file)
        if offset is None:
            raise ValueError(f"{path} has no placeholder for a seal")
        digest = _digest(file, offset)
        file.seek(offset)
        file.write(digest)


def read_seal(path: Path) -> str:
    """Return the digest that is written in a file; "" without one."""
    with path.open("rb") as file:
        offset = _find_offset(file)
        if offset is None:
            return ""
        file.seek(offset)
        return file.read(_DIGITS).decode(errors="replace")


def is_whole(path: Path) -> bool:
    """Return whether a file is bit-identical to the sealed one."""
    with path.open("rb") as file:
        offset = _find_offset(file)
        if offset is None:
            return False
        file.seek(offset)
        return file.read(_DIGITS) == _digest(file, offset)


def _find_offset(file: BinaryIO) -> int | None:
    """Return the offset of the seal's digits; None without a seal."""
    size = file.seek(0, 2)
    if size < _TRAILER:
        return None
    file.seek(size - _TRAILER)
    length = min(int.from_bytes(file.read(4), "little"), size - _TRAILER)
    file.seek(size - _TRAILER - length)
    found = file.read(length).rfind(_MARK)  # the last one; earlier entries may contain the mark
    return size - _TRAILER - length + found + len(_MARK) if found >= 0 else None


def _digest(file: BinaryIO, offset: int) -> bytes:
    digest = blake2b(digest_size=_DIGITS // 2)
    for start, block in _blocks(file):
        first, last = offset - start, offset - start + _DIGITS
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
