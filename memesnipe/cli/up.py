"""`memesnipe up`: run the system until a signal or the end of its feed, and print the report.

It loads no slow module before the parts are started; `memesnipe.cli.watching` does, which runs afterwards.
"""

import time
from pathlib import Path

import orjson

from memesnipe.cli.stop import StopSignals
from memesnipe.config.home import Home
from memesnipe.config.settings import Settings
from memesnipe.errors import InputError
from memesnipe.feeds.choice import FeedChoice
from memesnipe.halt_file import halt_level
from memesnipe.runtime.session import Session
from memesnipe.runtime.terminal import print_json, print_message, reserve_stdout
from memesnipe.runtime.trading_mode import TradingMode


def up(
    settings: Settings,
    choice: FeedChoice,
    mode: TradingMode,
    *,
    until_end: bool,
    report: Path | None,
    as_json: bool,
    detached: bool,
) -> None:
    """Run the system, and print the report at the end.

    Args:
        settings: as loaded, not resolved yet.
        choice: the feed.
        mode: paper or live, and the chain.
        until_end: whether to stop when every event of the feed has been processed.
        report: file to write the report to as well; None for none.
        as_json: whether to print the report as JSON.
        detached: whether this is the background process of `memesnipe up --detach`.
    """
    signals = StopSignals()
    total, assumptions = _tape_of(choice)
    for sentence in (*assumptions, *_check_history(choice)):
        print_message(sentence)
    if halt_level(Home(settings.installation.memesnipe_home.resolve()).signer_halt) is not None:
        print_message("Trading is halted: `memesnipe halt` was used before; `memesnipe risk reset` resumes it.")
    with reserve_stdout(), Session(settings, choice, signals.has_started, detached, mode) as session:
        from memesnipe.cli.watching import final_report, watch  # noqa: PLC0415 - slow to load

        _print_start(session)
        if mode.is_live:
            session.wait_for_signer()
        started = time.monotonic()
        last = watch(session, signals.stop, until_end=until_end, total=total)
        seconds = round(time.monotonic() - started, 3)
        if mode.localnet is not None:
            from memesnipe.cli.live_report import settle  # noqa: PLC0415 - as above

            settle(session)
        session.stop_actors()  # what they do until then belongs into the report
        result = {**final_report(session, last), "seconds": seconds, "assumptions": assumptions}
        if mode.is_live:
            from memesnipe.cli.live_report import live_report  # noqa: PLC0415 - as above

            ended = live_report(session)
            result["wallet"] = ended["wallet"]
            if ended["outcomes"] is not None and "accounts" in result:
                result["accounts"]["live"]["outcomes"] = ended["outcomes"]
    if as_json:
        print_json(result)
    else:
        from memesnipe.cli.final_report import print_report  # noqa: PLC0415 - as above

        print_report(result)
    if report is not None:
        report.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2))


def _tape_of(choice: FeedChoice) -> tuple[int | None, list[str]]:
    """Return the total number of events and the assumptions of a replayed tape; (None, []) for another feed.

    The number is None if the tape is merged with another feed.

    Raises:
        TapeError: the tape is not valid.
    """
    if "replay" not in choice.names:
        return None, []
    from memesnipe.market.assumptions import describe  # noqa: PLC0415
    from memesnipe.tapes.tape import read_tape  # noqa: PLC0415

    tape = read_tape(Path(choice.tape), now_ns=time.time_ns())
    return (len(tape.events) if choice.names == ["replay"] else None, describe(tape.assumptions))


def _check_history(choice: FeedChoice) -> list[str]:
    """Check the tapes of the history; return sentences about them, none without a history.

    Raises:
        InputError: a tape is not valid, or none has an event before the first one of the feed.
    """
    if not choice.history:
        return []
    from memesnipe.feeds.choice import first_ts_of  # noqa: PLC0415 - as above
    from memesnipe.tapes.history import history_notices, open_tapes  # noqa: PLC0415

    try:
        return history_notices(open_tapes([Path(path) for path in choice.history]), first_ts_of(choice))
    except InputError as error:
        raise InputError(f"--history: {error}") from None


def _print_start(session: Session) -> None:
    run = session.run
    state = "continues" if run.resumed else "begins"
    print_message(f"Run {run.run_id} {state}: {session.choice.name} market, {session.mode.money}.")
    print_message(f"Dashboard      {session.dashboard}")
    ray = f"{session.ray_dashboard}  (its token: `ray get-auth-token`)" if session.ray_dashboard else "none"
    print_message(f"Ray dashboard  {ray}")
    print_message("`memesnipe down` stops everything." if session.detached else "Ctrl-C stops everything.")
