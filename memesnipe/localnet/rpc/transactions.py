"""Methods about transactions in blocks: statuses, lists and contents."""

from typing import Annotated, Any, Final

import msgspec
from solders.pubkey import Pubkey
from solders.signature import Signature

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.records import Commitment, TransactionRecord
from memesnipe.localnet.rpc.errors import UNSUPPORTED_VERSION, RpcError, invalid
from memesnipe.localnet.rpc.params import Call, Config, in_context
from memesnipe.localnet.rpc.transaction_json import (
    TransactionEncoding,
    meta_json,
    status_json,
    transaction_json,
    version_of,
)

_RECENT_BLOCKS: Final = 300  # in which a node looks for a status unless it is asked to search its history
_MAX_SIGNATURES: Final = 256
_MAX_LISTED: Final = 1_000


class StatusConfig(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """Where to look for statuses."""

    search_transaction_history: bool = False


class ListConfig(Config, frozen=True):
    """Which part of a list to return: older than ``before``, newer than ``until``."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=_MAX_LISTED)] = _MAX_LISTED
    before: Signature | None = None
    until: Signature | None = None


class TransactionConfig(Config, frozen=True):
    """How to return a transaction."""

    encoding: TransactionEncoding = "json"
    max_supported_transaction_version: Annotated[int, msgspec.Meta(ge=0)] | None = None


class GetSignatureStatuses(Call, frozen=True):
    """What became of transactions."""

    signatures: Annotated[list[Signature], msgspec.Meta(max_length=_MAX_SIGNATURES)]
    config: StatusConfig | None = None

    def result(self, chain: Chain) -> Any:
        """Return a status, or null, for each signature."""
        is_old_known = (self.config or StatusConfig()).search_transaction_history
        oldest = 0 if is_old_known else chain.ledger.head.height - _RECENT_BLOCKS
        found = [_status(chain, chain.history.get(signature), oldest) for signature in self.signatures]
        return in_context(chain.ledger.head, found)


class GetSignaturesForAddress(Call, frozen=True):
    """The transactions that name an account."""

    address: Pubkey
    config: ListConfig | None = None

    def result(self, chain: Chain) -> Any:
        """Return them, the newest first."""
        config = self.config or ListConfig()
        _check_history(config.commitment)
        config.block(chain)
        newest = chain.ledger.height(config.commitment)
        records = [one for one in chain.history.of_address(self.address) if one.height <= newest]
        positions = {record.signature: index for index, record in enumerate(records)}
        start = positions.get(config.before, len(records) - 1) + 1 if config.before is not None else 0
        end = positions.get(config.until, len(records)) if config.until is not None else len(records)
        return [
            {
                "signature": str(record.signature),
                "slot": record.slot,
                "err": record.execution.err,
                "memo": None,
                "blockTime": record.unix_timestamp,
                "confirmationStatus": _commitment(chain, record),
            }
            for record in records[start : min(end, start + config.limit)]
        ]


class GetTransaction(Call, frozen=True):
    """A transaction in a block."""

    signature: Signature
    config: TransactionConfig | None = None

    def result(self, chain: Chain) -> Any:
        """Return it with its outcome; null if it is in no block at the commitment."""
        config = self.config or TransactionConfig()
        _check_history(config.commitment)
        config.block(chain)
        record = chain.history.get(self.signature)
        if record is None or record.height > chain.ledger.height(config.commitment):
            return None
        version = version_of(record)
        newest = config.max_supported_transaction_version
        if version != "legacy" and newest is None:
            raise RpcError(
                UNSUPPORTED_VERSION,
                f"Transaction version ({version}) is not supported by the requesting client. Please try the request "
                f'again with the following configuration parameter: "maxSupportedTransactionVersion": {version}',
            )
        return {
            "slot": record.slot,
            "transaction": transaction_json(record, config.encoding),
            "meta": meta_json(record),
            "blockTime": record.unix_timestamp,
            **({} if newest is None else {"version": version}),
        }


def _check_history(commitment: Commitment) -> None:
    if commitment == "processed":
        raise invalid("Method does not support commitment below `confirmed`")


def _commitment(chain: Chain, record: TransactionRecord) -> Commitment:
    """Return the highest commitment of a transaction."""
    if record.height <= chain.ledger.height("finalized"):
        return "finalized"
    return "confirmed" if record.height <= chain.ledger.height("confirmed") else "processed"


def _status(chain: Chain, record: TransactionRecord | None, oldest: int) -> dict[str, Any] | None:
    if record is None or record.height < oldest:
        return None
    commitment = _commitment(chain, record)
    return {
        "slot": record.slot,
        "confirmations": None if commitment == "finalized" else chain.ledger.head.height - record.height,
        "err": record.execution.err,
        "status": status_json(record),
        "confirmationStatus": commitment,
    }
