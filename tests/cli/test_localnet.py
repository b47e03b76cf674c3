"""`memesnipe localnet` serves a cluster until Ctrl-C, and refuses wrong input."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from solders.keypair import Keypair

from memesnipe.tapes.tape import write_tape
from tests.cli.in_process import memesnipe
from tests.localnet.markets.tapes import TapeBuilder

ADDRESS = str(Keypair.from_seed(bytes(32)).pubkey())


def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    options = ["--rpc-port", "0", "--ws-port", "0", "--slot-ms", "5", "--fund", ADDRESS, "--sol", "2.5"]
    command = [sys.executable, "-m", "memesnipe", "localnet", *options, "--fault", "skip=0.5", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        assert started["funded_lamports"] == {ADDRESS: 2_500_000_000}
        assert started["websocket_url"].startswith("ws://127.0.0.1:")
        with httpx.Client(trust_env=False) as client:
            body = {"jsonrpc": "2.0", "id": 1, "method": "getBalance", "params": [ADDRESS]}
            assert client.post(started["rpc_url"], json=body).json()["result"]["value"] == 2_500_000_000
            body = {"jsonrpc": "2.0", "id": 1, "method": "getHealth"}
            assert client.post(started["rpc_url"], json=body).json()["result"] == "ok"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert "transactions" in err
    assert "Traceback" not in err


def test_the_market_of_a_tape_is_started_on_request(tmp_path: Path) -> None:
    builder = TapeBuilder().trade(0, "A", 1, sol=10**9).other(0, "social", mint="A", sentiment=0.1, mentions=3.0)
    write_tape(tmp_path / "a.tape", builder.trade(1, "A", 2, sol=10**9).tape())
    options = ["--rpc-port", "0", "--ws-port", "0", "--slot-ms", "5", "--tape", "a.tape", "--speed", "50"]
    command = [sys.executable, "-m", "memesnipe", "localnet", *options, "--start-on-request", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process, httpx.Client(trust_env=False) as client:  # fmt: skip
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        assert started["market"] == "2 trades of 1 coins over 1 s; left out: 1 social events"
        url = f"{started['rpc_url']}/market"
        assert client.get(url).json()["state"] == "waiting"
        client.post(f"{url}/start")
        deadline_s = time.monotonic() + 60
        while (status := client.get(url).json())["state"] != "ended":
            assert time.monotonic() < deadline_s, status
        assert (status["sent"], status["landed"], status["failed"]) == (3, 3, {})
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--fund", "nobody"], "--fund nobody: is no address of a wallet"),
        (["--fault", "rain=0.1"], "--fault 'rain=0.1': there is no such fault; choose from drop, delay"),
        (["--fault", "drop=much"], "--fault 'drop=much': 'much' is no number"),
        (["--fault", "drop=2"], "--fault: the rate of drop must be a probability from 0 to 1"),
        (["--fault", "drop=0.1", "--fault", "drop=0.2"], "--fault 'drop=0.2': drop is given twice"),
        (["--fault", "fail_code=-1"], "--fault: fail_code must be a custom error from 0 to 4294967295"),
        (["--sol", "2"], "--sol: there is no wallet to fund; name one with --fund"),
        (["--speed", "2"], "--speed: is that of a tape; name one with --tape"),
        (["--tape", "a.tape", "--market", "1"], "--market: is of the generated market, and --tape replaces it"),
        (["--tape", "a.tape"], "a.tape"),
    ],
)
def test_wrong_input_is_refused(tmp_path: Path, options: list[str], text: str) -> None:
    done = memesnipe(tmp_path, "localnet", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
