"""The signer of an installation, from its files."""

from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from memesnipe.clock import SYSTEM_CLOCK
from memesnipe.errors import InputError, first_line
from memesnipe.signer.app import Signing, create_signer_api
from memesnipe.signer.audit import AuditLog
from memesnipe.signer.policy import load_policy, make_policy
from memesnipe.signer.rate_limit import RateLimit
from memesnipe.signer.rpc import RpcChain
from memesnipe.signer.service import Signer
from memesnipe.signer.spending import SpendingBook
from memesnipe.solana.request_mac import RequestVerifier, load_secret
from memesnipe.solana.wallet import load_wallet

_MS = 1_000_000  # ns


@dataclass(frozen=True)
class SignerFiles:
    """Where the signer's files are.

    Args:
        wallet: the keypair.
        token: the secret that the clients share.
        policy: what is signed; the default one is written where there is none.
        folder: of the spending book and the audit log.
        halt: the kill switch.
    """

    wallet: Path
    token: Path
    policy: Path
    folder: Path
    halt: Path


def open_signer_api(files: SignerFiles, rpc_url: str) -> FastAPI:
    """Return the application. With a wrong policy, secret or audit log it runs, and refuses to sign with the reason.

    Raises:
        InputError: the wallet cannot be used.
    """
    pubkey = str(load_wallet(files.wallet).pubkey())
    try:
        return create_signer_api(pubkey, _open_signing(files, rpc_url))
    except (InputError, OSError) as error:
        return create_signer_api(pubkey, unavailable=first_line(error))


def _open_signing(files: SignerFiles, rpc_url: str) -> Signing:
    make_policy(files.policy)
    policy, secret = load_policy(files.policy), load_secret(files.token)
    book = SpendingBook(files.folder / "spending.sqlite")
    audit = AuditLog(files.folder / "audit.jsonl", SYSTEM_CLOCK.now_ns() // _MS)
    signer = Signer(load_wallet(files.wallet), policy, RpcChain(rpc_url), book, audit, files.halt)
    limit = RateLimit(policy.requests.per_second, policy.requests.burst, SYSTEM_CLOCK)
    return Signing(signer, RequestVerifier(secret, book), limit)
