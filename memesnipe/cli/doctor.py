"""The command `doctor`: whether this machine is ready to run the system."""

from typing import Annotated

import typer

from memesnipe.cli.options import Json
from memesnipe.runtime.terminal import print_json, without_controls

doctor = typer.Typer()

_MARKS = {"ok": "ok", "warning": "warning", "failed": "FAILED"}


@doctor.command("doctor")
def doctor_command(
    production: Annotated[
        bool,
        typer.Option("--production", help="Also check secrets, persistence and live feeds, and ask for more space."),
    ] = False,
    json: Json = False,
) -> None:
    """Check this machine: programs, settings, ports, disk, memory and servers; exit with 1 if a check fails."""
    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.runtime.doctor import check_machine, overall  # noqa: PLC0415
    from memesnipe.runtime.doctor_servers import check_servers  # noqa: PLC0415 - slow to load

    settings = load_settings()
    checks = [*check_machine(settings, production=production), *check_servers(settings, production=production)]
    verdict = overall(checks)
    if json:
        print_json({"verdict": verdict, "checks": [check.to_dict() for check in checks]})
    else:
        for check in checks:
            do = f"; {check.do}" if check.do else ""
            typer.echo(without_controls(f"{_MARKS[check.verdict]:8} {check.name:12} {check.detail}{do}"))
    if verdict == "failed":
        raise typer.Exit(1)
