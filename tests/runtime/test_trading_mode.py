"""Live trading begins only if every switch is on, and a run keeps its mode."""

from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from memesnipe.config.policies import switches_of
from memesnipe.config.settings import Settings, settings_from
from memesnipe.errors import RefusedError
from memesnipe.runtime.live_run import why_another_run
from memesnipe.runtime.localnet import local_settings, policy_text, with_chain
from memesnipe.runtime.trading_mode import TradingMode, check_switches
from memesnipe.servers.local_chain import ChainUrls
from memesnipe.solana.wallet import make_wallet
from memesnipe.storage.runs import (
    CHAIN,
    LIVE_CAPITAL,
    LIVE_WALLET,
    WALLET,
    begin_run,
    earlier_live_run,
    read_live_capital,
)

WORDS = {
    "live_trading_enabled": "LIVE_TRADING_ENABLED is false",
    "paper_trading_mode": "PAPER_TRADING_MODE is true",
    "wallet": "there is no wallet at",
    "policy": "does not say enabled = true",
}


def settings_with(folder: Path, *missing: str) -> Settings:
    """Return settings in which every switch is on but those that are missing."""
    values = {
        "memesnipe_home": folder,
        "live_trading_enabled": "live_trading_enabled" not in missing,
        "paper_trading_mode": "paper_trading_mode" in missing,
    }
    settings = settings_from(values, env_file=None)
    if "wallet" not in missing:
        make_wallet(settings.installation.wallet_file)
    if "policy" not in missing:
        settings.installation.signer_policy_file.parent.mkdir(mode=0o700)
        settings.installation.signer_policy_file.write_text(policy_text())
        settings.installation.signer_policy_file.chmod(0o600)
    return settings


def test_every_switch_on_is_accepted(tmp_path: Path) -> None:
    check_switches(settings_with(tmp_path))


@pytest.mark.parametrize("missing", [*([one] for one in WORDS), list(WORDS), ["wallet", "policy"]])
def test_a_refusal_names_every_missing_switch_and_no_other(tmp_path: Path, missing: list[str]) -> None:
    with pytest.raises(RefusedError) as refused:
        check_switches(settings_with(tmp_path, *missing))
    assert {name for name, word in WORDS.items() if word in str(refused.value)} == {*missing}
    assert refused.value.exit_code == 3
    assert "\n" not in str(refused.value)


def test_settings_alone_make_nothing_live(tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    assert switches_of(settings, is_live=False).missing() == "the run is on paper, without --mode live"
    assert switches_of(settings, is_live=True).missing() == ""


def test_a_local_chain_has_a_wallet_and_a_policy_of_its_own(tmp_path: Path) -> None:
    users = settings_with(tmp_path / "users", "live_trading_enabled", "paper_trading_mode")
    local = local_settings(users, tmp_path, TradingMode(is_live=True, localnet=()))
    check_switches(local)
    own = tmp_path / "localnet"
    installation = local.installation
    for path in (installation.wallet_file, installation.signer_policy_file, installation.signer_folder):
        assert path.is_relative_to(own)
    assert installation.wallet_file.read_text() != users.installation.wallet_file.read_text()
    again = local_settings(users, tmp_path, TradingMode(is_live=False, localnet=()))
    assert again.installation.wallet_file.read_text() == installation.wallet_file.read_text(), "it is kept"
    assert not again.trading.live_trading_enabled


def test_nothing_of_a_run_on_a_local_chain_goes_to_another_host(tmp_path: Path) -> None:
    settings = with_chain(settings_with(tmp_path), ChainUrls("http://127.0.0.1:1", "ws://127.0.0.1:2"))
    feeds, live = settings.feeds, settings.live
    used = [
        feeds.solana_rpc_url.get_secret_value(), feeds.solana_ws_url.get_secret_value(), feeds.jupiter_api_url,
        live.jito_rpc_url,
    ]  # fmt: skip
    assert all("//127.0.0.1:" in url for url in used)
    assert live.sender_url is None
    assert feeds.pyth_api_key is None, "with a key the price of SOL would come from Pyth"


@pytest.mark.parametrize(
    ("chain", "wallet", "is_local", "expected"),
    [
        ("G1", "W1", False, ""),
        (
            "G2",
            "W1",
            False,
            "Run {0} traded with another chain: its genesis hash was G1, and SOLANA_RPC_URL has G2. It",
        ),
        (
            "G2",
            "W1",
            True,
            "Run {0} traded with another chain (--localnet starts a new one each time). It cannot go on",
        ),
        (
            "G1",
            "W2",
            False,
            "Run {0} traded with another wallet: W1, now W2. It cannot go on: run {1} begins, with what",
        ),
    ],
)
def test_a_live_run_that_begins_anew_says_why(
    database: sa.Engine, chain: str, wallet: str, is_local: bool, expected: str
) -> None:
    feed = f"test:{uuid4().hex}"
    begin_run(database, feed, {}, {"seed": 1})
    paper = begin_run(database, feed, {}, {"seed": 2})
    assert earlier_live_run(database, feed, paper.run_id) is None
    first = begin_run(database, feed, {}, {"seed": 1, WALLET: "W1", CHAIN: "G1"})
    live = {WALLET: wallet, CHAIN: chain}
    second = begin_run(database, feed, {}, {"seed": 3, **live})
    earlier = earlier_live_run(database, feed, second.run_id)
    assert earlier is not None
    assert earlier[0] == first.run_id
    said = why_another_run(second.run_id, live, earlier, is_local=is_local)
    assert said.startswith(expected.format(first.run_id, second.run_id))
    assert bool(said) == bool(expected)


def test_a_run_keeps_its_mode_its_wallet_and_its_capital(database: sa.Engine) -> None:
    feed, paper = f"test:{uuid4().hex}", {"seed": 1}
    live = {**paper, "mode": "live", WALLET: "A"}
    other = {**live, WALLET: "B"}
    first = begin_run(database, feed, {}, paper)
    second = begin_run(database, feed, {}, live, lambda: {LIVE_CAPITAL: 7, LIVE_WALLET: 9})
    third = begin_run(database, feed, {}, other, lambda: {LIVE_CAPITAL: 8, LIVE_WALLET: 9})
    assert len({run.run_id for run in (first, second, third)}) == 3
    assert begin_run(database, feed, {}, paper).run_id == first.run_id
    resumed = begin_run(database, feed, {}, live, lambda: pytest.fail("a resumed run keeps its capital"))
    assert (resumed.run_id, resumed.resumed) == (second.run_id, True)
    assert [read_live_capital(database, run.run_id) for run in (first, second, third)] == [None, 7, 8]
