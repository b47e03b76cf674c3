"""`wallet new`, `wallet show`: the keypair of this installation. The secret is never printed."""

from pathlib import Path
from typing import Annotated

import typer

from memesnipe.cli.options import Json
from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.runtime.terminal import print_json, print_message

wallet = typer.Typer()
_wallet = typer.Typer(no_args_is_help=True, help="The wallet: make one, show its address and balance.")
wallet.add_typer(_wallet, name="wallet")

_File = Annotated[Path | None, typer.Argument(help="Keypair file; by default that of this installation.")]


@_wallet.command("new")
def new_command(path: _File = None, json: Json = False) -> None:
    """Write a new keypair to a file that only you can read, and print its address. Nothing is ever overwritten."""
    from memesnipe.solana.wallet import new_wallet  # noqa: PLC0415 - slow to load

    if path is not None:
        _check_folder_of(path)
    address = str(new_wallet(_file(path)))
    if json:
        print_json({"address": address})
    else:
        typer.echo(address)


@_wallet.command("show")
def show_command(path: _File = None, json: Json = False) -> None:
    """Show the address, and the balance if the node in SOLANA_RPC_URL answers."""
    from memesnipe.cli.current_settings import current_settings  # noqa: PLC0415 - slow to load
    from memesnipe.solana.balance import read_balance  # noqa: PLC0415
    from memesnipe.solana.wallet import load_wallet  # noqa: PLC0415

    file = _file(path)
    if not file.exists() and not file.is_symlink():
        raise InputError(f"{file}: there is no such file; `memesnipe wallet new` makes a wallet")
    address = load_wallet(file).pubkey()
    settings, _ = current_settings()
    balance, problem = None, ""
    try:
        balance = read_balance(settings.feeds.solana_rpc_url.get_secret_value(), address)
    except MemeSnipeError as error:
        problem = str(error)
    if json:
        print_json({"address": str(address), "balance_lamports": balance, "error": problem})
        return
    typer.echo(address)
    if balance is None:
        print_message(f"memesnipe: no balance: {problem}")
    else:
        typer.echo(f"{balance / 1e9:.9f} SOL")


def _check_folder_of(path: Path) -> None:
    """Check that the folder of a new file exists: a mistyped path must not put a key into a new folder.

    Raises:
        InputError: it does not, or the path is a folder itself.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file")
    if not path.resolve().parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it first")


def _file(path: Path | None) -> Path:
    from memesnipe.cli.current_settings import current_settings  # noqa: PLC0415 - slow to load

    if path is not None:
        return path
    settings, home = current_settings()
    return settings.changed(memesnipe_home=home).installation.wallet_file
