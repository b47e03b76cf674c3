"""A chain with a market of one coin, and a wallet that trades in it."""

from typing import Any

from solders.account import Account
from solders.signature import Signature

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.market import ChainMarket, keypair_of
from memesnipe.localnet.records import TransactionRecord
from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from memesnipe.solana.addresses import SYSTEM

ME = keypair_of("me")


def fund(chain: Chain, lamports: int = 1_000 * SOL) -> None:
    """Give the wallet lamports."""
    chain.set_account(ME.pubkey(), Account(lamports, b"", SYSTEM))


class OneCoin:
    """A coin whose creation is in a block."""

    def __init__(self, seed: int = 0) -> None:
        self.chain = Chain()
        self.market = ChainMarket(self.chain, seed)
        fund(self.chain)
        self.mint = self.market.create_coin("coin")
        self.tick()

    def tick(self) -> None:
        """Produce a block; all lamports are where they were, less the fees of its transactions."""
        block = self.chain.tick()
        assert block is not None
        now = sum(account.lamports for key in block.before if (account := self.chain.account(key)))
        before = sum(account.lamports for account in block.before.values() if account)
        assert now == before - sum(record.execution.fee for record in block.transactions)

    def land(self, signature: Signature) -> TransactionRecord:
        """Produce a block; return the record of a transaction in it."""
        self.tick()
        record = self.chain.history.get(signature)
        assert record is not None
        return record

    def err(self, signature: Signature) -> Any:
        """Return the custom error with which a transaction has landed; None if it has succeeded."""
        err = self.land(signature).execution.err
        return None if err is None else err["InstructionError"][1]["Custom"]

    def held(self) -> int:
        """Return the raw tokens of the wallet."""
        return self.market.balance(ME.pubkey(), self.mint)

    def complete(self) -> None:
        """Buy the whole curve, exactly."""
        self.market.buy(ME, self.mint, 87 * SOL)
        self.tick()


def spent(record: TransactionRecord) -> int:
    """Return the lamports that the payer of a transaction has less after it, without its fee."""
    execution = record.execution
    return execution.before.lamports[0] - execution.after.lamports[0] - execution.fee
