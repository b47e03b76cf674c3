"""The commands `backup` and `restore`: an installation in one file, and back."""

from pathlib import Path
from typing import Annotated

import typer

from memesnipe.cli.options import Json
from memesnipe.cli.outputs import check_output
from memesnipe.errors import InputError
from memesnipe.runtime.terminal import print_json, print_message, print_table

backup = typer.Typer()


@backup.command("backup")
def backup_command(
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    json: Json = False,
) -> None:
    """Write database, event logs, tapes and snapshots to one file, while the system runs or not; no secrets."""
    check_output("-o", output)
    if output.exists():
        raise InputError(f"-o {output}: exists already, and a backup replaces no file; choose another name")

    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.runtime.backup import back_up  # noqa: PLC0415 - slow to load

    made = back_up(load_settings(), output)
    if json:
        print_json(made)
    else:
        print_table("backup", made)


@backup.command("restore")
def restore_command(
    file: Annotated[Path, typer.Argument(help="A file of `memesnipe backup`.")],
    json: Json = False,
) -> None:
    """Restore a backup into an installation without data; `memesnipe up` continues its run."""
    if file.is_dir():
        raise InputError(f"{file}: is a folder; name a file of `memesnipe backup`")
    if not file.is_file():
        raise InputError(f"{file}: there is no such file; name one of `memesnipe backup`")

    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.runtime.restore import restore_backup  # noqa: PLC0415 - slow to load

    restored = restore_backup(load_settings(), file)
    if json:
        print_json(restored)
    else:
        print_table("restored", restored)
        print_message("Start `memesnipe up` with the feed and the settings of its run to continue it; then `verify`.")
