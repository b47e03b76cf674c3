"""Settings of evolution: the genetic algorithm and its generations."""

from memesnipe.config.group import Group, setting
from memesnipe.config.types import Genomes, Interval, Population, Ratio, Window


class EvolutionSettings(Group):
    """Genetic algorithm and its generations."""

    population_size: Population = setting(50, "genomes in a generation", decides=True)
    mutation_rate: Ratio = setting(0.2, "probability that a number of a genome mutates", decides=True)
    crossover_rate: Ratio = setting(0.7, "probability that a child has two parents", decides=True)
    tournament_size: Genomes = setting(3, "genomes drawn for one tournament", decides=True)
    specs_per_generation: Genomes = setting(
        8, "genomes of a generation that join the live simulation, at most", decides=True
    )
    min_deflated_sharpe_for_arena: Ratio = setting(
        0.5, "minimum deflated Sharpe ratio (all evaluations counted) in validation for it; 0: none", decides=True
    )
    generation_interval_secs: Interval = setting(600, "event time between two generations", decides=True)
    tape_window_events: Window = setting(5_000, "latest events that a generation is backtested on", decides=True)
