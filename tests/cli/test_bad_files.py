"""Each path that a command takes: missing, a folder, a file of another kind. The error is one line with code 1 or 2."""

from pathlib import Path

import pytest

from memesnipe.engine.genome import simple_genome
from memesnipe.sdk.registry import discover
from memesnipe.solana.wallet import new_wallet
from tests.cli.in_process import memesnipe

# {} is the path. A command that would do its work with such a path, or start a system, is not listed.
READ = (
    "import {} -o o.tape",
    "import swaps.csv -o o.tape --sol-usd {}",
    "tape {}",
    "explain {}",
    "export {} -o o.json",
    "quote --pool {}",
    "backtest --tape {} --strategy momentum_5m",
    "backtest --tape swaps.csv --spec {}",
    "lookahead-check --tape {}",
    "plan --population 10 --generations 1 --events 10 --tape {}",
    "up --feed replay --tape {}",
    "up --localnet --tape {}",
    "record --feed replay --tape {} -o rec",
    "chaos --tape {} --kills 1",
    "report {} -o o.html",
    "report momentum_5m --tape {} -o o.html",
    "restore {}",
    "wallet show {}",
    "close {}",
    "safety {}",
    "sql {}",
    "redis {}",
)
UNREADABLE = ("missing", "missing/deep", "folder", "empty", "binary", "text", "wallet.json", "x" * 300)
WRITE = (
    "import swaps.csv --sol-usd 200 -o {}",
    "import swaps.csv --sol-usd 200 -o o.tape --rejects {}",
    "export genome.json -o {}",
    "backtest --tape swaps.csv --strategy momentum_5m --trades {}",
    "synth --tokens 2 --hours 0.01 -o {}",
    "report momentum_5m --tape swaps.csv -o {}",
    "backup -o {}",
    "demo -o {}",
    "up --report {}",
    "wallet new {}",
)
UNWRITABLE = ("folder", "missing/deep", "text/inside", "/dev/full", "x" * 300, "")
FOLDERS = (
    "record --feed synthetic --hours 0.01 -o {}",
    "report momentum_5m --tape swaps.csv -o o.html --png {}",
    "new-strategy fast_dip --folder {}",
)
NO_FOLDERS = ("text", "text/inside", "/dev/full", "x" * 300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("files")
    (made / "folder").mkdir()
    (made / "empty").write_bytes(b"")
    (made / "binary").write_bytes(bytes(range(256)) * 40)
    (made / "text").write_text("some words\n")
    (made / "swaps.csv").write_text(
        "ts_ns,mint,side,sol_amount,token_amount\n1757782395000000000,MintA,buy,0.5,17000000\n"
    )
    params = {name: p.default for name, p in discover()["momentum_5m"].params.items()}
    (made / "genome.json").write_text(str(simple_genome("momentum_5m", params).to_dict()).replace("'", '"'))
    new_wallet(made / "wallet.json")
    return made


def check(folder: Path, command: str, path: str) -> None:
    before = set(folder.iterdir())
    words = [path if word == "{}" else word for word in command.split()]
    done = memesnipe(folder, *words, STRATEGY_PATH="")
    assert done.returncode in (1, 2) and done.stdout == "", (words, done)
    (line,) = [
        line for line in done.stderr.splitlines() if not line.endswith("...")
    ]  # the engine may be compiled first
    assert line.startswith("memesnipe: ") and len(line) < 500, (words, done)
    assert [made for made in set(folder.iterdir()) - before if made.name[0] != "."] == [], words


@pytest.mark.parametrize("command", READ)
def test_a_path_that_cannot_be_read_is_one_line(folder: Path, command: str) -> None:
    for path in UNREADABLE:
        if command != "wallet show {}" or path != "wallet.json":
            check(folder, command, path)


@pytest.mark.parametrize("command", WRITE)
def test_a_path_that_cannot_be_written_is_one_line(folder: Path, command: str) -> None:
    for path in UNWRITABLE:
        check(folder, command, path)


@pytest.mark.parametrize("command", FOLDERS)
def test_a_folder_that_cannot_be_made_is_one_line(folder: Path, command: str) -> None:
    for path in NO_FOLDERS:
        check(folder, command, path)


def test_an_error_shows_nothing_of_the_key_in_a_wallet(folder: Path) -> None:
    secret = ",".join((folder / "wallet.json").read_text().strip("[] \n").replace(" ", "").split(",")[:4])
    written = ("-o", "o")
    lines = [
        *((command, "wallet.json") for command in ("explain", "promote", "tape", "restore", "quote", "localnet")),
        ("import", "wallet.json", *written),
        ("import", "swaps.csv", "--sol-usd", "wallet.json", *written),
        ("export", "wallet.json", *written),
        ("backtest", "--tape", "swaps.csv", "--spec", "wallet.json"),
        ("localnet", "--journal", "wallet.json"),
        ("quote", "--pool", "wallet.json"),
    ]
    for line in lines:
        done = memesnipe(folder, *line)
        assert done.returncode == 2, line
        assert not any(shown in done.stderr for shown in (secret, secret.replace(",", ", "))), done.stderr
