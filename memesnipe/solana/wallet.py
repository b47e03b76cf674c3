"""The wallet: a keypair in a file that only its owner can read."""

import json
from pathlib import Path

from solders.keypair import Keypair

from memesnipe.errors import InputError
from memesnipe.secret_file import create_secret, read_secret

_KEY_BYTES = 64


def make_wallet(path: Path) -> None:
    """Write a new keypair to ``path``; an existing file is kept."""
    create_secret(path, json.dumps(list(bytes(Keypair()))))


def load_wallet(path: Path) -> Keypair:
    """Return the keypair in a file in the format of Solana's tools: a JSON array of 64 bytes.

    Raises:
        InputError: there is no file that only its owner can read, or it is not a keypair. The text never contains the
            file's content.
    """
    text = read_secret(path, "WALLET_KEYPAIR_FILENAME")
    try:
        values = json.loads(text)
        if len(values) != _KEY_BYTES:
            raise ValueError
        return Keypair.from_bytes(bytes(values))
    except (ValueError, TypeError):
        raise InputError(f"{path} is not a keypair: it must be a JSON array of {_KEY_BYTES} bytes") from None
