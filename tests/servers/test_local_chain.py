"""The local chain as a child process: it answers, ends with its block, and goes on when it was killed."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from memesnipe.errors import MemeSnipeError
from memesnipe.servers.local_chain import LocalChain
from memesnipe.servers.process import LocalServerError, wait_until
from memesnipe.solana.balance import genesis_hash, read_balance

WALLET = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"


def children() -> list[psutil.Process]:
    alive = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    return [one for one in alive if "localnet" in one.cmdline()]


def answers(url: str) -> bool:
    try:
        genesis_hash(url)
    except MemeSnipeError:
        return False
    return True


def test_a_chain_funds_its_wallet_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    with LocalChain(tmp_path, ["--fund", WALLET, "--sol", "2", "--slot-ms", "50"]) as chain:
        chain.launch()
        urls = chain.wait()
        assert read_balance(urls.rpc_url, WALLET) == 2_000_000_000
        genesis = genesis_hash(urls.rpc_url)
        assert not chain.restart_if_dead()
        (child,) = children()
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
        assert chain.restart_if_dead()
        assert not chain.restart_if_dead()
        assert wait_until(lambda: answers(urls.rpc_url), 60)
        assert (genesis_hash(urls.rpc_url), read_balance(urls.rpc_url, WALLET)) == (genesis, 2_000_000_000)
    assert wait_until(lambda: not children(), 10)


def test_the_next_launch_is_another_chain(tmp_path: Path) -> None:
    found = []
    for seed in ("1", "2"):
        with LocalChain(tmp_path, ["--seed", seed]) as chain:
            chain.launch()
            found.append(genesis_hash(chain.wait().rpc_url))
    assert found[0] != found[1]


def test_a_chain_with_wrong_options_says_why_it_does_not_start(tmp_path: Path) -> None:
    with LocalChain(tmp_path, ["--fault", "gravity=1"]) as chain:
        chain.launch()
        with pytest.raises(LocalServerError, match="there is no such fault"):
            chain.wait()
