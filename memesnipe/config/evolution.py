"""Settings of evolution: the genetic algorithm, its generations, and the tapes of what was seen."""

from memesnipe.config.group import Group, setting
from memesnipe.config.types import Days, EventsBudget, Genomes, Hours, Interval, PastHours, Population, Ratio


class EvolutionSettings(Group):
    """Genetic algorithm, its generations, and the tapes of what was seen."""

    population_size: Population = setting(
        50, "backtests on all training hours that a generation costs; many more genomes race for them", decides=True
    )
    first_population_size: Population = setting(
        1_000, "the same for the first generation of a run, whose genomes are random", decides=True
    )
    training_events_budget: EventsBudget = setting(
        2_000_000_000, "events that a generation processes at most, all its genomes together", decides=True
    )
    mutation_rate: Ratio = setting(0.2, "probability that a number of a genome mutates", decides=True)
    crossover_rate: Ratio = setting(0.7, "probability that a child has two parents", decides=True)
    arena_parent_ratio: Ratio = setting(
        0.25,
        "share of parents that are profitable in the arena; 0: the search takes nothing from its results",
        decides=True,
    )
    tournament_size: Genomes = setting(3, "genomes drawn for one tournament", decides=True)
    specs_per_generation: Genomes = setting(
        8, "genomes of a generation that join the live simulation, at most", decides=True
    )
    min_deflated_sharpe_for_arena: Ratio = setting(
        0.5, "minimum deflated Sharpe ratio (all evaluations counted) in validation for it; 0: none", decides=True
    )
    generation_interval_secs: Interval = setting(600, "event time between two generations", decides=True)
    training_hours: Hours = setting(24, "latest hours of the market that a generation is backtested on", decides=True)
    synthetic_past_hours: PastHours = setting(
        6, "hours of the synthetic or measured market before a run, which its search trains on", decides=True
    )
    tape_retention_days: Days = setting(7, "days of event time after which a recorded tape is deleted", decides=False)
