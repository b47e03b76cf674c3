"""Ctrl-C and its like: what they end, and how, at each moment of a command."""

import os
import signal

INTERRUPTED = 130  # as a shell says it of a command that Ctrl-C has ended


def leave_at_once() -> None:
    """Let Ctrl-C end this process where it is: while it loads modules there is nothing to be undone."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _leave)


def raise_interrupt() -> None:
    """Let Ctrl-C, SIGTERM and a closed terminal raise KeyboardInterrupt, so that what is under way is undone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _leave(*_: object) -> None:
    tell("memesnipe: interrupted")
    os._exit(INTERRUPTED)


def tell(text: str) -> None:
    """One line on standard error, from within a signal's handler, where a buffer may be in the middle of a write."""
    os.write(2, f"{text}\n".encode())
