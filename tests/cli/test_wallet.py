"""`memesnipe wallet`: makes a keypair once, shows its address and balance, and never its secret."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from solders.keypair import Keypair

from tests.cli.in_process import memesnipe


class Node(BaseHTTPRequestHandler):
    """A node with one balance for every account."""

    answer = b"{}"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def node() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Node) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/?api-key=of-the-node"
        server.shutdown()
        thread.join()


def secrets_of(path: Path) -> list[str]:
    key = Keypair.from_bytes(bytes(json.loads(path.read_text())))
    return [str(key), bytes(key).hex(), str(list(bytes(key)))[1:40]]


def test_new_prints_only_the_address_and_never_overwrites(tmp_path: Path) -> None:
    made = memesnipe(tmp_path, "wallet", "new")
    path = tmp_path / ".memesnipe" / "wallet" / "keypair.json"
    address = str(Keypair.from_bytes(bytes(json.loads(path.read_text()))).pubkey())
    assert (made.returncode, made.stdout, made.stderr) == (0, address + "\n", "")
    again = memesnipe(tmp_path, "wallet", "new")
    assert (again.returncode, again.stdout, again.stderr.count("\n")) == (2, "", 1)
    assert "never overwritten" in again.stderr
    other = json.loads(memesnipe(tmp_path, "wallet", "new", "other.json", "--json").stdout)
    assert other["address"] != address
    assert not any(secret in made.stdout + again.stderr for secret in secrets_of(path))


def test_show_prints_address_and_balance(tmp_path: Path, node: str) -> None:
    address = memesnipe(tmp_path, "wallet", "new").stdout.strip()
    Node.answer = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"context": {}, "value": 1_500_000_001}}).encode()
    shown = memesnipe(tmp_path, "wallet", "show", SOLANA_RPC_URL=node)
    assert (shown.returncode, shown.stdout) == (0, f"{address}\n1.500000001 SOL\n")
    reply = json.loads(memesnipe(tmp_path, "wallet", "show", "--json", SOLANA_RPC_URL=node).stdout)
    assert reply == {"address": address, "balance_lamports": 1_500_000_001, "error": ""}


@pytest.mark.parametrize("answer", [b"no JSON", b"{}", b'{"result": {"value": -1}}', b'{"result": null}'])
def test_show_says_that_the_node_does_not_answer(tmp_path: Path, node: str, answer: bytes) -> None:
    address = memesnipe(tmp_path, "wallet", "new").stdout.strip()
    Node.answer = answer
    shown = memesnipe(tmp_path, "wallet", "show", SOLANA_RPC_URL=node)
    assert (shown.returncode, shown.stdout) == (0, address + "\n")
    assert "no balance" in shown.stderr
    assert "of-the-node" not in shown.stderr


def test_show_refuses_an_unsafe_file(tmp_path: Path) -> None:
    memesnipe(tmp_path, "wallet", "new", "key.json")
    (tmp_path / "key.json").chmod(0o644)
    shown = memesnipe(tmp_path, "wallet", "show", "key.json")
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "chmod 600" in shown.stderr


def test_a_mistyped_path_makes_no_folder(tmp_path: Path) -> None:
    done = memesnipe(tmp_path, "wallet", "new", "nodir/w.json")
    assert (done.returncode, done.stdout) == (2, "") and "there is no folder nodir; make it first" in done.stderr
    assert not (tmp_path / "nodir").exists()
    shown = memesnipe(tmp_path, "wallet", "show", "w.json")
    assert shown.returncode == 2 and "w.json: there is no such file; `memesnipe wallet new` makes" in shown.stderr
