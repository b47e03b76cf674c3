"""Every command has examples in its help, and each example is valid."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from memesnipe.cli.examples import EXAMPLES
from memesnipe.cli.main import app
from tests.cli.in_process import memesnipe


def commands(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_every_command_has_examples_and_json() -> None:
    assert set(EXAMPLES) == set(COMMANDS)
    for name, command in COMMANDS.items():
        assert any("--json" in parameter.opts for parameter in command.params), name


@pytest.mark.parametrize("example", [example for examples in EXAMPLES.values() for example in examples])
def test_an_example_is_valid(example: str) -> None:
    program, *words = shlex.split(example)
    name = next(name for name in sorted(COMMANDS, key=len, reverse=True) if " ".join(words).startswith(name))
    assert program == "memesnipe" and example in EXAMPLES[name]
    COMMANDS[name].make_context(name, words[len(name.split()) :])


def test_examples_are_lines_at_the_end_of_the_help(tmp_path: Path) -> None:
    shown = memesnipe(tmp_path, "risk", "reset", "--help").stdout.rstrip().splitlines()
    assert [line.strip() for line in shown[-3:]] == ["Examples:", "", *EXAMPLES["risk reset"]]


def test_the_shell_completes_commands(tmp_path: Path) -> None:
    asked = {"_MEMESNIPE_COMPLETE": "complete_bash", "COMP_WORDS": "memesnipe sta", "COMP_CWORD": "1"}
    assert memesnipe(tmp_path, **asked).stdout.split() == ["status"]
