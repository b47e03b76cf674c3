"""The wallet of a live run against its records: on a real chain, and on what was stored at the end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from solders.account import Account as ChainAccount
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.node import Node
from memesnipe.localnet.tokens import TOKEN
from memesnipe.solana.addresses import token_address
from memesnipe.solana.balance import Holdings, read_holdings
from memesnipe.storage.runs import CHAIN, LIVE_WALLET, WALLET
from memesnipe.storage.schema import OrderRow, RunRow, TradeRow
from memesnipe.storage.schema_submissions import SubmissionRow
from memesnipe.storage.wallets import write_wallet
from memesnipe.verification.wallet import wallet_verdict

OPENING, SPENT, HELD = 10_000_000_000, 12_039_280 + 115_000, 700
MINT = Keypair.from_seed(bytes([1] * 32)).pubkey()
OWNER = Keypair.from_seed(bytes([2] * 32)).pubkey()
NOBODY = "http://127.0.0.1:1"  # nothing listens there


@dataclass
class Case:
    """A run, and a chain whose wallet agrees with its records."""

    database: sa.Engine
    run_id: int
    node: Node

    def verdict(self, rpc_url: str | None = None) -> dict[str, Any]:
        with self.database.connect() as connection:
            found = wallet_verdict(connection, self.run_id, rpc_url or self.node.rpc_url)
        assert found is not None
        return found

    def hold(self, lamports: int, tokens: int) -> None:
        """Set what the wallet holds."""
        data = bytes(MINT) + bytes(OWNER) + tokens.to_bytes(8, "little") + bytes(36) + b"\1" + bytes(56)

        def write() -> None:
            self.node.chain.set_account(OWNER, ChainAccount(lamports, b"", Pubkey.default()))
            self.node.chain.set_account(token_address(OWNER, MINT, TOKEN), ChainAccount(2_039_280, data, TOKEN))

        self.node.call(write)
        self.node.tick(2)  # confirmed


@pytest.fixture
def case(database: sa.Engine, new_run: int, insert: Callable[..., None]) -> Iterator[Case]:
    chain = Chain()
    mint = bytes(36) + (10**9).to_bytes(8, "little") + bytes([6, 1]) + bytes(36)
    chain.set_account(MINT, ChainAccount(chain.minimum_balance(82), mint, TOKEN))
    settings = {WALLET: str(OWNER), CHAIN: str(chain.genesis_hash), LIVE_WALLET: OPENING}
    with database.begin() as connection:
        connection.execute(sa.update(RunRow).where(RunRow.run_id == new_run).values(settings=settings))
    live: dict[str, Any] = {"account": "live", "mint": str(MINT)}
    trades: list[dict[str, Any]] = [
        {"order_id": "live-1", "side": "buy", "token_raw": 1_000, "sol_lamports": 20_000_000,
         "pool_fee_lamports": 200_000, "network_fee_lamports": 115_000 + 2_039_280},
        {"order_id": "live-2", "side": "sell", "token_raw": 300, "sol_lamports": 10_600_000,
         "pool_fee_lamports": 200_000, "network_fee_lamports": 115_000},
        {"order_id": "live-3", "side": "buy", "failure": "slipped", "network_fee_lamports": 85_000},
    ]  # fmt: skip
    for trade in trades:
        insert(TradeRow, **live, **trade)
    insert(TradeRow, account="paper", order_id="1", mint=str(MINT), side="buy", token_raw=5, sol_lamports=7)
    with Node(chain, is_paced=False) as node:
        made = Case(database, new_run, node)
        made.hold(OPENING - SPENT, HELD)
        yield made


def test_a_wallet_that_agrees_has_no_difference(case: Case) -> None:
    found = case.verdict()
    assert (found["source"], found["differences"], found["lamports"]) == ("chain", [], OPENING - SPENT)


@pytest.mark.parametrize(
    ("lamports", "tokens", "expected"),
    [
        (-1, 0, ["a difference of -1"]),
        (1, 0, ["a difference of 1"]),
        (0, -1, [f"{HELD - 1} raw tokens of {MINT}, the records say {HELD}"]),
        (-5_000, -HELD, ["a difference of -5000", f"0 raw tokens of {MINT}"]),
    ],
)
def test_every_difference_is_a_line(case: Case, lamports: int, tokens: int, expected: list[str]) -> None:
    case.hold(OPENING - SPENT + lamports, HELD + tokens)
    found = case.verdict()["differences"]
    assert len(found) == len(expected)
    assert all(part in line for part, line in zip(expected, found, strict=True))


def test_while_orders_are_in_flight_nothing_is_compared(case: Case, insert: Callable[..., None]) -> None:
    case.hold(OPENING - SPENT - 1, HELD)
    insert(OrderRow, account="live", order_id="live-4", token=0, spec_id="a", decided_seq=0)
    assert (case.verdict()["open_orders"], case.verdict()["differences"]) == (1, [])
    insert(SubmissionRow, order_id="live-4", mint=str(MINT), intent={}, status="signed")
    assert (case.verdict()["open_orders"], case.verdict()["differences"]) == (1, [])
    insert(SubmissionRow, order_id="live-5", mint=str(MINT), intent={}, status="reconciled")
    with case.database.begin() as connection:
        done = sa.update(SubmissionRow).where(SubmissionRow.run_id == case.run_id).values(status="reconciled")
        connection.execute(done)
    found = case.verdict()
    assert found["open_orders"] == 0
    assert "a difference of -1" in found["differences"][0]


def test_a_trade_that_is_recorded_while_the_wallet_is_read_is_in_flight(
    case: Case, insert: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(rpc_url: str, wallet: str) -> Holdings:
        found = read_holdings(rpc_url, wallet)
        insert(TradeRow, account="live", order_id="live-4", mint=str(MINT), side="buy", network_fee_lamports=5_000)
        return found

    monkeypatch.setattr("memesnipe.verification.wallet.read_holdings", read)
    found = case.verdict()
    assert (found["open_orders"], found["differences"]) == (1, [])


def test_without_the_chain_what_was_stored_is_compared(case: Case) -> None:
    assert case.verdict(NOBODY)["source"] == "not compared: the node does not answer: ConnectError"
    write_wallet(case.database, case.run_id, OPENING - SPENT, {str(MINT): HELD})
    assert (case.verdict(NOBODY)["source"], case.verdict(NOBODY)["differences"]) == ("record", [])
    write_wallet(case.database, case.run_id, OPENING - SPENT + 3, {str(MINT): HELD})
    assert "a difference of 3" in case.verdict(NOBODY)["differences"][0]


def test_the_wallet_of_another_chain_is_not_compared(case: Case) -> None:
    with Node(Chain(start_unix_s=1), is_paced=False) as other:
        assert case.verdict(other.rpc_url)["source"] == "not compared: the node is of another chain"


def test_a_run_on_paper_has_no_wallet(database: sa.Engine, new_run: int) -> None:
    with database.connect() as connection:
        assert wallet_verdict(connection, new_run, NOBODY) is None
