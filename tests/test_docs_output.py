"""The command output in README and docs: blocks are parsed, and repeatable output is current."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support import TRADES

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "docs_output.py"
PAGE = """Text.

<!-- output: memesnipe tape a.tape -->
```
events   3
seconds  1.25
```

<!-- sample 90 s: make up -->
```
Run 1 begins
```
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_output", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["docs_output"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_blocks_are_parsed_with_their_command_and_kind(script: ModuleType) -> None:
    first, second = script.blocks_of(Path("page.md"), PAGE)
    assert (first.command, first.is_compared, first.runs_s) == ("memesnipe tape a.tape", True, 0)
    assert first.shown == "events   3\nseconds  1.25\n"
    assert (second.command, second.is_compared, second.runs_s) == ("make up", False, 90)
    assert PAGE[second.start :].startswith(second.shown)


def test_only_the_duration_is_not_compared(script: ModuleType) -> None:
    blanked = script.without_seconds("events   3\nseconds  1.25\n")
    assert blanked == script.without_seconds("events   3\nseconds  9.75\n")
    assert blanked != script.without_seconds("events   4\nseconds  1.25\n")


def test_every_mark_has_a_block(script: ModuleType) -> None:
    for page in script.PAGES:
        text = page.read_text()
        marks = text.count("<!-- output") + text.count("<!-- sample")
        assert len(script.blocks_of(page, text)) == marks, page


@pytest.mark.system
@pytest.mark.timeout(900)
@pytest.mark.skipif(not TRADES.is_file(), reason=f"no recorded trades at {TRADES}")
def test_the_output_in_the_pages_is_current(database_url: str, redis_url: str) -> None:
    command = [sys.executable, SCRIPT, "--check", "--trades", TRADES]
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url.removesuffix("/0") + "/3"}
    done = subprocess.run(command, env=os.environ | servers, capture_output=True, text=True, timeout=850, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
