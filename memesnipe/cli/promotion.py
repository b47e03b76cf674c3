"""`promote --busiest`: the strategies that trade most, moved up as far as the run goes."""

from collections.abc import Callable

from memesnipe.cli.account_figures import accounts_of
from memesnipe.cli.manual_commands import send_each, strategies_of_run
from memesnipe.config.settings import load_settings
from memesnipe.errors import MemeSnipeError, RefusedError
from memesnipe.protocol.commands import REFUSED, CommandName
from memesnipe.runtime.database import open_database
from memesnipe.runtime.terminal import print_message
from memesnipe.storage import views
from memesnipe.storage.wording import plural


def promote_busiest(count: int, reason: str, on_outcome: Callable[[str, str], None]) -> dict[str, str]:
    """Promote the simulating strategies with the most round trips; return the last outcome of each by its id.

    The commands of a step are recorded together: each takes effect seconds later, and the next step follows the last.

    Args:
        count: how many.
        reason: recorded with the commands.
        on_outcome: called with each id and its last outcome, as soon as it is known.

    Raises:
        InputError: there is no run.
        RefusedError: the run refuses all of them.
        MemeSnipeError: none of them has traded yet.
    """
    found = strategies_of_run(count, "simulating", "trades")
    busy = [row["spec_id"] for row in found.strategies if (row["result"] or {}).get("trades")]
    if not busy:
        raise MemeSnipeError("no simulating strategy has traded yet; try again after the next generation")
    with open_database(load_settings()) as (engine, _), engine.connect() as connection:
        steps = accounts_of(views.report(connection, found.run_id))  # to paper and, in a live run, from there to live
    outcomes: dict[str, str] = {}
    rising = busy
    for step in steps:
        print_message(f"Promoting {plural(len(rising), 'strategy', 'strategies')} to {step} ...")
        risen = []
        for spec_id, outcome in send_each(CommandName.PROMOTE, rising, reason):
            outcomes[spec_id] = outcome
            is_refused = outcome.startswith(REFUSED)  # it may have been retired meanwhile
            if is_refused or step == steps[-1]:
                on_outcome(spec_id, outcome)
            if not is_refused:
                risen.append(spec_id)
        rising = risen
        if not rising:
            raise RefusedError(f"promote {busy[0]}: {outcomes[busy[0]].removeprefix(REFUSED)}")
    return outcomes
