"""The key of a search: everything that its results depend on. A search can be resumed only with the same key."""

import sys
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from memesnipe.code import search_hash
from memesnipe.engine.fills import FillModel
from memesnipe.sdk.registry import Families

# The option or setting behind each part of a key.
_NAMES: Final = {
    "seed": "--seed", "landing_seed": "SEED", "population_size": "--population", "mutation_rate": "MUTATION_RATE",
    "crossover_rate": "CROSSOVER_RATE", "tournament_size": "TOURNAMENT_SIZE", "capital_usd": "SHADOW_CAPITAL_USD",
    "latency_ns": "LATENCY_MS (in ns)", "landing_max": "LANDING_MAX", "landing_half_lamports": "LANDING_HALF_LAMPORTS",
    "slippage_bps": "SLIPPAGE_BPS", "priority_fee_lamports": "PRIORITY_FEE_LAMPORTS",
    "tip_lamports": "JITO_TIP_LAMPORTS", "dead_after_ns": "DEAD_AFTER_SECS (in ns)",
}  # fmt: skip


def key_of(
    seed: int, search: Mapping[str, Any], capital_usd: float, model: FillModel, families: Families
) -> dict[str, Any]:
    """Return everything that the results of a search on its tape depend on, as JSON values.

    Args:
        seed: of the search.
        search: the fields of `memesnipe.evolution.genetic_algorithm.SearchSettings`.
        capital_usd: starting capital of each genome.
        model: how orders are filled.
        families: those that the search uses.
    """
    strategies = {name: _hash_of(Path(str(_module_of(family).__file__))) for name, family in families.items()}
    fills = model._asdict()
    del fills["seed"]  # it is the setting SEED, kept as `landing_seed`
    return {
        "seed": seed, "landing_seed": model.seed, "search": dict(search), "capital_usd": capital_usd, "model": fills,
        "strategies": strategies, "engine": search_hash(),
    }  # fmt: skip


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the differences between two keys, one phrase each; [] for equal keys."""
    found = list(_changed_strategies(before.get("strategies", {}), now["strategies"]))
    if before.get("engine") != now["engine"]:
        found.append("MemeSnipe's code has changed")
    flat_before, flat_now = _flat(before), _flat(now)
    for name, value in flat_now.items():
        if name in flat_before and flat_before[name] != value:
            found.append(f"{_NAMES.get(name, name)} was {flat_before[name]} and is {value}")
    return found or (["it was started by another version"] if dict(before) != dict(now) else [])


def _changed_strategies(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*before, *now}):
        if name not in now:
            yield f"the strategy {name} was removed"
        elif name not in before:
            yield f"the strategy {name} is new"
        elif before[name] != now[name]:
            yield f"the strategy {name} has changed"


def _flat(key: Mapping[str, Any]) -> dict[str, Any]:
    parts = {**key, **key.get("search", {}), **key.get("model", {})}
    return {name: value for name, value in parts.items() if not isinstance(value, Mapping) and name != "engine"}


def _module_of(family: Any) -> Any:
    return sys.modules[type(family).__module__]


def _hash_of(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=8).hexdigest()
