"""Files as programs and people really export them: read rightly, or refused in one line that shows the value."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from memesnipe.errors import TapeError
from memesnipe.tapes.importer import Imported, import_swaps
from tests.cli.in_process import memesnipe

MINT = "FCuk4XqwMcZ1ofvmGJb3mJbDhPZ6z1MZj6r7a9bpump"
SOL = "So11111111111111111111111111111111111111112"
HEADER = "time,mint,side,sol_amount,token_amount\n"
COUNT = 12
AMOUNTS = [(0.38 + 0.01 * n, 13_421_332.2 - 1000 * n) for n in range(COUNT)]
SIDES = ["buy" if n % 3 else "sell" for n in range(COUNT)]


def rows(line: str, **words: str) -> str:
    """Return a line for each trade; fields: n (two digits), ts, side, sol, tokens."""
    return "".join(
        line.format(n=f"{n:02d}", ts=1_757_782_380 + n, side=words.get(side, side), sol=sol, tokens=tokens, mint=MINT)
        + "\n"
        for n, (side, (sol, tokens)) in enumerate(zip(SIDES, AMOUNTS, strict=True))
    )


PLAIN = HEADER + rows("2025-09-13T16:53:{n}Z,{mint},{side},{sol:.2f},{tokens:.1f}")


def imported(folder: Path, content: str | bytes, name: str = "odd.csv") -> Imported:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_swaps(path)


def amounts(found: Imported) -> list[tuple[int, int, int, int]]:
    names = ("ts", "side", "sol_lamports", "token_raw")
    return [tuple(int(event[name]) for name in names) for event in found.tape.events]  # type: ignore[misc]


def dune() -> str:
    """Return an export of Dune as a spreadsheet of a country with decimal commas saves it."""
    lines = [
        "block_time;token_bought_mint_address;token_sold_mint_address;token_bought_amount;token_sold_amount;project"
    ]
    for n, (side, (sol, tokens)) in enumerate(zip(SIDES, AMOUNTS, strict=True)):
        both = [(SOL, f"{sol:.2f}"), (MINT, f"{tokens:.1f}")]
        (bought, got), (sold, gave) = both if side == "sell" else both[::-1]
        lines.append(f"2025-09-13 16:53:{n:02d}.000 UTC;{bought};{sold};{got};{gave};pumpdotfun".replace(".", ","))
        lines[-1] = lines[-1].replace(",000 UTC", ".000 UTC")
    return "\ufeff" + "\r\n".join(lines) + "\r\n"


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, PLAIN)
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        dune(),
        "\ufeff" + PLAIN.replace("\n", "\r\n"),
        PLAIN.encode("utf-16"),
        PLAIN.replace("\n", "\r"),
        gzip.compress(PLAIN.encode()),
        pa.compress(PLAIN.encode(), codec="zstd", asbytes=True),
        zipped("odd.csv"),
        "sep=;\r\n" + PLAIN.replace(",", ";").replace("\n", "\r\n"),
        HEADER + rows("2025-09-13T18:53:{n}+02:00,{mint},{side},{sol:.2f},{tokens:.1f}"),
        HEADER + rows("{ts},{mint},{side},{sol:.2E},{tokens:.8E}"),
        ",,time,mint,side,sol_amount,token_amount,\n" + rows(",,{ts},{mint},{side},{sol:.2f},{tokens:.1f},"),
        HEADER.strip() + ",venue\n" + rows("{ts},{mint},{side},{sol:.2f},{tokens:.1f},"),
        "\n".join(",".join(f'"{value}"' for value in line.split(",")) for line in PLAIN.strip().split("\n")),
    ],
    ids=[
        "dune",
        "windows",
        "utf-16",
        "mac",
        "gz",
        "zst",
        "zip",
        "sep",
        "zones",
        "exponents",
        "empty",
        "venue",
        "quoted",
    ],
)
def test_every_form_of_the_same_trades_is_read_as_the_same_trades(tmp_path: Path, content) -> None:
    found, plain = imported(tmp_path, content), imported(tmp_path, PLAIN, "plain.csv")
    assert amounts(found) == amounts(plain)
    assert len(amounts(plain)) == COUNT
    assert found.rejected == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER + rows('{ts},{mint},{side},{sol:.2f},"{tokens:,.1f}"'), "separators of thousands.*'13,421,332.2'"),
        (PLAIN.replace(",", ";").replace("0.", "0,").replace(".2", ".200"), "'0,38': with points too .* write decimal"),
        (HEADER + rows("09/13/2025 4:53:{n} PM,{mint},{side},{sol:.2f},{tokens}"), "neither a date like .*'09/13/2025"),
        (HEADER + rows("03/04/2025 16:53:{n},{mint},{side},{sol:.2f},{tokens}"), "neither a date .*'03/04/2025"),
        (HEADER + rows("2025-09-13 16:53:{n} CEST,{mint},{side},{sol:.2f},{tokens}"), "neither a date .* CEST'"),
        (HEADER + rows("{ts},{mint},{side},{sol},{tokens}", buy="Kauf", sell="Verkauf"), "neither buy.*'Verkauf'"),
        (HEADER + f"1757782380,{MINT},buy,1,2e6\n1757782381000,{MINT},buy,1,2e6\n", "time mixes units of time"),
        (HEADER.strip() + ",sol_amount\n" + rows("{ts},{mint},{side},{sol},{tokens},1"), "'sol_amount' twice"),
        (HEADER, "it has no rows"),
        ("", "it is empty"),
        ("\ufeff", "it is empty"),
        ("<!DOCTYPE html><html>Rate limited</html>", "has no header: .*Rate limited"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "is a workbook of a spreadsheet program.* save it as CSV"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "is a workbook of a spreadsheet program"),
        (zipped("a.csv", "b.csv"), "is a zip archive of 2 files, but must contain one"),
        (gzip.compress(PLAIN.encode())[:-9], "the gzip data is truncated"),
        (json.dumps({"errors": [{"message": "limit exceeded"}], "data": None}), "lacks ts and mint"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_line_that_shows_it(tmp_path: Path, content, message) -> None:
    with pytest.raises(TapeError, match=message) as caught:
        imported(tmp_path, content)
    assert "\n" not in str(caught.value)
    assert "odd.csv" in str(caught.value)


def test_some_empty_venues_are_no_venue(tmp_path: Path) -> None:
    content = HEADER.strip() + ",venue\n" + rows("{ts},{mint},{side},{sol:.2f},{tokens:.1f},pumpswap")
    found = imported(tmp_path, content.replace(",pumpswap", ",", 2))
    assert found.rejected == {"venue is empty": 2}


def test_one_row_is_a_tape(tmp_path: Path) -> None:
    assert len(amounts(imported(tmp_path, "".join(PLAIN.splitlines(keepends=True)[:2])))) == 1


def test_many_rows_left_out_are_said_beside_the_first_trades(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text(HEADER + rows("{ts},{mint},{side},{sol:.2f},{tokens:.1f}").replace("l,0", "l,-0"))
    done = memesnipe(tmp_path, "import", "odd.csv", "-o", "odd.tape")
    assert done.returncode == 0
    assert "LEFT OUT: 4 of 12 trades (33%), mostly because sol_amount is negative (4). If that" in done.stderr
    (tmp_path / "plain.csv").write_text(PLAIN)
    assert "LEFT OUT" not in memesnipe(tmp_path, "import", "plain.csv", "-o", "plain.tape").stderr


MANY = 100
STAMPS = {"s": "17577824{n:02d}", "ms": "17577824{n:02d}000", "s.": "17577824{n:02d}.5", "ms.": "17577824{n:02d}000.5"}


def many(delimiter: str, odd: dict[int, str], stamp: str = "s", sol: str = "1.{n:02d}", tokens: str = "{t:.1f}") -> str:
    """Return a file of a hundred trades, in which some rows are others."""
    lines = [HEADER.strip().replace(",", delimiter)]
    row = delimiter.join((STAMPS[stamp], MINT, "buy", sol, tokens))
    lines += [odd.get(n, row).format(n=n, t=13_421_332.2 - n) for n in range(MANY)]
    return "\n".join(lines) + "\n"


S, MS = STAMPS["s"], STAMPS["ms"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            many(";", {7: f"{S};{MINT};buy;1,5;13421332.2"}),
            "sol_amount has a comma, where most rows have decimal points",
        ),
        (
            many(",", {7: f'{S},{MINT},buy,"1,5",13421332.2'}),
            "sol_amount looks like a decimal comma: write 1.5 for 1,5, or separate the columns by semicolons",
        ),
        (many(",", {7: f"{S},{MINT},buy,1,5,13421332.2"}), "the row has 6 fields where the header has 5"),
        (
            many(";", {7: f"{S};{MINT};buy;1.5;13421332,2"}, sol="1,{n:02d}", tokens="13421332,{n}"),
            "sol_amount has a point, where most rows have decimal commas",
        ),
        (
            many(";", {7: f"{S};{MINT};buy;1,500;13421332"}, sol="1{n:02d}0000001", tokens="13421332000000"),
            "sol_amount has a comma, where most rows have none: it may separate decimals or thousands",
        ),
        (many(",", {7: f"{MS},{MINT},buy,1.5,13421332.2"}), "time time is in ms, where most rows are in s"),
        (many(",", {7: f"{S},{MINT},buy,1.5,13421332.2"}, "ms"), "time time is in s, where most rows are in ms"),
        (
            many(",", {7: f"{STAMPS['ms.']},{MINT},buy,1.5,13421332.2"}, "s."),
            "time time is not in s, where most rows are",
        ),
        (
            many(",", {7: f"09/13/2025 4:53 PM,{MINT},buy,1.5,13421332.2"}),
            "time time is neither a date like 2025-09-13T16:53:15Z nor a number",
        ),
    ],
)
def test_an_odd_row_is_left_out_with_its_reason_and_the_others_are_read(
    tmp_path: Path, content: str, reason: str
) -> None:
    found = imported(tmp_path, content)
    assert found.rejected == {reason: 1}
    lines = content.splitlines(keepends=True)
    without = imported(tmp_path, "".join(lines[:8] + lines[9:]), "without.csv")
    assert amounts(found) == amounts(without)
    assert len(amounts(found)) == MANY - 1
    found.left_out.write(tmp_path / "rejects.csv")
    (row,) = (tmp_path / "rejects.csv").read_text().splitlines()[1:]
    assert row.startswith(f'8,"{reason}"')


@pytest.mark.parametrize(
    "content",
    [
        many(";", dict.fromkeys(range(0, MANY, 10), f"{S};{MINT};buy;1,5;13421332.2")),
        many(";", {7: f"{S};{MINT};buy;1,234.5;13421332"}, sol="1,2{n:02d}", tokens="13421332"),
        many(";", {}, sol="1,2{n:02d}", tokens="13421332"),
        many(",", dict.fromkeys(range(0, MANY, 10), f"{MS},{MINT},buy,1.5,13421332.2")),
    ],
)
def test_a_file_without_an_overwhelming_majority_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(TapeError, match=r"may separate decimals or thousands|mixes units of time"):
        imported(tmp_path, content)


def test_every_row_left_out_is_said(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text(many(",", {7: f"{MS},{MINT},buy,1.5,13421332.2"}))
    done = memesnipe(tmp_path, "import", "odd.csv", "-o", "odd.tape", "--rejects", "rejects.csv")
    assert done.returncode == 0
    said = "Left out: 1 of 100 trades: time time is in ms, where most rows are in s (1). --rejects FILE shows them."
    assert said in done.stderr


def test_a_file_of_two_units_of_time_is_read_in_the_one_that_the_user_chooses(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text(many(",", dict.fromkeys(range(0, MANY, 10), f"{MS},{MINT},buy,1.5,13421332.2")))
    refused = memesnipe(tmp_path, "import", "odd.csv", "-o", "odd.tape")
    assert refused.returncode == 2
    assert "choose one with --map ts=time:s, and the others are left out" in refused.stderr
    done = memesnipe(tmp_path, "import", "odd.csv", "-o", "odd.tape", "--map", "ts=time:s")
    assert done.returncode == 0
    assert "LEFT OUT: 10 of 100 trades (10%), mostly because time time is after tomorrow, in s (10)." in done.stderr
