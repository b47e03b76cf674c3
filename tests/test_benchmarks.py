"""Benchmarks and scripts import what exists: no other test runs all of them."""

import ast
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("memesnipe", "actors", "strategies", "serve_app")
FILES = sorted([*ROOT.glob("benchmarks/*.py"), *ROOT.glob("scripts/*.py")])


def imported(file: Path) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import of our packages, "" for a whole module."""
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in OURS:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((one.name, "") for one in node.names if one.name.partition(".")[0] in OURS)


def missing(module: str, name: str) -> bool:
    found = import_module(module)
    if not name or hasattr(found, name):
        return False
    return not hasattr(found, "__path__") or find_spec(f"{module}.{name}") is None  # a package has modules too


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_imports_what_exists(file: Path) -> None:
    assert [f"{module}: {name}" for module, name in imported(file) if missing(module, name)] == []


def test_a_name_that_does_not_exist_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "benchmark.py"
    file.write_text("from memesnipe.cli.running import get_api\nimport memesnipe.clock\nfrom memesnipe import base58\n")
    assert [one for one in imported(file) if missing(*one)] == [("memesnipe.cli.running", "get_api")]
