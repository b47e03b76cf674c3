"""`memesnipe new-strategy` and `list-strategies`: the files written, their tests, and the names refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from memesnipe.cli.new_strategy import new_strategy
from memesnipe.errors import InputError
from memesnipe.sdk.registry import BUNDLED, discover
from tests.cli.in_process import memesnipe

ROOT = BUNDLED.parent


def _rows(page: Path) -> list[str]:
    return [line for line in page.read_text().splitlines() if line.startswith("| `")]


def test_a_new_strategy_is_written_with_page_and_tests_and_discovered(tmp_path: Path) -> None:
    reply = json.loads(memesnipe(tmp_path, "new-strategy", "fast_dip_5m", "--json").stdout)
    assert reply["family"] == "fast_dip_5m"
    assert {key: reply[key] for key in ("strategy", "doc", "test")} == {
        "strategy": "my_strategies/fast_dip_5m.py",
        "doc": "my_strategies/docs/fast_dip_5m.md",
        "test": "my_strategies/tests/test_fast_dip_5m.py",
    }
    assert "class FastDip5m(Strategy):" in (tmp_path / reply["strategy"]).read_text()
    assert f"STRATEGY_PATH={tmp_path / 'my_strategies'}" in reply["next"][-1]
    (tmp_path / ".env").write_text("STRATEGY_PATH=my_strategies\n")
    found = json.loads(memesnipe(tmp_path, "list-strategies", "--json").stdout)
    assert found["fast_dip_5m"]["parameters"]["rise"]["low"] == 0.01
    assert len(found) == 11
    again = json.loads(memesnipe(tmp_path, "new-strategy", "another", "--json").stdout)
    assert "STRATEGY_PATH" not in " ".join(again["next"])


def test_the_generated_tests_pass(tmp_path: Path) -> None:
    written = new_strategy("fast_dip", tmp_path / "mine", ())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", written.test],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_in_a_checkout_page_and_test_go_beside_the_bundled_ones(tmp_path: Path) -> None:
    for folder in ("strategies", "docs/strategies", "tests/strategies"):
        (tmp_path / folder).mkdir(parents=True)
    written = new_strategy("mine", tmp_path / "strategies", ())
    assert written.doc == tmp_path / "docs/strategies/mine.md"
    assert written.test == tmp_path / "tests/strategies/test_mine.py"
    assert 'parents[2] / "strategies")' in written.test.read_text()


def test_the_generated_page_has_the_template_headings_and_parameters(tmp_path: Path) -> None:
    written = new_strategy("mine", tmp_path, ())
    template = (ROOT / "docs" / "STRATEGY_TEMPLATE.md").read_text().split("\n---\n")[0].replace("FAMILY", "mine")
    headings = [line for line in template.splitlines() if line.startswith("#")]
    assert [line for line in written.doc.read_text().splitlines() if line.startswith("#")] == headings
    declared = discover(tmp_path)["mine"].params
    for row, (name, p) in zip(_rows(written.doc), declared.items(), strict=True):
        assert row.startswith(f"| `{name}` | {p.low:g} to {p.high:,g} | {p.default:g} | {p.unit} | ")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Fast", "a family's name consists of at most 64 lower-case letters"),
        ("_fast", "a family's name consists of at most 64 lower-case letters"),
        ("5m", "a family's name consists of at most 64 lower-case letters"),
        ("a/b", "a family's name consists of at most 64 lower-case letters"),
        ("a" * 65, "a family's name consists of at most 64 lower-case letters"),
        ("class", "a family's name consists of at most 64 lower-case letters"),
        ("strategy", "its class Strategy would have a name of the SDK"),
        ("momentum_5m", "strategies/momentum_5m.py already exists; choose another name"),
        ("taken", "taken.py already exists; choose another name"),
        ("theirs", "theirs.py already exists; choose another name"),
        ("paged", "paged.md already exists; choose another name"),
    ],
)
def test_an_invalid_name_is_refused_and_nothing_is_written(tmp_path: Path, name: str, expected: str) -> None:
    for existing in ("mine/taken.py", "others/theirs.py", "mine/docs/paged.md"):
        (tmp_path / existing).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / existing).write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as refused:
        new_strategy(name, tmp_path / "mine", (tmp_path / "others",))
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_unwritable_folder_is_a_one_line_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = memesnipe(tmp_path, "new-strategy", "mine", "--folder", "file")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().splitlines() == ["memesnipe: input: --folder file: cannot write file: File exists"]


def test_an_own_strategy_that_breaks_a_rule_is_a_one_line_error(tmp_path: Path) -> None:
    shutil.copy(BUNDLED / "momentum_5m.py", tmp_path / "mine.py")
    source = (tmp_path / "mine.py").read_text().replace("e.volume_usd", "e.volume", 1)
    (tmp_path / "mine.py").write_text(source)
    done = memesnipe(tmp_path, "list-strategies", STRATEGY_PATH=".")
    line = next(i for i, text in enumerate(source.splitlines(), 1) if "e.volume" in text)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().splitlines() == [
        f"memesnipe: input: mine.py:{line}: e.volume is not a field of an event (did you mean volume_usd?)"
    ]
