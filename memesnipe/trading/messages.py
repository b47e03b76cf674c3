"""Orders and fills as JSON-ready messages and back, and the streams that tell the executor what to do."""

from dataclasses import asdict
from typing import Any, Final

from pydantic import TypeAdapter

from memesnipe.engine.orders import Fill
from memesnipe.market.events import SIDE_NAMES

# What the executor obeys, in the order in which it does where several come after one event.
COMMANDS: Final = "commands"
RISK_EVENTS: Final = "risk_events"
EXIT_ORDERS: Final = "exit_orders"
ALLOCATIONS: Final = "allocations_channel"
CONTROLS: Final = (COMMANDS, RISK_EVENTS, EXIT_ORDERS, ALLOCATIONS)

# What the executor and the position actor tell.
FILLS: Final = "fills"
SIMULATION_RESULTS: Final = "simulation_results"
POSITION_UPDATES: Final = "position_updates"

_FILL = TypeAdapter(Fill)


def fill_message(fill: Fill, mint: str, mode: str, parity_bps: float | None) -> dict[str, Any]:
    """A fill as it travels on the `fills` stream: its own fields, and what readers ask for first."""
    status = "FAILED" if fill.failure else mode.upper()
    said = {"mint": mint, "side_name": SIDE_NAMES[fill.order.side], "status": status, "parity_bps": parity_bps}
    return {**said, "fill": asdict(fill)}


def fill_from(message: dict[str, Any]) -> Fill:
    """The fill of a message."""
    return _FILL.validate_python(message["fill"])
