"""The mode of `memesnipe up`: paper or live, on the public chain or on a local one."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memesnipe.errors import InputError, RefusedError
from memesnipe.secret_file import read_secret

if TYPE_CHECKING:  # pydantic is slow to load, and help needs the names of the modes only
    from memesnipe.config.settings import Settings


@dataclass(frozen=True, slots=True)
class TradingMode:
    """How `memesnipe up` trades.

    Args:
        is_live: whether strategies may trade the wallet's money.
        localnet: arguments of `memesnipe localnet`, whose chain takes the place of the public one; None for none.
    """

    is_live: bool = False
    localnet: tuple[str, ...] | None = None

    @property
    def money(self) -> str:
        """What is traded, in words."""
        if not self.is_live:
            return "paper money"
        return "paper money, and play money of the local chain" if self.localnet is not None else "paper and REAL money"


def check_switches(settings: "Settings") -> None:
    """Check that the user has switched live trading on.

    Raises:
        RefusedError: a switch is off; the text names all of these.
    """
    trading, installation = settings.trading, settings.installation
    switches = {
        "LIVE_TRADING_ENABLED is false": trading.live_trading_enabled,
        "PAPER_TRADING_MODE is true": not trading.paper_trading_mode,
        f"there is no wallet at {installation.wallet_file}": installation.wallet_file.is_file(),
        f"{installation.signer_policy_file} does not say enabled = true": _is_enabled(installation.signer_policy_file),
    }
    missing = [word for word, is_on in switches.items() if not is_on]
    if missing:
        raise RefusedError(f"--mode live: {'; '.join(missing)}; see docs/live.md")


def _is_enabled(policy: Path) -> bool:
    try:
        return tomllib.loads(read_secret(policy, "SIGNER_POLICY_FILENAME")).get("enabled") is True
    except (InputError, tomllib.TOMLDecodeError):
        return False
