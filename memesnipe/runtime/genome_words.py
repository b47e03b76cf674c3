"""A genome in words, with what the families of this installation say about themselves."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # numba is slow to load
    from memesnipe.config.settings import Settings
    from memesnipe.engine.genome import Genome
    from memesnipe.sdk.registry import Families


def in_words(genome: "Genome", families: "Families") -> dict[str, str]:
    """Return sentences about a genome, each under what it is about."""
    from memesnipe.engine.genome_words import describe  # noqa: PLC0415

    return describe(genome, families)


def describer(settings: "Settings") -> Callable[[dict[str, Any]], dict[str, str]]:
    """Return a function that describes stored genomes; it loads the families when it is first called."""
    loaded: list[Families] = []

    def describe_stored(stored: dict[str, Any]) -> dict[str, str]:
        from memesnipe.engine.genome import genome_from  # noqa: PLC0415
        from memesnipe.errors import MemeSnipeError  # noqa: PLC0415
        from memesnipe.runtime.families import load_families  # noqa: PLC0415

        try:
            if not loaded:
                loaded.append(load_families(settings))
            return in_words(genome_from(stored), loaded[0])
        except (MemeSnipeError, LookupError) as error:
            return {"error": f"the genome cannot be described: {error}"}

    return describe_stored
