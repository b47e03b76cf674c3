"""The blocks of the chain, which of them are confirmed and finalized, and accounts as they were at each."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Final

from solders.account import Account
from solders.hash import Hash
from solders.pubkey import Pubkey

from memesnipe.localnet.accounts import Accounts
from memesnipe.localnet.records import Block, Commitment

BLOCKHASH_BLOCKS: Final = 150  # a blockhash is valid in this number of blocks after its own
_KEPT_BLOCKS: Final = 512


class Ledger:
    """Blocks in order; their heights are consecutive.

    Args:
        genesis: the first block; it is finalized.
        accounts: the current state.
        confirmed_after: number of blocks after which one is confirmed; at least 1.
        finalized_after: number of blocks after which one is finalized; no less.

    Raises:
        ValueError: a number is too small.
    """

    def __init__(self, genesis: Block, accounts: Accounts, confirmed_after: int, finalized_after: int) -> None:
        if not 1 <= confirmed_after <= finalized_after:
            raise ValueError("at least 1 block must confirm, and no fewer finalize")
        self._blocks: deque[Block] = deque([genesis])
        self._accounts = accounts
        self._after = (confirmed_after, finalized_after)
        self._heights: dict[Hash, int] = {genesis.blockhash: genesis.height}
        self._confirmed = self._finalized = genesis.height

    @property
    def head(self) -> Block:
        """Return the newest block."""
        return self._blocks[-1]

    def height(self, commitment: Commitment) -> int:
        """Return the height of the newest block at a commitment."""
        if commitment == "processed":
            return self.head.height
        return self._confirmed if commitment == "confirmed" else self._finalized

    def block(self, commitment: Commitment) -> Block:
        """Return the newest block at a commitment."""
        return self.at(self.height(commitment))

    def at(self, height: int) -> Block:
        """Return a block that is still kept."""
        return self._blocks[height - self._blocks[0].height]

    def newest(self, count: int = _KEPT_BLOCKS) -> Iterator[Block]:
        """Yield the newest blocks, the newest first."""
        return islice(reversed(self._blocks), count)

    def append(self, block: Block) -> None:
        """Add a block."""
        self._blocks.append(block)
        self._heights[block.blockhash] = block.height
        confirmed_after, finalized_after = self._after
        self._confirmed = max(self._confirmed, block.height - confirmed_after)
        while self._finalized < block.height - finalized_after:
            self._finalized += 1
            self.at(self._finalized).before.clear()
        while len(self._blocks) > _KEPT_BLOCKS:
            del self._heights[self._blocks.popleft().blockhash]

    def roll_back(self, count: int) -> list[Block]:
        """Remove the newest blocks, and restore the accounts; return the blocks, the newest first.

        Raises:
            ValueError: a block is finalized.
        """
        if not 0 < count <= self.head.height - self._finalized:
            raise ValueError(f"{count} blocks cannot be rolled back: {self.head.height - self._finalized} can be")
        removed = [self._blocks.pop() for _ in range(count)]
        for block in removed:
            self._accounts.restore(block.before)
            del self._heights[block.blockhash]
        self._confirmed = min(self._confirmed, self.head.height)
        return removed

    def age(self, blockhash: Hash, commitment: Commitment = "processed") -> int | None:
        """Return the number of blocks since a blockhash; None if it is unknown at that commitment."""
        height = self._heights.get(blockhash)
        newest = self.height(commitment)
        return None if height is None or height > newest else newest - height

    def account(self, address: Pubkey, commitment: Commitment) -> Account | None:
        """Return an account as it was at the newest block of a commitment."""
        for height in range(self.height(commitment) + 1, self.head.height + 1):
            before = self.at(height).before
            if address in before:
                return before[address]
        return self._accounts.get(address)

    def amend(self, address: Pubkey, account: Account | None) -> None:
        """Write an account outside of any block, as if it had always been so: at every commitment, in every fork."""
        for height in range(self._finalized + 1, self.head.height + 1):
            before = self.at(height).before
            if address in before:
                before[address] = account
        self._accounts.restore({address: account})
