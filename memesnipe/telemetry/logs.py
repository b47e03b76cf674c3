"""Structured logs: a file per actor, one JSON line per event."""

import logging
import re
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog

_CREDENTIALS = re.compile(r"(://[^:/@\s]*):[^@/\s]+@")
# Providers of Solana's RPC take their key in the URL, as `?api-key=`.
_KEYS = re.compile(r"([?&][\w-]*(?:key|token|secret)=)[^&#\s'\"]+", re.IGNORECASE)
_MAX_BYTES, _FILES_KEPT = 20_000_000, 3

Logger = structlog.typing.FilteringBoundLogger


def without_secrets(text: str) -> str:
    """Return a text with the passwords of URLs and the keys in their queries masked."""
    return _KEYS.sub(r"\1***", _CREDENTIALS.sub(r"\1:***@", text))


def _mask(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: without_secrets(value) if isinstance(value, str) else value for key, value in event.items()}


def open_log(folder: Path, actor: str, level: str) -> Logger:
    """Return a logger that writes to ``folder/actor.jsonl``, with the actor's name in each line."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(folder / f"{actor}.jsonl", maxBytes=_MAX_BYTES, backupCount=_FILES_KEPT)
    handler.setFormatter(logging.Formatter("%(message)s"))
    target = logging.getLogger(f"memesnipe.{actor}")
    for old in list(target.handlers):
        target.removeHandler(old)
        old.close()
    target.addHandler(handler)
    target.setLevel(level)
    target.propagate = False
    logger: Logger = structlog.wrap_logger(
        target,
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        actor=actor,
    )
    return logger.bind()
