"""Write the output of commands into README and docs, or check that the output there is current.

    .venv/bin/python scripts/docs_output.py --trades TRADES.csv.gz [--check] [PAGE ...]

A block of output is a fenced block below one of these comments:

    <!-- output: COMMAND -->        standard output; repeatable except for `seconds`, so `--check` compares it
    <!-- sample: COMMAND -->        depends on the machine and the time; rewritten, never compared
    <!-- sample 90 s: COMMAND -->   the same for a command that runs until Ctrl-C: a few lines of its standard error

All commands run in sequence in one folder that contains only `trades.csv.gz`.
"""

import argparse
import difflib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
_BLOCK = re.compile(
    r"<!-- (?P<kind>output|sample)(?: (?P<seconds>\d+) s)?: (?P<command>.+?) -->\n```\w*\n(?P<shown>.*?)```\n", re.S
)
_SECONDS = re.compile(r"^((?:run_id|seconds)\s+)[\d.,]+$", re.M)  # runs of earlier samples are counted too
_PROGRESS = re.compile(r"^[\d,]+ events\b")
_PROGRESS_SHOWN = 4
_TIMEOUT_S = 1_800


@dataclass(frozen=True, slots=True)
class Block:
    """One block of output on a page."""

    page: Path
    command: str
    shown: str
    start: int  # of the shown text in the page
    is_compared: bool
    runs_s: int  # seconds until it is interrupted; 0 if it ends by itself


def blocks_of(page: Path, text: str) -> list[Block]:
    """Return the blocks of a page in order."""
    return [
        Block(page, m["command"], m["shown"], m.start("shown"), m["kind"] == "output", int(m["seconds"] or 0))
        for m in _BLOCK.finditer(text)
    ]


def without_seconds(text: str) -> str:
    """Blank the duration of a command, which differs in every run."""
    return _SECONDS.sub(r"\1-", text)


def run(block: Block, folder: Path) -> str:
    """Run a block's command in ``folder`` and return its output as a page shows it.

    Raises:
        SystemExit: the command failed.
    """
    program, *arguments = shlex.split(block.command)
    bin_folder = Path(sys.executable).parent
    if program == "make":  # `make up` installs and runs `memesnipe up`
        program, arguments = "memesnipe", arguments[:1]
    elif arguments and arguments[0].startswith("benchmarks/"):
        arguments[0] = str(ROOT / arguments[0])
    command = [str(bin_folder / program), *arguments]
    environment = os.environ | {"COLUMNS": "110", "MEMESNIPE_HOME": str(folder / ".memesnipe")}
    print(f"{block.page.name}: {block.command}", file=sys.stderr, flush=True)
    process = subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, err = process.communicate(timeout=block.runs_s or _TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=_TIMEOUT_S)
    if process.returncode:
        raise SystemExit(f"{block.command}: exit {process.returncode}: {err.strip()}")
    lines = _a_few_lines(err.splitlines()) if block.runs_s else out.splitlines()
    return _tidy(line.replace(f"{folder}/", "") for line in lines)


def _a_few_lines(lines: list[str]) -> list[str]:
    """Return the lines before the progress, and a few lines of progress, evenly spread."""
    progress = [line for line in lines if _PROGRESS.match(line)]
    first = next((i for i, line in enumerate(lines) if _PROGRESS.match(line)), len(lines))
    count = min(_PROGRESS_SHOWN, len(progress))
    return lines[:first] + [progress[(i + 1) * len(progress) // count - 1] for i in range(count)]


def _tidy(lines: Iterable[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)


def main() -> int:
    """Write or check all pages; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trades", type=Path, required=True, help="recorded pump.fun trades, as `import` reads them")
    parser.add_argument(
        "--check", action="store_true", help="run the comparable commands, and fail if their output differs"
    )
    parser.add_argument("pages", nargs="*", type=Path, default=PAGES, metavar="PAGE", help="by default all")
    chosen = parser.parse_args()
    if not chosen.trades.is_file():
        parser.error(f"--trades {chosen.trades}: there is no such file")
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-docs-", dir="/tmp"))  # sockets need a short path
    folder.chmod(0o755)  # as root, the embedded PostgreSQL runs as another user
    shutil.copy(chosen.trades, folder / "trades.csv.gz")
    differences = 0
    try:
        for page in chosen.pages:
            differences += _check(page, folder) if chosen.check else _write(page, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if differences else 0


def _check(page: Path, folder: Path) -> int:
    """Print the differences between the page and the commands' current output; return the number of such blocks."""
    differing = 0
    for block in blocks_of(page, page.read_text()):
        if not block.is_compared:
            continue
        shown, now = without_seconds(block.shown), without_seconds(run(block, folder))
        if shown != now:
            differing += 1
            lines = difflib.unified_diff(shown.splitlines(), now.splitlines(), page.name, block.command, lineterm="")
            print("\n".join(lines))
    return differing


def _write(page: Path, folder: Path) -> int:
    """Write the commands' current output into the page."""
    text = page.read_text()
    for block in reversed([(b, run(b, folder)) for b in blocks_of(page, text)]):
        old, new = block
        text = text[: old.start] + new + text[old.start + len(old.shown) :]
    page.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
