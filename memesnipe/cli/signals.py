"""Handling of Ctrl-C, SIGTERM and SIGHUP during a command."""

import os
import signal

INTERRUPTED = 130  # a shell's exit code for a command that Ctrl-C has ended


def exit_on_interrupt() -> None:
    """Make Ctrl-C end this process at once: while it loads modules there is nothing to clean up."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)


def raise_interrupt() -> None:
    """Make Ctrl-C, SIGTERM and a closed terminal raise KeyboardInterrupt, so that a command cleans up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def ignore_interrupt() -> None:
    """Ignore further Ctrl-C, SIGTERM and a closed terminal, while a command cleans up and then ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _leave(*_: object) -> None:
    write_stderr("memesnipe: interrupted")
    os._exit(INTERRUPTED)


def write_stderr(text: str) -> None:
    """Write one line to standard error, unbuffered: a signal handler may interrupt a buffered write."""
    os.write(2, f"{text}\n".encode())
