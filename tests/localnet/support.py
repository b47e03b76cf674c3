"""Wallets, transfers and a toy program for tests of the local chain."""

import base64
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import httpx
from solders.account import Account
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.system_program import TransferParams, transfer
from solders.token.associated import get_associated_token_address
from solders.token.state import Mint, TokenAccount, TokenAccountState
from solders.transaction import VersionedTransaction

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.node import Node
from memesnipe.localnet.programs import Expansion, MarketAccounts, ProgramError
from memesnipe.localnet.tokens import TOKEN

SOL = 10**9
TOY = Pubkey.from_string("7oyProgram111111111111111111111111111111111")
VAULT, _ = Pubkey.find_program_address([b"vault"], TOY)
COUNTER, _ = Pubkey.find_program_address([b"counter"], TOY)


def wallet(number: int) -> Keypair:
    """Return one of the wallets of a test."""
    return Keypair.from_seed(sha256(f"wallet {number}".encode()).digest())


def pay(source: Keypair, to: Pubkey, lamports: int) -> Instruction:
    """Return a transfer."""
    return transfer(TransferParams(from_pubkey=source.pubkey(), to_pubkey=to, lamports=lamports))


def signed(
    chain: Chain, payer: Keypair, *instructions: Instruction, blockhash: Hash | None = None
) -> VersionedTransaction:
    """Return a signed transaction with the newest blockhash."""
    newest = blockhash or chain.latest_blockhash()[0]
    return VersionedTransaction(MessageV0.try_compile(payer.pubkey(), instructions, [], newest), [payer])


def funded(*wallets: Keypair, lamports: int = 10 * SOL, **options: Any) -> Chain:
    """Return a chain on which wallets have lamports."""
    chain = Chain(**options)
    for one in wallets:
        chain.set_account(one.pubkey(), Account(lamports, b"", SYSTEM))
    return chain


class ToyProgram:
    """Pays from its vault what the instruction asks for, up to 1 SOL, and counts its calls in an account."""

    program_id = TOY

    def expand(self, data: bytes, accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
        lamports = int.from_bytes(data, "little")
        if lamports > SOL:
            raise ProgramError(6002, ["Program log: too much"])
        counter = state.account(COUNTER)
        assert counter is not None
        calls = state.pending.get(COUNTER, int.from_bytes(counter.data, "little")) + 1
        state.pending[COUNTER] = calls

        def commit() -> None:
            state.set_account(COUNTER, Account(counter.lamports, calls.to_bytes(8, "little"), TOY))

        paid = transfer(TransferParams(from_pubkey=VAULT, to_pubkey=accounts[0].pubkey, lamports=lamports))
        return Expansion([paid], ["Program log: Instruction: Pay", "Program data: AQID"], commit)

    @staticmethod
    def instruction(to: Pubkey, lamports: int, *, is_writable: bool = True) -> Instruction:
        """Return an instruction that asks for lamports."""
        return Instruction(TOY, lamports.to_bytes(8, "little"), [AccountMeta(to, False, is_writable)])


def add_toy(chain: Chain) -> None:
    """Add the toy program and its accounts to a chain."""
    chain.add_program(ToyProgram())
    chain.set_account(VAULT, Account(5 * SOL, b"", SYSTEM))
    chain.set_account(COUNTER, Account(SOL, bytes(8), TOY))


def token_address(owner: Pubkey, minted: Pubkey, program: Pubkey = TOKEN) -> Pubkey:
    """Return the associated token account of a wallet."""
    return get_associated_token_address(owner, minted, program)


def add_mint(
    chain: Chain, minted: Pubkey, holders: dict[Pubkey, int], decimals: int = 6, program: Pubkey = TOKEN
) -> None:
    """Write a mint and the token accounts of its holders."""
    state = Mint(None, sum(holders.values()), decimals, is_initialized=True, freeze_authority=None)
    chain.set_account(minted, Account(chain.minimum_balance(82), bytes(state), program))
    for owner, amount in holders.items():
        held = TokenAccount(minted, owner, amount, None, TokenAccountState.Initialized, None, 0, None)
        chain.set_account(
            token_address(owner, minted, program), Account(chain.minimum_balance(165), bytes(held), program)
        )


def pay_tokens(
    source: Keypair, to: Pubkey, minted: Pubkey, amount: int, decimals: int = 6, program: Pubkey = TOKEN
) -> Instruction:
    """Return a transfer between associated token accounts."""
    metas = [
        AccountMeta(token_address(source.pubkey(), minted, program), False, True),
        AccountMeta(minted, False, False),
        AccountMeta(token_address(to, minted, program), False, True),
        AccountMeta(source.pubkey(), True, False),
    ]
    return Instruction(program, b"\x0c" + amount.to_bytes(8, "little") + bytes([decimals]), metas)


def encoded(transaction: VersionedTransaction) -> str:
    """Return a transaction in base64."""
    return base64.b64encode(bytes(transaction)).decode()


class Client:
    """A JSON-RPC client of a node that returns replies as text."""

    def __init__(self, node: Node) -> None:
        self._http = httpx.Client(trust_env=False, timeout=20.0)
        self._url = node.rpc_url

    def text(self, method: str, *parameters: Any) -> str:
        """Return the reply to a request."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        return self._http.post(self._url, json=body).text

    def result(self, method: str, *parameters: Any) -> Any:
        """Return the result of a request."""
        return json.loads(self.text(method, *parameters))["result"]

    def error(self, method: str, *parameters: Any) -> dict[str, Any]:
        """Return the error of a request."""
        return dict(json.loads(self.text(method, *parameters))["error"])

    def post(self, content: bytes) -> httpx.Response:
        """Return the reply to any body."""
        return self._http.post(self._url, content=content)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
