"""The shell completes feeds, families and the ids of strategies, in a real bash too."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from memesnipe.cli import completion
from memesnipe.engine.genome import simple_genome
from memesnipe.storage.schema import StrategyRow
from tests.cli.in_process import memesnipe

# Loads the script that `--show-completion` prints, presses Tab at the end of a line, and prints what bash would offer.
BASH = """
source /dev/stdin <<< "$(memesnipe --show-completion bash)"
complete -p memesnipe
COMP_WORDS=($1); [[ $1 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE=$1; COMP_POINT=${#1}
_memesnipe_completion memesnipe "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(folder: Path, line: str, **settings: str) -> list[str]:
    """Return what the command offers after a line, without a shell."""
    words = line.split(" ")
    asked = {"_MEMESNIPE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return memesnipe(folder, **asked, **settings).stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("memesnipe backtest --strategy mo", ["momentum_5m"]),
        ("memesnipe lookahead-check --strategy ko", ["korean_time_burst"]),
        ("memesnipe report ru", ["rug_pull_sniffer"]),
        ("memesnipe up --feed me", ["measured"]),
        ("memesnipe up --feed pumpfun,jup", ["pumpfun,jupiter"]),
        ("memesnipe record --feed rep", ["replay"]),
        ("memesnipe feeds check --feed sy", []),
        ("memesnipe up --mode l", ["live"]),
        ("memesnipe risk re", ["reset"]),
        ("memesnipe sql --no", ["--no-header"]),
        ("memesnipe explain zz", []),
    ],
)
def test_values_are_completed(tmp_path: Path, line: str, expected: list[str]) -> None:
    assert completed(tmp_path, line) == expected


def test_own_families_are_completed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "moon_1m.py").write_text("")
    line = "memesnipe backtest --strategy mo"
    assert completed(tmp_path, line, STRATEGY_PATH="mine") == ["momentum_5m", "moon_1m"]


def test_ids_of_the_newest_run_are_completed(
    tmp_path: Path, database_url: str, new_run: int, insert: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    genome = simple_genome("momentum_5m", {"lookback_s": 60.0})
    insert(StrategyRow, spec_id="0a1b2c3d4e5f", genome=genome.to_dict(), mode="simulating")
    insert(StrategyRow, spec_id="0aff2c3d4e5f", genome=genome.to_dict(), mode="paper")
    home = {"DATABASE_URL": database_url, "MEMESNIPE_HOME": str(tmp_path)}
    assert completed(tmp_path, "memesnipe promote 0a", **home) == ["0aff2c3d4e5f", "0a1b2c3d4e5f"], "on paper first"
    assert completed(tmp_path, "memesnipe explain 0a1", **home) == ["0a1b2c3d4e5f"]
    for name, value in home.items():
        monkeypatch.setenv(name, value)
    assert completion.strategies("0a1'%") == ["0a1b2c3d4e5f"], "quotes do not reach the query"


def test_without_a_system_or_with_wrong_settings_nothing_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DASHBOARD_PORT", "0")
    assert completion.strategies("0a") == []
    assert completion.families("mom") == ["momentum_5m"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_with_the_installed_script(tmp_path: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = ["bash", "-c", BASH, "bash", "memesnipe backtest --strategy mea"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    first, *offered = done.stdout.splitlines()
    assert first == "complete -o default -F _memesnipe_completion memesnipe", done.stderr
    assert offered == ["mean_revert_1h"], done.stderr


@pytest.mark.parametrize(
    ("shell", "settings"),
    [
        ("zsh", {}),
        ("fish", {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_other_shells_are_answered_too(tmp_path: Path, shell: str, settings: dict[str, str]) -> None:
    asked = {"_MEMESNIPE_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "memesnipe backtest --strategy mea"}
    assert "mean_revert_1h" in memesnipe(tmp_path, **asked, **settings).stdout
