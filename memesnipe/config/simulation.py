"""Settings of the live simulation: its strategies, their capital and the seed."""

import os
from pathlib import Path

from memesnipe.config.group import Group, setting
from memesnipe.config.types import Folders, Genomes, Seed, Shards, Threads, Usd


class SimulationSettings(Group):
    """Strategies of the live simulation, their capital, and the seed."""

    seed: Seed = setting(24, "seed of the search and of landing failures", decides=True)
    shadow_capital_usd: Usd = setting(1_000, "shadow capital of each simulated strategy", decides=True)
    arena_size: Genomes = setting(2_000, "maximum number of strategies in the live simulation", decides=True)
    executor_threads: Threads = setting(
        1, "threads of the live simulation; each simulates a share of the strategies", decides=False
    )
    arena_shards: Shards = setting(
        1, "arenas; more than one run as actors of their own, on nodes with the resource `arena`", decides=False
    )
    strategy_path: Folders = setting(
        "", "folders of your own strategies, separated by colons; the same on every node", decides=True
    )

    @property
    def strategy_folders(self) -> tuple[Path, ...]:
        """Return the folders of the user's own strategies."""
        return tuple(Path(part) for part in self.strategy_path.split(os.pathsep) if part)
