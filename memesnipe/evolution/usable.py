"""Which families a search can use on a tape: those that are told something there of all that they wait for."""

from collections.abc import Collection
from dataclasses import dataclass

from memesnipe.errors import InputError
from memesnipe.market.events import KIND_NAMES
from memesnipe.sdk.registry import Families


@dataclass(frozen=True, slots=True)
class Usable:
    """The families of a search, and those left out with the kinds of event that they lack."""

    families: Families
    unused: dict[str, list[str]]

    def to_dict(self) -> dict[str, object]:
        """As JSON."""
        return {"used": sorted(self.families), "unused": self.unused}


def usable_families(families: Families, kinds: Collection[int]) -> Usable:
    """Leave out the families that subscribe to a kind of event which the search never sees.

    Such a family stays mute, or decides from half of what its author meant, and its genes would be copies of the other
    genes of a genome under another name.

    Args:
        families: all that there are.
        kinds: those that occur in the segments that the search sees.

    Raises:
        InputError: none is left.
    """
    lacking = {name: sorted({*family.subscriptions} - {*kinds}) for name, family in families.items()}
    used = {name: families[name] for name, missing in lacking.items() if not missing}
    if not used:
        there = ", ".join(KIND_NAMES[kind] for kind in sorted(kinds)) or "none"
        raise InputError(f"no strategy can be bred on it: each waits for a kind of event that it lacks; it has {there}")
    unused = {name: [KIND_NAMES[kind] for kind in missing] for name, missing in lacking.items() if missing}
    return Usable(used, unused)
