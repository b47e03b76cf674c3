"""The ComputeBudget program: the limit and the price of compute units, each at most once.

Layout: `solana-compute-budget-interface`, one byte for the kind and a little-endian number.
"""

from typing import Final

from solders.instruction import Instruction

from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.signer.rules.effects import Context, Effects, refuse_instruction

_LIMIT: Final = 2
_PRICE: Final = 3
_LOADED_BYTES: Final = 4
_SIZES: Final = {_LIMIT: 4, _PRICE: 8, _LOADED_BYTES: 4}


def check(instruction: Instruction, effects: Effects, context: Context) -> None:  # noqa: ARG001
    """Add the limit or the price of compute units.

    Raises:
        RefusedError: it is another instruction, malformed, or there twice.
    """
    data = bytes(instruction.data)
    kind = data[0] if data else -1
    if kind not in _SIZES:
        raise refuse_instruction("ComputeBudget", f"kind {kind}")
    if len(data) != 1 + _SIZES[kind] or instruction.accounts:
        raise RefusedError(Reason.COMPUTE_BUDGET, "an instruction of ComputeBudget is malformed")
    if kind in effects.budget_kinds:
        raise RefusedError(Reason.COMPUTE_BUDGET, "an instruction of ComputeBudget is there twice")
    effects.budget_kinds.add(kind)
    value = int.from_bytes(data[1:], "little")
    if kind == _LIMIT:
        effects.compute_units = value
    elif kind == _PRICE:
        effects.compute_price = value
