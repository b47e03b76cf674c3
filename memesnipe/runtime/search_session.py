"""A search with everything that it needs: its tape, the compiled strategies, the database, and Ray."""

import time
from typing import Any

from actors.connection import connect_ray, disconnect_ray
from memesnipe.config.settings import load_settings
from memesnipe.engine.warm import compile_all
from memesnipe.runtime.database import open_database
from memesnipe.runtime.families import load_families
from memesnipe.runtime.search_run import Evolve, Interrupted, Plan, ReportProgress
from memesnipe.runtime.terminal import print_compile_notice
from memesnipe.tapes.tape import TapeFile


def run_search(
    plan: Plan, address: str | None, workers: int | None, report_progress: ReportProgress
) -> tuple[dict[str, Any], bool]:
    """Run a search; return its summary, and whether it was stopped before its end.

    Args:
        plan: of the search.
        address: of a Ray cluster; None for RAY_ADDRESS, or a local one.
        workers: parallel backtests on the local cluster; None for all cores.
        report_progress: called with the current step and the number of finished evaluations.

    Raises:
        InputError: the tape is invalid.
        MemeSnipeError: the database or Ray cannot be reached.
    """
    settings = load_settings()
    file = TapeFile(plan.tape, now_ns=time.time_ns())  # an invalid tape is rejected before anything starts
    families = load_families(settings)
    print_compile_notice()
    compile_all(families)  # before the workers start: they load the compiled code from the disk cache
    home = settings.installation.memesnipe_home.resolve()
    with open_database(settings, create=True) as (database, url):
        try:
            connect_ray(address or settings.servers.ray_address, home, "memesnipe-evolve", cpus=workers)
            return Evolve(plan, file, settings, families, database, url).run(report_progress), False
        except Interrupted as stopped:
            return stopped.summary, True
        finally:
            disconnect_ray()
