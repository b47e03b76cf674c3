"""`memesnipe demo` takes no setting of the user: no key, no server, no live trading; its input is checked first."""

from pathlib import Path

from memesnipe.cli.demo_system import environment
from memesnipe.config.settings import settings_from
from tests.cli.in_process import memesnipe

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
