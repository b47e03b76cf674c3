"""The documentation: the site builds without a warning or another host, and what the pages name exists."""

import os
import re
import shlex
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import typer

from memesnipe.cli.main import app
from tests.pages import PAGES, ROOT, commands_on_a_running_system, shown_commands
from tests.system.test_evolve import SEARCH

VENDOR = ROOT / "docs" / "vendor"
RELEASED = {  # SHA-256 of files of the npm package iframe-worker 1.0.4
    "iframe-worker-1.0.4.js": "e8e412dbcfea9b7e31b5ffa288d7b6035915e714c542f4176a0cdbe262fc9609",
    "iframe-worker-LICENSE.txt": "dd69737a4768aab9f934a5aed9efab9561ac4062d4fdbe490d44369a2cf48b6b",
}
PATH = re.compile(
    r"`((?:memesnipe|actors|strategies|tests|scripts|benchmarks|k8s|docs|grafana)/[\w./-]+\.(?:py|sh|md|yaml|toml|json|js))`"
)
# What a page makes the browser load, as opposed to links that a reader may follow.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*?\bsrc=["']?([^"'\s>]+)|<link\b[^>]*?\bhref=["']?([^"'\s>]+)"""
)
COMMANDS = sorted({(page.name, line) for page in PAGES for line in shown_commands(page)})


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does; a warning is an error (`strict` in mkdocs.yml)."""
    folder = tmp_path_factory.mktemp("site")
    mkdocs = Path(sys.executable).with_name("mkdocs")
    command = [mkdocs, "build", "--quiet", "--site-dir", folder]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder


def test_every_page_is_built_and_loads_nothing_from_other_hosts(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(list((ROOT / "docs").rglob("*.md")))
    for page in pages:
        loaded = ["".join(found) for found in LOADED.findall(page.read_text())]
        assert loaded and not [url for url in loaded if url.startswith(("http:", "https:", "//"))], page
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert not re.search(r"url\([\"']?(https?:)?//", styles)


def test_the_script_of_the_search_is_the_released_one() -> None:
    assert {path.name: sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()} == RELEASED


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_in_a_page_exist(page: Path) -> None:
    named = {path for path in PATH.findall(page.read_text()) if "fast_dip" not in path}  # an example
    assert {path for path in named if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_a_shown_command_has_the_options_that_it_uses(page: str, line: str) -> None:
    _, *arguments = shlex.split(line, comments=True)
    command, context = typer.main.get_command(app), None
    while hasattr(command, "commands"):
        context = command.context_class(command, parent=context, info_name=command.name)
        assert arguments[0] in command.commands, f"{page}: {line}"
        command = command.commands[arguments.pop(0)]
    context = command.context_class(command, parent=context, info_name=command.name)
    command.make_parser(context).parse_args([argument for argument in arguments if argument not in ("|", ">")])


def test_the_search_of_the_tutorial_is_the_tested_one() -> None:
    (line,) = (line for line in shown_commands(ROOT / "docs" / "tutorial.md") if line.startswith("memesnipe evolve"))
    assert [*shlex.split(line)[4:], "--json"] == list(SEARCH)


def test_commands_on_a_running_system_are_found() -> None:
    """`tests/system/test_live.py` runs them."""
    names = {
        command[0] for page in ("getting-started.md", "tutorial.md") for command in commands_on_a_running_system(page)
    }
    assert {"monitor", "halt", "strategies", "explain", "export", "promote", "demote", "verify"} <= names


def test_the_arithmetic_of_costs_follows_from_the_shown_plan() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    shown = page.partition("<!-- sample: memesnipe plan")[2].partition("```\n\n")[0]
    event_ns, genome_ns = (float(ns) for ns in re.findall(r"event_ns ([\d.]+)", shown))
    searched = 26_000_000 * 0.7
    genomes_s, passes_s = 24 * 1_000 * searched * genome_ns / 1e9, 24 * 63 * searched * event_ns / 1e9
    for seconds in (genomes_s, passes_s):
        assert f"= {seconds:,.0f} s" in page
    hours = (genomes_s + passes_s) / 3_600 / 0.9
    assert f"{genomes_s + passes_s:,.0f} s / 3,600 / 0.9" in page
    assert f"core_hours                 {hours:.2f}\n" in shown and f"= {hours:.2f} core-hours" in page
