"""The lines of `memesnipe flatten`: each state of a sale is named once, for all positions in it together."""

from collections.abc import Mapping

from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.storage.flattening import Held, PositionKey, Sale


def state_of(is_held: bool, sale: Sale | None) -> str:
    """Return the state of a position in words.

    Args:
        is_held: whether it is open.
        sale: the last order that sells it; None without one.
    """
    if sale is not None and (sale.has_traded or not is_held):  # held until the position role has booked it
        return f"sold for {sale.sol_lamports / LAMPORTS_PER_SOL:.6f} SOL"
    if not is_held:
        return "closed by an earlier order"
    if sale is None:
        return "held; the desk has sent no order for it yet"
    if sale.is_open:
        return f"being sold: the order is {sale.status}"
    failure = f" ({sale.failure})" if sale.failure else ""
    return f"not sold: the order ended as {sale.status}{failure}; tried again at the token's next event"


class SaleStates:
    """Finds what is new: a position that is tried again and again passes through the same states each time."""

    def __init__(self) -> None:
        self._named: set[tuple[PositionKey, str]] = set()

    def new_lines(self, positions: Mapping[PositionKey, Held], states: Mapping[PositionKey, str]) -> list[str]:
        """Return a line for each state that at least one position has for the first time.

        Args:
            positions: by account, strategy and token.
            states: of the same positions, in words.
        """
        new: dict[str, list[PositionKey]] = {}
        for key, state in states.items():
            if (key, state) not in self._named:
                self._named.add((key, state))
                new.setdefault(state, []).append(key)
        return [f"{_whose(keys, positions)}: {state}" for state, keys in new.items()]


def _whose(keys: list[PositionKey], positions: Mapping[PositionKey, Held]) -> str:
    if len(keys) > 1:
        return f"{len(keys)} positions"
    [(account, spec_id, _)] = keys
    return f"{account} {spec_id} {positions[keys[0]].mint}"
