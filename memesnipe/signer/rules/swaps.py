"""Swaps: out of and into the wallet's own accounts, between SOL and one token.

The signer reads instructions by tables of its own, so that a mistake in the code that makes them is not signed too.
"""

from collections.abc import Callable, Mapping
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from memesnipe.signer.policy import Policy, Venue
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.rules import jupiter
from memesnipe.signer.rules.effects import Context, Effects, account_keys, refuse_instruction
from memesnipe.signer.rules.pool_layouts import PUMP, PUMP_LAYOUTS, PUMPSWAP, PUMPSWAP_LAYOUTS, PoolLayout

Rule = Callable[[Instruction, Effects, Context], None]
Layouts = Mapping[bytes, PoolLayout]

_DISCRIMINATOR_BYTES: Final = 8


def rules(policy: Policy) -> dict[Pubkey, Rule]:
    """Return the rules of the venues that the policy allows."""
    found: dict[Venue, tuple[Pubkey, Rule]] = {
        "pump": (PUMP, lambda *given: check_pool("pump", PUMP_LAYOUTS, *given)),
        "pumpswap": (PUMPSWAP, lambda *given: check_pool("pumpswap", PUMPSWAP_LAYOUTS, *given)),
        "jupiter": (jupiter.JUPITER, jupiter.check),
    }
    return dict(found[venue] for venue in policy.venues)


def check_pool(venue: Venue, layouts: Layouts, instruction: Instruction, effects: Effects, context: Context) -> None:
    """Add a swap with a pool of pump.fun or PumpSwap.

    Raises:
        RefusedError: it is another instruction, or not between the wallet's own accounts.
    """
    data, keys = bytes(instruction.data), account_keys(instruction)
    layout = layouts.get(data[:_DISCRIMINATOR_BYTES])
    if layout is None:
        raise refuse_instruction(venue, f"the instruction {data[:_DISCRIMINATOR_BYTES].hex()}")
    if len(data) != layout.data_bytes or len(keys) not in layout.accounts:
        raise RefusedError(Reason.SWAP, f"{layout.name} is malformed")
    if keys[layout.places.user] != context.wallet:
        raise RefusedError(Reason.ACCOUNT, f"{layout.name}: the user is not the wallet")
    effects.swaps.append(layout.read(data, keys, context.wallet))
