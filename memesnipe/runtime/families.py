"""The families that a command uses."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # slow to load
    from memesnipe.config.settings import Settings
    from memesnipe.sdk.registry import Families


def load_families(settings: "Settings") -> "Families":
    """Return the bundled families and those of STRATEGY_PATH; write their warnings to standard error.

    Raises:
        StrategyError: a file breaks a rule; the text names the file, the line and the rule.
    """
    from memesnipe.sdk.registry import discover  # noqa: PLC0415 - numba is slow to load

    families = discover(*settings.simulation.strategy_folders)
    for strategy in families.values():
        for warning in strategy.warnings:
            sys.stderr.write(f"memesnipe: warning: {warning}\n")
    return families
