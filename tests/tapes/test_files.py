"""Files of various forms: compressed, truncated, with other delimiters and encodings, with extra commas."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.errors import TapeError
from memesnipe.tapes.importer import import_swaps
from tests.tapes.csvs import PLAIN, TS, write_csv

ROWS = [f"{TS + i},A,{'buy' if i % 3 else 'sell'},{i}.5,{i * 40_000_000}" for i in range(1, 60)]
TEXT = "\n".join([PLAIN, *ROWS]) + "\n"


def _zip(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("swaps.csv", data)
    return packed.getvalue()


def _zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress, "zip": _zip, "zst": _zstd, "bz2": bz2.compress, "xz": lzma.compress,
}  # fmt: skip


def _events(path: Path) -> bytes:
    return import_swaps(path, 100.0).tape.events.tobytes()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("plain") / "a.csv"
    path.write_text(TEXT)
    return _events(path)


@pytest.mark.parametrize("name", PACKERS)
def test_compressed_files_are_recognised_by_content(tmp_path: Path, plain: bytes, name: str) -> None:
    (tmp_path / "swaps").write_bytes(PACKERS[name](TEXT.encode()))
    assert _events(tmp_path / "swaps") == plain


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9, 0.99])
def test_a_truncated_compressed_file_is_rejected(tmp_path: Path, name: str, kept: float) -> None:
    packed = PACKERS[name](TEXT.encode())
    path = tmp_path / f"a.csv.{name}"
    path.write_bytes(packed[: max(int(len(packed) * kept), 6)])
    with pytest.raises(TapeError, match="truncated or damaged") as refused:
        import_swaps(path, 100.0)
    assert "\n" not in str(refused.value)


@given(st.sampled_from(sorted(PACKERS)), st.data())
def test_a_damaged_file_never_raises_anything_but_a_tape_error(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    packed = bytearray(PACKERS[name](TEXT.encode()))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damaged") / "a.csv"
    path.write_bytes(packed)
    try:
        import_swaps(path, 100.0)
    except TapeError as refused:
        assert "\n" not in str(refused)


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace(",", ";"),
        TEXT.replace(",", "\t"),
        TEXT.replace(",", ", "),
        TEXT.replace("\n", ",\n"),
        TEXT.replace("\n", ",\n").replace(PLAIN + ",", PLAIN),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        "\ufeff" + TEXT,
        "\n\n" + TEXT.replace("\n", "\n\n"),
        TEXT.replace(PLAIN, '"ts_ns", "mint","side" ,"sol_amount","token_amount"'),
        TEXT.replace("A,", '"A",').replace(PLAIN, PLAIN.upper()),
        TEXT.replace(",A,", ', "A" ,'),
        TEXT.replace(",", ";").replace(".", ","),
    ],
)  # fmt: skip
def test_delimiters_and_formatting_do_not_change_the_result(tmp_path: Path, plain: bytes, text: str) -> None:
    (tmp_path / "a.csv").write_text(text, newline="")
    assert _events(tmp_path / "a.csv") == plain


def test_utf_16_text_of_spreadsheets_is_read(tmp_path: Path, plain: bytes) -> None:
    (tmp_path / "a.txt").write_text(TEXT.replace(",", "\t"), encoding="utf-16")
    assert _events(tmp_path / "a.txt") == plain


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (TEXT.encode() + b"1,caf\xe9,buy,1,1\n", "line 61: the byte 0xe9 is not UTF-8"),
        (TEXT.encode() + b"1,a\0b,buy,1,1\n", "line 61: contains a zero byte"),
        (bytes(range(256)) * 4, "UTF-8"),
        (b"\xff\xfea", "UTF-16"),
    ],
)
def test_files_that_are_not_text_are_rejected_with_the_line(tmp_path: Path, data: bytes, expected: str) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(TapeError, match=expected):
        import_swaps(tmp_path / "a.csv", 100.0)


def test_ambiguous_commas_are_rejected(tmp_path: Path) -> None:
    path = write_csv(tmp_path, PLAIN.replace(",", ";"), f"{TS};A;buy;1,000;20,000")
    with pytest.raises(TapeError, match="the comma may separate decimals or thousands"):
        import_swaps(path, 100.0)


def test_an_archive_of_two_files_is_rejected(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", TEXT)
        archive.writestr("b.csv", TEXT)
    with pytest.raises(TapeError, match="a zip archive of 2 files, but must contain one"):
        import_swaps(tmp_path / "a.zip", 100.0)


def test_missing_files_and_folders_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="no file at"):
        import_swaps(tmp_path / "none.csv", 100.0)
    with pytest.raises(TapeError, match="is a folder"):
        import_swaps(tmp_path, 100.0)
