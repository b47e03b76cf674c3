"""Orders and fills as JSON-ready messages and back."""

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from memesnipe.engine.orders import Fill
from memesnipe.market.events import SIDE_NAMES

_FILL = TypeAdapter(Fill)


def fill_message(fill: Fill, mint: str, mode: str) -> dict[str, Any]:
    """A fill as it travels on the `fills` stream: its own fields, and what readers ask for first."""
    status = "FAILED" if fill.failure else mode.upper()
    return {"mint": mint, "side_name": SIDE_NAMES[fill.order.side], "status": status, "fill": asdict(fill)}


def fill_from(message: dict[str, Any]) -> Fill:
    """The fill of a message."""
    return _FILL.validate_python(message["fill"])
