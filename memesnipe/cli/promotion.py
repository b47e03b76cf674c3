"""`promote --busiest`: the strategies that trade most, moved up as far as the run goes."""

from typing import Any

from memesnipe.cli.account_figures import accounts_of
from memesnipe.cli.manual_commands import send_command, strategies_of_run
from memesnipe.config.settings import load_settings
from memesnipe.errors import MemeSnipeError, RefusedError
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.runtime.database import open_database
from memesnipe.storage import views


def promote_busiest(count: int, reason: str) -> dict[str, Any]:
    """Promote the simulating strategies with the most trades; return the last outcome of each by its id.

    Args:
        count: how many.
        reason: recorded with the commands.

    Raises:
        InputError: there is no run.
        RefusedError: the run refuses all of them.
        MemeSnipeError: none of them has traded yet.
    """
    run_id, found = strategies_of_run(count, "simulating", "trades")
    busy = [row["spec_id"] for row in found if (row["result"] or {}).get("trades")]
    if not busy:
        raise MemeSnipeError("no simulating strategy has traded yet; try again after the next generation")
    with open_database(load_settings()) as (engine, _), engine.connect() as connection:
        is_live = Account.LIVE in accounts_of(views.report(connection, run_id))
    steps = 2 if is_live else 1  # from the simulation to paper and, in a live run, from there to live
    outcomes: dict[str, Any] = {}
    refusals: list[RefusedError] = []
    for spec_id in busy:
        try:
            for _ in range(steps):
                outcomes[spec_id] = send_command(CommandName.PROMOTE, spec_id, reason)["outcome"]
        except RefusedError as error:  # it may have been retired meanwhile
            outcomes[spec_id] = str(error)
            refusals.append(error)
    if len(refusals) == len(busy):
        raise refusals[0]
    return outcomes
