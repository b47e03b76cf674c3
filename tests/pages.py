"""The commands that the pages of `docs/` show."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
_FENCED = re.compile(r"^( *)```(?:sh)?\n(.*?)^\1```", re.M | re.S)
_RUNNING = re.compile(r"<!-- run: on a running system -->\n```sh\n(.*?)```", re.S)


def commands_on_a_running_system(page: str) -> list[list[str]]:
    """Return the commands of a page that need a running system, without the name of the program; SPEC is an id."""
    blocks = _RUNNING.findall((ROOT / "docs" / page).read_text())
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]


def lines_in_a_shell(page: str) -> list[str]:
    """Return the lines of a page that are run in a shell in the folder of an installation."""
    blocks = re.findall(r"<!-- run: in a shell -->\n```sh\n(.*?)```", (ROOT / "docs" / page).read_text(), re.S)
    return [line for block in blocks for line in block.splitlines()]


def shown_commands(page: Path) -> list[str]:
    """Return the lines of the fenced blocks of a page that call `memesnipe`, without comments."""
    lines = [line.strip() for _, block in _FENCED.findall(page.read_text()) for line in block.splitlines()]
    return [line for line in lines if line.startswith("memesnipe ") and "..." not in line]
