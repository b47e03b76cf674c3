"""Methods about priority fees: what recent transactions paid for a compute unit."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.pubkey import Pubkey

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.checks import message_of
from memesnipe.localnet.lookup_tables import static_flags
from memesnipe.localnet.records import TransactionRecord
from memesnipe.localnet.rpc.errors import invalid
from memesnipe.localnet.rpc.params import Call
from memesnipe.localnet.rpc.sending import decode_transaction

_BLOCKS: Final = 150
_SET_PRICE: Final = 3  # first byte of the instruction
Level = Literal["Min", "Low", "Medium", "High", "VeryHigh", "UnsafeMax", "Default"]
_PERCENTILES: Final[dict[Level, int]] = {
    "Min": 0, "Low": 25, "Medium": 50, "High": 75, "VeryHigh": 95, "UnsafeMax": 100,
}  # fmt: skip


class GetRecentPrioritizationFees(Call, frozen=True):
    """The lowest price in each recent block; with accounts at least the lowest among those that write one of them.

    Source: ``agave/runtime/src/prioritization_fee_cache.rs``.
    """

    addresses: Annotated[list[Pubkey], msgspec.Meta(max_length=128)] = []  # noqa: RUF012 - msgspec copies it

    def result(self, chain: Chain) -> Any:
        """Return micro-lamports for a compute unit by slot; 0 for a block without transactions."""
        found = []
        for block in chain.ledger.newest(_BLOCKS):
            others = chain.fees.prices(block.slot)  # which write every account
            fee = min([price_of(record) for record in block.transactions] + [*others], default=0)
            for address in self.addresses:
                written = [price_of(record) for record in block.transactions if _writes(record, address)]
                fee = max(fee, min([*written, *others], default=0))
            found.append({"slot": block.slot, "prioritizationFee": fee})
        return found[::-1]


class EstimateOptions(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """What Helius is asked for."""

    priority_level: Level | None = None
    include_all_priority_fee_levels: bool = False
    recommended: bool = False
    transaction_encoding: Literal["base64"] = "base64"


class EstimateRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """The transaction or the accounts to estimate for."""

    transaction: str | None = None
    account_keys: list[Pubkey] | None = None
    options: EstimateOptions = EstimateOptions()


class GetPriorityFeeEstimate(Call, frozen=True):
    """Helius's estimate."""

    request: EstimateRequest

    def result(self, chain: Chain) -> Any:
        """Return a percentile of the prices in recent blocks, in micro-lamports for a compute unit."""
        addresses = self._addresses()
        prices = sorted(
            price
            for block in chain.ledger.newest(_BLOCKS)
            for price in (*chain.fees.prices(block.slot), *_prices(block.transactions, addresses))
        )
        levels = {level: _percentile(prices, percent) for level, percent in _PERCENTILES.items()}
        options = self.request.options
        if options.include_all_priority_fee_levels:
            return {"priorityFeeLevels": {f"{name[0].lower()}{name[1:]}": fee for name, fee in levels.items()}}
        level = options.priority_level or "Medium"
        return {"priorityFeeEstimate": levels["Medium" if level == "Default" else level]}

    def _addresses(self) -> list[Pubkey]:
        if (self.request.transaction is None) == (self.request.account_keys is None):
            raise invalid("one of transaction and accountKeys is required")
        if self.request.transaction is None:
            return self.request.account_keys or []
        message = message_of(decode_transaction(self.request.transaction, "base64"))
        flags = static_flags(message)
        return [key for key, is_writable in zip(message.account_keys, flags, strict=True) if is_writable]


def price_of(record: TransactionRecord) -> int:
    """Return the price of a transaction in micro-lamports for a compute unit."""
    message = record.transaction.message
    for instruction in message.instructions:
        data = bytes(instruction.data)
        if message.account_keys[instruction.program_id_index] == COMPUTE_BUDGET and data[0] == _SET_PRICE:
            return int.from_bytes(data[1:9], "little")
    return 0


def _prices(records: Sequence[TransactionRecord], addresses: Sequence[Pubkey]) -> list[int]:
    """Return the prices of transactions that write one of the accounts; of all if there are no accounts."""
    written = [one for one in records if not addresses or any(_writes(one, address) for address in addresses)]
    return [price_of(record) for record in written]


def _writes(record: TransactionRecord, address: Pubkey) -> bool:
    keys = record.keys
    return any(is_writable and key == address for key, is_writable in zip(keys.all, keys.flags, strict=True))


def _percentile(ordered: list[int], percent: int) -> float:
    """Return the smallest price that a part of all reaches; 0.0 without any."""
    if not ordered:
        return 0.0
    return float(ordered[min(len(ordered) * percent // 100, len(ordered) - 1)])
