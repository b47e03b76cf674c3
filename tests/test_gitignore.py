"""What the commands of the pages write into the checkout is not offered to a commit."""

import re
import shutil
import subprocess

import pytest

from memesnipe.cli.examples import EXAMPLES
from tests.pages import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
WRITTEN = re.compile(r"(?:-o|--output|--report|--trades|--rejects|--png|wallet new) ([a-z][\w./-]*)|> ([a-z][\w.-]*)\)")


def files_written() -> list[str]:
    """Return the files and folders that commands on the pages and in the help write; those in capitals are no names."""
    commands = [line for page in PAGES for line in page.read_text().splitlines()]
    commands += [example for examples in EXAMPLES.values() for example in examples]
    ours = [line for line in commands if re.search(r"memesnipe [a-z]|> [a-z.]+\)", line)]
    names = {"".join(found) for line in ours for found in WRITTEN.findall(line)}
    return sorted({"report.html", *names})  # without `-o`, `report` writes this file


def _ignored(names: list[str]) -> set[str]:
    command = ["git", "check-ignore", "--no-index", *names]
    return {*subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()}


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="needs git and a checkout")
def test_what_commands_write_is_ignored() -> None:
    names = files_written()
    assert {
        "run.html",
        "fills.csv",
        "shared.json",
        "monday.backup",
        "webhook.token",
        "pictures",
        "keys/small.json",
    } <= {*names}
    folders = [f"{name}/x" for name in names if "." not in name]
    ignored = _ignored([*names, *folders])
    assert [name for name in names if name not in ignored and f"{name}/x" not in ignored] == []
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert _ignored(tracked) == set()
