"""The wallet: a keypair in a file that only its owner can read."""

import json
import sys
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from memesnipe.errors import InputError
from memesnipe.secret_file import create_new_secret, create_secret, read_secret

_KEY_BYTES = 64
_SEED_BYTES = 32


def make_wallet(path: Path) -> None:
    """Write a new keypair to ``path``; an existing file is kept."""
    create_secret(path, _encode(Keypair()))


def new_wallet(path: Path) -> Pubkey:
    """Write a new keypair to ``path`` and return its address.

    Raises:
        InputError: there is something at ``path``, which stays as it is, or nothing can be written there.
    """
    keypair = Keypair()
    try:
        create_new_secret(path, _encode(keypair))
    except FileExistsError:
        raise InputError(f"{path} exists, and a wallet is never overwritten; name another file") from None
    except (NotADirectoryError, PermissionError) as error:
        raise InputError(f"{path} cannot be written: {error.strerror}; name another file") from None
    return keypair.pubkey()


def load_wallet(path: Path) -> Keypair:
    """Return the keypair in a file in the format of Solana's tools: a JSON array of 64 bytes.

    Raises:
        InputError: there is no file that only its owner can read and replace, or it is not a keypair. The text never
            contains the file's content.
    """
    text = read_secret(path, "WALLET_KEYPAIR_FILENAME")
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not _is_key(values):
        raise InputError(f"{path} is not a keypair: it must be a JSON array of {_KEY_BYTES} bytes")
    keypair = Keypair.from_seed(bytes(values[:_SEED_BYTES]))
    if bytes(keypair.pubkey()) != bytes(values[_SEED_BYTES:]):
        raise InputError(f"{path} is not a keypair: its public half does not belong to its secret half")
    return keypair


def _is_key(values: object) -> bool:
    """Return whether a JSON value is 64 bytes; ``true`` is not the number 1."""
    return (
        isinstance(values, list)
        and len(values) == _KEY_BYTES
        and all(type(value) is int and 0 <= value <= 255 for value in values)
    )


def _encode(keypair: Keypair) -> str:
    return json.dumps(list(bytes(keypair)))


def _main() -> int:
    """Print the address of the wallet whose file is the first argument; return the exit status."""
    try:
        sys.stdout.write(f"{load_wallet(Path(sys.argv[1])).pubkey()}\n")
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
