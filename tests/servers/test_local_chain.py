"""The local chain as a child process: it answers, ends with its block, and is not replaced when it dies."""

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
    return [one for one in psutil.Process().children() if "localnet" in one.cmdline()]


def test_a_chain_funds_its_wallet_and_its_death_is_an_error(tmp_path: Path) -> None:
    with LocalChain(tmp_path, ["--fund", WALLET, "--sol", "2"]) as chain:
        chain.launch()
        urls = chain.wait()
        assert read_balance(urls.rpc_url, WALLET) == 2_000_000_000
        assert genesis_hash(urls.rpc_url)
        chain.check()
        (child,) = children()
        os.kill(child.pid, signal.SIGKILL)
        child.wait(10)
        with pytest.raises(MemeSnipeError, match="the run cannot go on"):
            chain.check()
    assert wait_until(lambda: not children(), 10)


def test_a_chain_with_wrong_options_says_why_it_does_not_start(tmp_path: Path) -> None:
    with LocalChain(tmp_path, ["--fault", "gravity=1"]) as chain:
        chain.launch()
        with pytest.raises(LocalServerError, match="there is no such fault"):
            chain.wait()
