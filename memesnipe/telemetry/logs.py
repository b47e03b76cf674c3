"""Structured logs: a file per actor, one JSON line per event, rotated at 20 MB."""

import logging
import re
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

from memesnipe.telemetry.log_copy import CopyHandler

_CREDENTIALS = re.compile(r"(://[^:/@\s]*):[^@/\s]+@")
# Providers of Solana's RPC take their key in the URL, as `?api-key=`.
_KEYS = re.compile(r"([?&][\w-]*(?:key|token|secret)=)[^&#\s'\"]+", re.IGNORECASE)
_MAX_BYTES, _FILES_KEPT = 20_000_000, 3

_ROOT = logging.getLogger("memesnipe")  # of the logs of this process
_PLAIN = logging.Formatter("%(message)s")

Logger = structlog.typing.FilteringBoundLogger


def without_secrets(text: str) -> str:
    """Return a text with the passwords of URLs and the keys in their queries masked."""
    return _KEYS.sub(r"\1***", _CREDENTIALS.sub(r"\1:***@", text))


def _mask(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: without_secrets(value) if isinstance(value, str) else value for key, value in event.items()}


def open_log(folder: Path, actor: str, level: str) -> Logger:
    """Return a logger that writes to ``folder/actor.jsonl``, with the actor's name in each line.

    A level of `set_level` takes the place of ``level``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(folder / f"{actor}.jsonl", maxBytes=_MAX_BYTES, backupCount=_FILES_KEPT)
    handler.setFormatter(_PLAIN)
    target = logging.getLogger(f"{_ROOT.name}.{actor}")
    for old in list(target.handlers):
        target.removeHandler(old)
        old.close()
    target.addHandler(handler)
    if _ROOT.level == logging.NOTSET:
        target.setLevel(level)
    _ROOT.propagate = False
    logger: Logger = structlog.wrap_logger(
        target,
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),  # the level can change
        actor=actor,
    )
    return logger.bind()


def set_level(level: str) -> None:
    """Set the level of all logs of this process, those that are opened later included."""
    _ROOT.setLevel(level)
    for name, found in logging.root.manager.loggerDict.items():
        if name.startswith(f"{_ROOT.name}.") and isinstance(found, logging.Logger):
            found.setLevel(logging.NOTSET)  # that of the root


def copy_logs(path: Path | None) -> None:
    """Write the lines of all logs of this process to another file as well, or no longer to any.

    Raises:
        OSError: the file cannot be opened.
    """
    for old in list(_ROOT.handlers):
        if isinstance(old, CopyHandler):
            if old.path == path:
                return
            _ROOT.removeHandler(old)
            old.close()
    if path is not None:
        _ROOT.addHandler(CopyHandler(path))


def start_copy(path: Path | None, log: Logger) -> None:
    """Do as `copy_logs` does, and log an error where that fails: nothing else may depend on a copy."""
    try:
        copy_logs(path)
    except OSError as error:
        log.error("logs are not copied", file=str(path), reason=error.strerror)
