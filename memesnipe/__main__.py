"""The command `memesnipe`, and `python -m memesnipe`. Ctrl-C is met before anything is loaded."""

# The part of `signal` that is in the interpreter; the rest takes as long to load as Python to start.
import _signal  # type: ignore[import-not-found]


def run() -> None:
    """Run the command line."""
    if _signal.getsignal(_signal.SIGINT) is not _signal.SIG_IGN:
        _signal.signal(_signal.SIGINT, _leave)

    from memesnipe.cli.main import run as run_command  # noqa: PLC0415
    from memesnipe.cli.signals import raise_interrupt  # noqa: PLC0415

    try:
        raise_interrupt()
        run_command()
    except KeyboardInterrupt:
        _leave()
    finally:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # all is done: the interpreter's own end needs no traceback


def _leave(*_: object) -> None:
    """As `memesnipe.cli.signals.leave_at_once` has it."""
    import os  # noqa: PLC0415

    os.write(2, b"memesnipe: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    run()
