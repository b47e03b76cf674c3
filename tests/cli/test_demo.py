"""`memesnipe demo` takes no setting of the user: no key, no server, no live trading; its input is checked first."""

import os
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from memesnipe.cli.demo_system import DemoSystem, environment
from memesnipe.cli.signals import raise_interrupt
from memesnipe.config.home import Home
from memesnipe.config.settings import settings_from
from memesnipe.servers.process import wait_until
from tests.cli.in_process import SIGNALS, memesnipe

USERS = {
    "PATH": "/bin", "HELIUS_API_KEY": "secret", "LIVE_TRADING_ENABLED": "true", "PAPER_TRADING_MODE": "false",
    "DATABASE_URL": "postgresql://server", "RAY_ADDRESS": "10.0.0.1:6379", "WALLET_KEYPAIR_FILENAME": "/k.json",
    "strategy_path": "/mine", "MEMESNIPE_HOME": "/home", "RAY_worker_niceness": "0",
}  # fmt: skip


def test_the_environment_has_no_setting_of_the_user(tmp_path: Path) -> None:
    assert environment(USERS, tmp_path) == {"PATH": "/bin", "MEMESNIPE_HOME": str(tmp_path)}
    trading = settings_from({}, env_file=None).trading
    assert trading.paper_trading_mode and not trading.live_trading_enabled, "so the defaults are what it runs with"


def test_an_output_that_cannot_be_written_is_refused_before_the_start(tmp_path: Path) -> None:
    done = memesnipe(tmp_path, "demo", "-o", "nowhere/report.html")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "there is no folder nowhere" in done.stderr


@pytest.fixture
def interrupted() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, as the command does; restore the handlers afterwards."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    raise_interrupt()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("interrupted")
def test_ctrl_c_ends_a_command_that_runs_in_the_demo_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    system, me = DemoSystem(1.0), psutil.Process()

    def children() -> list[psutil.Process]:
        return [child for child in me.children() if "localnet" in child.cmdline()]

    def press_ctrl_c() -> None:
        # Not while it is being started: then it ends because its parent does.
        assert wait_until(lambda: any(child.cpu_times().user > 0.1 for child in children()), 60)
        os.kill(me.pid, signal.SIGINT)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(press_ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            system.command("localnet")
        pressed.result()
    assert children() == []


@pytest.mark.usefixtures("interrupted")
@pytest.mark.parametrize("has_begun", [False, True])
def test_an_interrupted_run_is_kept_only_if_its_market_had_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], has_begun: bool
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    system = DemoSystem(1.0)
    (folder,) = tmp_path.glob("memesnipe-demo-*")
    if has_begun:
        event_log = Home(system.home).run(1).event_log
        event_log.parent.mkdir(parents=True)
        event_log.write_bytes(b"events")
    system.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert folder.exists() == has_begun
    begun, ended = capsys.readouterr().err.splitlines()
    kept = f"The run so far is in {folder}: `memesnipe report -o run.html` there"
    assert begun == "Stopping ..." and ended.startswith(kept if has_begun else "Nothing was traded yet")
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN, "a second Ctrl-C must not stop the clean-up"


def test_a_command_in_the_demo_s_folder_returns_its_json_or_its_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    system = DemoSystem(1.0)
    assert system.command("status") == ({"running": False}, "")
    assert system.command("tape", "none.tape") == (
        None, "memesnipe: input: no tape at none.tape; `memesnipe import`, `record` and `synth` make tapes"
    )  # fmt: skip
