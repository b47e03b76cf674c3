"""Entry point of `memesnipe` and `python -m memesnipe`; handles Ctrl-C before any other module is loaded."""

# `_signal` is built into the interpreter; importing `signal` takes as long as starting Python.
import _signal  # type: ignore[import-not-found]


def run() -> None:
    """Run the command line; Ctrl-C during imports ends the process at once with code 130."""
    if _signal.getsignal(_signal.SIGINT) is not _signal.SIG_IGN:
        _signal.signal(_signal.SIGINT, _leave)

    import memesnipe.garbage  # noqa: F401, PLC0415 - first: it makes loading the others faster
    from memesnipe.cli.main import run as run_command  # noqa: PLC0415
    from memesnipe.cli.signals import raise_interrupt  # noqa: PLC0415

    try:
        raise_interrupt()
        run_command()
    except KeyboardInterrupt:
        _leave()
    finally:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # Ctrl-C while the interpreter shuts down needs no traceback


def _leave(*_: object) -> None:
    """End the process like `memesnipe.cli.signals.exit_on_interrupt`, which is not imported yet."""
    import os  # noqa: PLC0415

    os.write(2, b"memesnipe: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    run()
