"""`memesnipe landing`: the live orders of a run, the fitted landing model, and what the simulation assumes."""

from typing import Annotated, Any

import typer

from memesnipe.cli.numbers import integer_option, seed_option
from memesnipe.cli.options import Json
from memesnipe.errors import InputError
from memesnipe.runtime.terminal import print_json, print_message

landing = typer.Typer()


@landing.command("landing")
def landing_command(
    run: Annotated[
        int | None, integer_option("--run", 1, 2**31 - 1, "The run's number. Default: the newest with live orders.")
    ] = None,
    settings: Annotated[
        bool, typer.Option("--settings", help="Print only the lines for .env that take the fit over.")
    ] = False,
    simulated: Annotated[
        int | None, integer_option("--simulated", 1, 100_000, "Show that many simulated orders with a known landing.")
    ] = None,
    seed: Annotated[int, seed_option("Seed of the simulated orders.")] = 24,
    json: Json = False,
) -> None:
    """Show how live orders landed, fit the landing model, and compare it with the simulation's. Changes nothing."""
    from memesnipe.cli.landing_text import landing_text  # noqa: PLC0415 - slow to load

    report = _simulated(simulated, seed) if simulated else _recorded(run)
    if json:
        print_json(report)
    elif not settings:
        typer.echo(landing_text(report))
    elif report["settings"]:
        typer.echo("\n".join(f"{name}={value}" for name, value in report["settings"].items()))
    else:
        print_message("memesnipe: no live order has an outcome yet: there is nothing to take over")


def _simulated(count: int, seed: int) -> dict[str, Any]:
    from memesnipe.engine.fills import FillModel  # noqa: PLC0415 - slow to load
    from memesnipe.runtime.landing_report import landing_report  # noqa: PLC0415
    from memesnipe.runtime.simulated_orders import simulated_orders  # noqa: PLC0415

    return {"run_id": None, **landing_report(simulated_orders(count, seed), FillModel())}


def _recorded(run_id: int | None) -> dict[str, Any]:
    from sqlalchemy.exc import NoResultFound  # noqa: PLC0415 - slow to load

    from memesnipe.config.policies import fill_model_of  # noqa: PLC0415 - slow to load
    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.runtime.database import open_database  # noqa: PLC0415
    from memesnipe.runtime.landing_report import landing_report  # noqa: PLC0415
    from memesnipe.storage.live_orders import newest_run_with_orders, read_live_orders, read_live_parity  # noqa: PLC0415
    from memesnipe.storage.runs import read_run_settings  # noqa: PLC0415
    from memesnipe.verification.conditions import settings_from_record  # noqa: PLC0415

    with open_database(load_settings()) as (engine, _), engine.connect() as connection:
        run_id = run_id or newest_run_with_orders(connection)
        if run_id is None:
            raise InputError("no run has live orders yet; `memesnipe landing --simulated 500` shows what is computed")
        try:
            recorded = read_run_settings(connection, run_id)
        except NoResultFound:
            raise InputError(f"--run {run_id}: there is no such run") from None
        orders, parity_bps = read_live_orders(connection, run_id), read_live_parity(connection, run_id)
    # The run's own settings: those of now may already contain a fit to the same orders.
    return {"run_id": run_id, **landing_report(orders, fill_model_of(settings_from_record(recorded)), parity_bps)}
