"""The names of the commands that a person gives a run. They stand alone, so that naming one loads no compiler."""

from typing import Final

HALT: Final = "halt"
RISK_RESET: Final = "risk_reset"
PROMOTE: Final = "promote"
DEMOTE: Final = "demote"
