"""Methods that take a transaction: simulate and send; and the faucet."""

import base64
from typing import Annotated, Any, Final, Literal

import msgspec
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from memesnipe import base58
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.errors import RejectedTransactionError
from memesnipe.localnet.records import Commitment
from memesnipe.localnet.rpc.account_json import Encoding, account_json
from memesnipe.localnet.rpc.errors import INVALID_PARAMS, RpcError, invalid, preflight_failure, unreadable
from memesnipe.localnet.rpc.params import Call, Config, in_context
from memesnipe.localnet.runner import Simulation

PACKET_BYTES: Final = 1_232  # the largest transaction
_FAUCET_LIMIT: Final = 10_000 * 10**9
TransactionEncoding = Literal["base58", "base64"]


class SimulatedAccounts(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The accounts to return from a simulation."""

    addresses: Annotated[list[Pubkey], msgspec.Meta(max_length=64)]
    encoding: Encoding = "base64"


class SimulateConfig(Config, frozen=True):
    """How to simulate."""

    sig_verify: bool = False
    replace_recent_blockhash: bool = False
    encoding: TransactionEncoding = "base58"
    accounts: SimulatedAccounts | None = None
    inner_instructions: bool = False


class SendConfig(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """How to send."""

    skip_preflight: bool = False
    preflight_commitment: Commitment = "finalized"
    encoding: TransactionEncoding = "base58"
    max_retries: int | None = None  # of the node, which reaches the leader at once here
    min_context_slot: int | None = None


class SimulateTransaction(Call, frozen=True):
    """What a transaction would do."""

    transaction: str
    config: SimulateConfig | None = None

    def result(self, chain: Chain) -> Any:
        """Return error, log and units; the accounts are those of the newest block at any commitment."""
        config = self.config or SimulateConfig()
        if config.sig_verify and config.replace_recent_blockhash:
            raise invalid("sigVerify may not be used with replaceRecentBlockhash")
        block = config.block(chain)
        transaction = decode_transaction(self.transaction, config.encoding)
        replacement = None
        if config.replace_recent_blockhash:
            blockhash, last = chain.latest_blockhash(config.commitment)
            replacement = {"blockhash": str(blockhash), "lastValidBlockHeight": last}
        found = _simulate(
            chain, transaction, config.commitment, verify=config.sig_verify, check_blockhash=replacement is None
        )
        value = {
            "accounts": None if config.accounts is None else _accounts(chain, config.accounts, found),
            "err": found.err,
            "innerInstructions": None,
            "logs": found.logs,
            "replacementBlockhash": replacement,
            "returnData": None,
            "unitsConsumed": found.units,
        }
        return in_context(block, value)


class SendTransaction(Call, frozen=True):
    """Send a transaction to the cluster."""

    transaction: str
    config: SendConfig | None = None

    def result(self, chain: Chain) -> Any:
        """Return its signature. Without preflight, a transaction that cannot land is dropped in silence."""
        config = self.config or SendConfig()
        Config(commitment=config.preflight_commitment, min_context_slot=config.min_context_slot).block(chain)
        transaction = decode_transaction(self.transaction, config.encoding)
        if not config.skip_preflight:
            found = _simulate(chain, transaction, config.preflight_commitment, verify=True, check_blockhash=True)
            if found.err is not None:
                raise preflight_failure(found.err, found.logs, found.units)
        try:
            chain.send(transaction)
        except RejectedTransactionError as error:
            failure = unreadable(error)
            if error.err != "SignatureFailure" and failure is not None:
                raise failure from None
            chain.dropped[str(error.err)] += 1
        return str(transaction.signatures[0])


class RequestAirdrop(Call, frozen=True):
    """Lamports of the faucet."""

    address: Pubkey
    lamports: Annotated[int, msgspec.Meta(ge=1, le=_FAUCET_LIMIT)]
    config: Config | None = None

    def result(self, chain: Chain) -> Any:
        """Return the signature of the faucet's transfer."""
        return str(chain.airdrop(self.address, self.lamports))


def decode_transaction(text: str, encoding: TransactionEncoding) -> VersionedTransaction:
    """Return a transaction.

    Raises:
        RpcError: it is none, too large, or not signed by anybody.
    """
    try:
        data = base64.b64decode(text, validate=True) if encoding == "base64" else base58.decode(text[:2_000])
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, f"invalid {encoding} encoding: {error}") from None
    if len(data) > PACKET_BYTES:
        raise RpcError(INVALID_PARAMS, f"decoded transaction too large: {len(data)} bytes (max: {PACKET_BYTES} bytes)")
    try:
        transaction = VersionedTransaction.from_bytes(data)
    except ValueError as error:
        raise RpcError(INVALID_PARAMS, f"failed to deserialize transaction: {error}") from None
    if bytes(transaction) != data:
        raise RpcError(INVALID_PARAMS, "failed to deserialize transaction: trailing bytes")
    if not transaction.signatures:
        raise RpcError(INVALID_PARAMS, "invalid transaction: Transaction failed to sanitize accounts offsets correctly")
    return transaction


def _simulate(
    chain: Chain, transaction: VersionedTransaction, commitment: Commitment, *, verify: bool, check_blockhash: bool
) -> Simulation:
    """Return what a transaction would do, its reasons not to land included.

    A node looks for the blockhash among those at the commitment: one that is too new for it is not found.
    """
    try:
        if check_blockhash and not chain.is_blockhash_valid(transaction.message.recent_blockhash, commitment):
            raise RejectedTransactionError("BlockhashNotFound")
        return chain.simulate(transaction, verify=verify, check_blockhash=check_blockhash)
    except RejectedTransactionError as error:
        failure = unreadable(error)
        if failure is not None:
            raise failure from None
        return Simulation(error.err, error.logs, 0, 0, {})


def _accounts(chain: Chain, wanted: SimulatedAccounts, found: Simulation) -> list[Any]:
    """Return accounts as they would be afterwards."""
    accounts = [found.accounts.get(address, chain.account(address)) for address in wanted.addresses]
    return [account_json(account, wanted.encoding, None, chain, "processed") for account in accounts]
