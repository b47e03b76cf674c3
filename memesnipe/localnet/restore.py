"""A chain made again from its journal: the same blocks, balances, statuses and market, by the same steps."""

from collections.abc import Iterable

from memesnipe.errors import InputError
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.jito import JitoServer
from memesnipe.localnet.journal import BlockStep, BundleStep, ForkStep, StartStep, Step
from memesnipe.localnet.markets.player import MarketPlayer
from memesnipe.localnet.mempool import Entry


class _Given:
    """A mempool that gives the entries of a journal, and keeps what the market has sent since the last block."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.added: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Add an entry, which is also among those given if it was in a block."""
        self.added.append(entry)

    def take(self) -> list[Entry]:
        """Return the entries of the next block."""
        self.added.clear()
        return self.entries


def restore(chain: Chain, player: MarketPlayer, jito: JitoServer, steps: Iterable[Step]) -> int:
    """Repeat the steps of a journal on a new chain with the same options; return the number of blocks.

    Afterwards the mempool has what the market has sent last. What others had sent, and was in no block, is lost.

    Raises:
        InputError: the steps do not lead to the same chain.
    """
    pool, given, blocks = chain.mempool, _Given(), 0
    given.added = pool.take()  # of a market that began with the chain
    chain.mempool = given
    for step in steps:
        match step:
            case StartStep(slot):
                chain.slot = slot
                player.start()
            case BundleStep(slot, signatures):
                jito.remember(signatures, slot)
            case ForkStep(count):
                _roll_back(chain, count)
            case BlockStep(slot, fees_lamports, entries):
                given.entries, chain.slot = list(entries), slot - 1
                chain.tick()
                blocks += 1
                if chain.fees_lamports != fees_lamports:
                    raise InputError(
                        f"--journal: in slot {slot} the fees are {chain.fees_lamports}, and were {fees_lamports}: "
                        "the journal is of another chain"
                    )
    chain.mempool = pool
    for entry in given.added:
        pool.add(entry)
    return blocks


def _roll_back(chain: Chain, count: int) -> None:
    try:
        chain.roll_back(count)
    except ValueError as error:
        raise InputError(f"--journal: {error}: the journal is of another chain") from None
