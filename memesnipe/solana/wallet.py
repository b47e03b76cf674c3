"""The wallet: a keypair in a file that only its owner can read."""

import json
import os
import stat
from pathlib import Path

from solders.keypair import Keypair

from memesnipe.errors import InputError

_KEY_BYTES = 64


def make_wallet(path: Path) -> None:
    """Make a new keypair at ``path``, unless there is a file already."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(list(bytes(Keypair()))))


def load_wallet(path: Path) -> Keypair:
    """The keypair of a file in the format of Solana's own tools: a JSON array of 64 bytes.

    Raises:
        InputError: the file is missing, is not ours alone, or is not a keypair. The text never has its content.
    """
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path} is not a regular file; WALLET_KEYPAIR_FILENAME must name a keypair file")
    status = path.stat()
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise InputError(f"{path} can be read by others: make it yours alone with `chmod 600 {path}`")
    try:
        values = json.loads(path.read_text())
        if len(values) != _KEY_BYTES:
            raise ValueError
        return Keypair.from_bytes(bytes(values))
    except (ValueError, TypeError):
        raise InputError(f"{path} is not a keypair: it must be a JSON array of {_KEY_BYTES} bytes") from None
