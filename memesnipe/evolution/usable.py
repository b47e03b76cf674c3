"""The families that a search can use on a tape: those whose subscribed kinds of event all occur."""

from collections.abc import Collection
from dataclasses import dataclass

from memesnipe.errors import InputError
from memesnipe.market.events import KIND_NAMES
from memesnipe.sdk.registry import Families


@dataclass(frozen=True, slots=True)
class Usable:
    """The families of a search, and the excluded ones with the kinds of event that are missing."""

    families: Families
    unused: dict[str, list[str]]

    def to_dict(self) -> dict[str, object]:
        """Return the choice as JSON-ready data."""
        return {"used": sorted(self.families), "unused": self.unused}


def usable_families(families: Families, kinds: Collection[int]) -> Usable:
    """Exclude the families that subscribe to a kind of event which does not occur in the search.

    Such a family never votes, or votes without part of its inputs, so its genes would only duplicate a genome's other
    genes.

    Args:
        families: all families.
        kinds: the kinds of event in the training and validation segments.

    Raises:
        InputError: no family is left.
    """
    missing_kinds = {name: sorted({*family.subscriptions} - {*kinds}) for name, family in families.items()}
    used = {name: families[name] for name, missing in missing_kinds.items() if not missing}
    if not used:
        present = ", ".join(KIND_NAMES[kind] for kind in sorted(kinds)) or "none"
        raise InputError(f"no strategy is usable on it: each lacks a kind of event; it has {present}")
    unused = {name: [KIND_NAMES[kind] for kind in missing] for name, missing in missing_kinds.items() if missing}
    return Usable(used, unused)
