"""Where a running installation may leave a secret, and the scan of all these places."""

import json
from pathlib import Path

import httpx
import redis

from memesnipe.config.settings import read_resolved
from memesnipe.servers.redis import operator_url
from memesnipe.storage.database import connect
from memesnipe.testing.secret_scan import SecretScan, keypair_secret, text_secret
from tests.system.installation import Installation, processes_of

PATHS = (
    "", "docs", "openapi.json", "api/health", "api/report", "api/learned", "api/portfolio", "api/risk",
    "api/strategies?limit=1000", "api/trades?limit=1000", "api/positions?limit=1000", "api/refusals?limit=1000",
    "api/lifecycle?limit=1000", "api/commands?limit=1000", "signer/health", "signer/pubkey", "signer/nowhere",
)  # fmt: skip


def scan_installation(one: Installation, wallet: Path) -> SecretScan:
    """Look for the wallet's key, the secret of the signer and the API's token in all that a running system leaves.

    Args:
        one: the installation, running.
        wallet: its keypair file.
    """
    home = one.folder / ".memesnipe"
    token, signer_token = home / "secrets" / "api_token", home / "secrets" / "signer_token"
    settings = read_resolved(home / "settings.json")
    assert settings.servers.database_url is not None and settings.servers.redis_url is not None
    scan = SecretScan(
        [
            keypair_secret("wallet", bytes(json.loads(wallet.read_text()))),
            text_secret("API token", token.read_text().strip()),
            text_secret("signer secret", signer_token.read_text().strip()),
        ]
    )
    # PostgreSQL's files include its log of changes; `.memesnipe` has logs, snapshots, the event log and the audit log.
    scan.folder("installation", one.folder, except_for=[wallet, token, signer_token])
    scan.folder("Ray's sessions", one.ray_folder)
    for folder in (Path.cwd(), Path("/tmp")):
        for path in folder.glob("core*"):
            if path.is_file():
                scan.file("crash dump", path)
    scan.processes(processes_of(one.folder))
    with redis.Redis.from_url(operator_url(home / "redis", settings.servers.redis_url.get_secret_value())) as client:
        scan.redis(client)
    engine = connect(settings.servers.database_url.get_secret_value())
    scan.postgres(engine)
    engine.dispose()
    for path in PATHS:
        answer = httpx.get(f"{one.url}/{path}", timeout=20, verify=False)
        scan.bytes("reply", path, answer.content + repr(answer.headers).encode())
    for path in ("api/halt", "signer/sign"):  # errors; nobody may learn a secret from them
        answer = httpx.post(f"{one.url}/{path}", content=b"{}", timeout=20, verify=False)
        scan.bytes("reply", path, answer.content)
    return scan


def assert_nothing_found(scan: SecretScan) -> None:
    """Assert that the scan looked everywhere and found nothing."""
    kinds = {"installation", "Ray's sessions", "command line", "environment", "redis", "postgres", "reply"}
    assert kinds <= {kind for kind, size in scan.looked.items() if size > 0}, scan.looked
    assert scan.findings == []
