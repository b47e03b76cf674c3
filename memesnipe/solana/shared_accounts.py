"""The accounts that swaps of different coins write alike: what is paid for them is the price of compute of a swap."""

from typing import Final

from memesnipe.solana.addresses import PUMP_AMM_GLOBAL_CONFIG, PUMP_GLOBAL, TOKEN, WRAPPED_SOL, token_address
from memesnipe.solana.pump_accounts import PumpAccountError
from memesnipe.solana.pump_config import PoolConfig, PumpGlobal
from memesnipe.solana.rpc import Rpc
from memesnipe.solana.service_errors import UnreachableError

_GLOBALS: Final = [str(PUMP_GLOBAL), str(PUMP_AMM_GLOBAL_CONFIG)]


async def shared_accounts(rpc: Rpc) -> list[str]:
    """Return the account of pump.fun's and that of PumpSwap's buyback fee to which `memesnipe.solana.direct` pays.

    Raises:
        ServiceError: no node answers, or the programs' global accounts are not those that are known.
    """
    found = await rpc.accounts(_GLOBALS)
    if len(found) != len(_GLOBALS) or found[0] is None or found[1] is None:
        raise UnreachableError("", "the node has no global accounts of pump.fun and PumpSwap")
    try:
        on_curve = PumpGlobal.decode(found[0].raw).buyback_recipient
        in_pool = PoolConfig.decode(found[1].raw).buyback_recipient
    except (PumpAccountError, ValueError) as error:
        raise UnreachableError("", f"the global accounts cannot be read: {error}") from None
    return [str(on_curve), str(token_address(in_pool, WRAPPED_SOL, TOKEN))]
