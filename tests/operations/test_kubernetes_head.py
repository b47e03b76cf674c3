"""The command of the head on Kubernetes starts Ray and then the system, and ends both when one of them ends.

Ray and the system are stand-ins here; tests/system/test_container.py starts the real system as the image does.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from memesnipe.servers.process import wait_until

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "kubernetes_head.sh"
# It waits for a signal, and says what it does in a file of its name.
STAND_IN = """#!/usr/bin/env bash
echo "started $*" >> "$SAID/{name}"
trap 'echo ended >> "$SAID/{name}"; exit 0' TERM
while [ ! -e "$SAID/{name}.code" ]; do sleep 0.05 & wait $!; done
exit "$(cat "$SAID/{name}.code")"
"""
# The first question whether Ray answers is not answered.
PYTHON = """#!/usr/bin/env bash
[ -e "$SAID/asked" ] || { touch "$SAID/asked"; exit 1; }
[ -e "$SAID/ray" ]
"""


@contextmanager
def head(folder: Path, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    programs = {"ray": STAND_IN.format(name="ray"), "memesnipe": STAND_IN.format(name="memesnipe"), "python": PYTHON}
    for name, text in programs.items():
        path = folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    said = folder / "said"
    said.mkdir()
    environment = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "SAID": str(said)} | variables
    process = subprocess.Popen([SCRIPT], env=environment, text=True, stderr=subprocess.PIPE, start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


KUBERAY = {"KUBERAY_GEN_RAY_START_CMD": "ray start --head --block", "RAY_ADDRESS": "127.0.0.1:6379"}


def said(folder: Path, name: str) -> list[str]:
    path = folder / "said" / name
    return path.read_text().splitlines() if path.exists() else []


def test_a_signal_ends_the_system_and_then_ray(tmp_path: Path) -> None:
    with head(tmp_path, **KUBERAY) as process:
        assert wait_until(lambda: said(tmp_path, "memesnipe") == ["started up"], 30)
        assert said(tmp_path, "ray") == ["started start --head --block"]
        process.terminate()
        process.wait(30)
        assert wait_until(lambda: said(tmp_path, "ray")[-1] == "ended", 10)
    assert said(tmp_path, "memesnipe") == ["started up", "ended"]


@pytest.mark.parametrize(("ends", "other"), [("memesnipe", "ray"), ("ray", "memesnipe")])
def test_the_end_of_one_ends_the_other_and_the_container_with_its_code(tmp_path: Path, ends: str, other: str) -> None:
    with head(tmp_path, **KUBERAY) as process:
        assert wait_until(lambda: said(tmp_path, "memesnipe") == ["started up"], 30)
        (tmp_path / "said" / f"{ends}.code").write_text("3")
        assert process.wait(30) == 3
        assert wait_until(lambda: said(tmp_path, other)[-1] == "ended", 10)


@pytest.mark.parametrize("missing", list(KUBERAY))
def test_without_what_kuberay_passes_it_does_not_start(tmp_path: Path, missing: str) -> None:
    with head(tmp_path, **{name: value for name, value in KUBERAY.items() if name != missing}) as process:
        _, errors = process.communicate(timeout=30)
        assert process.returncode != 0
        assert missing in errors
    assert said(tmp_path, "memesnipe") == []
