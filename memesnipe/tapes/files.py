"""Reading of files as text: decompressed by their content, not their name, and decoded."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from memesnipe.errors import TapeError, first_line

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_OLD_WORKBOOK = bytes.fromhex("d0cf11e0a1b11ae1")  # .xls, whatever the name
_WORKBOOK = "is a workbook of a spreadsheet program, not text, whatever its name: save it as CSV in UTF-8"


class _WrongContentError(Exception):
    """A file is whole, and not of a kind that is read; the text follows the file's name."""


def read_text(path: Path) -> bytes:
    """Return the text of a file as UTF-8 without a byte order mark; line ends are unchanged.

    Raises:
        TapeError: there is no such file, it is truncated or damaged, or it is not text; the message names the line.
    """
    return as_text(path, read_content(path))


def read_content(path: Path) -> bytes:
    """Return the bytes of a file, decompressed.

    Raises:
        TapeError: there is no such file, or it is truncated or damaged.
    """
    if not path.is_file():
        raise TapeError(f"no file at {path}" if not path.is_dir() else f"{path} is a folder, not a file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TapeError(f"{path} cannot be read: {error.strerror or error}") from error
    for magic, name, decompress in _FORMATS:
        if data.startswith(magic):
            try:
                data = decompress(data)
            except _WrongContentError as error:
                raise TapeError(f"{path} {error}") from None
            except _DAMAGE as error:
                raise TapeError(f"{path}: the {name} data is truncated or damaged: {first_line(error)}") from error
            break
    return data


def as_text(path: Path, data: bytes) -> bytes:
    """Return the text of a file's bytes as UTF-8 without a byte order mark.

    Raises:
        TapeError: it is not text; the message names the line.
    """
    if data.startswith(_UTF16_BOMS):  # "Unicode text" of spreadsheets
        try:
            return data.decode("utf-16").encode()
        except UnicodeError as error:
            raise TapeError(f"{path} begins as UTF-16 but is not: {first_line(error)}") from error
    if data.startswith(_OLD_WORKBOOK):
        raise TapeError(f"{path} {_WORKBOOK}")
    data = data.removeprefix(_UTF8_BOM)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise TapeError(f"{path}, line {line}: the byte 0x{byte:02x} is not UTF-8; save the file as UTF-8") from error
    nul = data.find(b"\0")
    if nul >= 0:
        line = data.count(b"\n", 0, nul) + 1
        raise TapeError(f"{path}, line {line}: contains a zero byte, so it is not text")
    return data


def _unzip(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [info for info in archive.infolist() if not info.is_dir() and not _is_of_the_system(info.filename)]
        if any(info.filename in ("[Content_Types].xml", "mimetype") for info in members):  # Excel, LibreOffice
            raise _WrongContentError(_WORKBOOK)
        if len(members) != 1:
            raise _WrongContentError(f"is a zip archive of {len(members)} files, but must contain one")
        return archive.read(members[0])


def _is_of_the_system(name: str) -> bool:
    """Return whether an archiver added the member by itself."""
    return name.startswith("__MACOSX/") or Path(name).name in (".DS_Store", "Thumbs.db")


def _unzstd(data: bytes) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        return bytes(stream.read())


_FORMATS: tuple[tuple[bytes, str, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", "gzip", gzip.decompress),
    (b"PK\x03\x04", "zip", _unzip),
    (b"\x28\xb5\x2f\xfd", "zstd", _unzstd),
    (b"BZh", "bzip2", bz2.decompress),
    (b"\xfd7zXZ\x00", "xz", lzma.decompress),
)
_DAMAGE = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
    pa.ArrowException,
)  # fmt: skip
