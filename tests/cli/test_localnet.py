"""`memesnipe localnet` serves a cluster until Ctrl-C, and refuses wrong input."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from solders.keypair import Keypair

from tests.cli.in_process import memesnipe

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
