"""The limits between the cells of the archive."""

from typing import Final

HOLDING_S: Final = (15.0, 60.0, 240.0, 960.0)  # mean holding time
TURNOVER: Final = (0.1, 0.5, 2.0, 8.0)  # turnovers of the capital per hour
