"""Methods about the cluster: slots, heights, blockhashes, versions."""

from typing import Any, Final

from solders.hash import Hash

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.ledger import BLOCKHASH_BLOCKS
from memesnipe.localnet.rpc.errors import invalid
from memesnipe.localnet.rpc.params import API_VERSION, Call, Config, in_context

SLOTS_PER_EPOCH: Final = 432_000
_SAMPLE_SLOTS: Final = 150  # of a performance sample: one minute on mainnet
_MAX_SAMPLES: Final = 720


class GetLatestBlockhash(Call, frozen=True):
    """The newest blockhash."""

    config: Config | None = None

    def result(self, chain: Chain) -> Any:
        """Return it, with the last block height at which it is valid."""
        block = (self.config or Config()).block(chain)
        value = {"blockhash": str(block.blockhash), "lastValidBlockHeight": block.height + BLOCKHASH_BLOCKS}
        return in_context(block, value)


class IsBlockhashValid(Call, frozen=True):
    """Whether a blockhash is valid."""

    blockhash: Hash
    config: Config | None = None

    def result(self, chain: Chain) -> Any:
        """Return whether the newest block accepts it."""
        config = self.config or Config()
        block = config.block(chain)
        return in_context(block, chain.is_blockhash_valid(self.blockhash, config.commitment))


class GetBlockHeight(Call, frozen=True):
    """The height of the newest block."""

    config: Config | None = None

    def result(self, chain: Chain) -> Any:
        """Return the number of blocks."""
        return (self.config or Config()).block(chain).height


class GetSlot(Call, frozen=True):
    """The slot of the newest block."""

    config: Config | None = None

    def result(self, chain: Chain) -> Any:
        """Return the number of slots."""
        return (self.config or Config()).block(chain).slot


class GetEpochInfo(Call, frozen=True):
    """The epoch."""

    config: Config | None = None

    def result(self, chain: Chain) -> Any:
        """Return epoch, slot and height."""
        block = (self.config or Config()).block(chain)
        return {
            "absoluteSlot": block.slot,
            "blockHeight": block.height,
            "epoch": block.slot // SLOTS_PER_EPOCH,
            "slotIndex": block.slot % SLOTS_PER_EPOCH,
            "slotsInEpoch": SLOTS_PER_EPOCH,
            "transactionCount": len(chain.history),
        }


class GetHealth(Call, frozen=True):
    """Whether the node keeps up; a fault answers with an error instead."""

    def result(self, chain: Chain) -> Any:  # noqa: ARG002 - of the port
        """Return "ok"."""
        return "ok"


class GetVersion(Call, frozen=True):
    """The version of the node."""

    def result(self, chain: Chain) -> Any:  # noqa: ARG002 - of the port
        """Return the version whose behaviour is imitated."""
        return {"solana-core": API_VERSION, "feature-set": 0}


class GetGenesisHash(Call, frozen=True):
    """The cluster's identity."""

    def result(self, chain: Chain) -> Any:
        """Return a hash that is none of a public cluster."""
        return str(chain.genesis_hash)


class GetRecentPerformanceSamples(Call, frozen=True):
    """How many transactions the last slots had."""

    limit: int | None = None

    def result(self, chain: Chain) -> Any:
        """Return samples of 150 slots, the newest first."""
        limit = _MAX_SAMPLES if self.limit is None else self.limit
        if not 0 < limit <= _MAX_SAMPLES:
            raise invalid(f"Invalid limit; max {_MAX_SAMPLES}")
        totals: dict[int, int] = {}
        for block in chain.ledger.newest():
            end = block.slot - block.slot % _SAMPLE_SLOTS + _SAMPLE_SLOTS
            if end <= chain.slot:  # it is complete
                totals[end] = totals.get(end, 0) + len(block.transactions)
        return [
            {
                "slot": end,
                "numTransactions": total,
                "numNonVoteTransactions": total,
                "numSlots": _SAMPLE_SLOTS,
                "samplePeriodSecs": _SAMPLE_SLOTS * chain.slot_ms // 1000,
            }
            for end, total in list(totals.items())[:limit]
        ]
