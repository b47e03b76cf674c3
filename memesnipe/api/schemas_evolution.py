"""The JSON of the API's responses about the search."""

from typing import Annotated

from pydantic import Field

from memesnipe.api.schemas import Mode, Schema, Seq

Families = Annotated[list[str], Field(description="Of its signals.", examples=[["momentum_5m", "social_buzz"]])]


class Generation(Schema):
    """A generation of the search."""

    index: int
    seq: Seq
    window_events: int
    evaluations: int
    best_fitness: float | None
    median_fitness: float | None
    seconds: float
    proposed: int | None = Field(description="Strategies that it proposed; null for generations of earlier versions.")
    reason: str | None = Field(description="Why it proposed none; empty where it did.")
    trials: int | None = Field(description="Evaluations of the run up to here; null in earlier versions, as all below.")
    best_sharpe: float | None = Field(description="In validation, of the genome with the most probable skill.")
    luck_sharpe: float | None = Field(description="The greatest that so many trials without any skill reach, expected.")
    best_skill: float | None = Field(description="Probability of its skill: the deflated Sharpe ratio.")
    needed_skill: float | None = Field(description="The least of a proposal.")
    pbo: float | None = Field(description="Probability that the best in one half of the time is below the median then.")


class Elite(Schema):
    """The best genome of a cell of the archive."""

    spec_id: str
    fitness: float | None
    generation: int = Field(description="Of its latest evaluation.")
    families: Families
    holding: int = Field(description="Number of limits of `holding_s` that its mean holding time has reached.")
    turnover: int = Field(description="Number of limits of `turnover` that its turnover has reached.")
    mode: Mode | None = Field(description="Of the strategy; null where the genome was never proposed.")


class Archive(Schema):
    """The archive of the search after its last generation (MAP-Elites)."""

    holding_s: list[float] = Field(description="Limits between cells: mean holding time, in seconds.")
    turnover: list[float] = Field(description="Limits between cells: turnovers of the capital per hour.")
    elites: list[Elite] = Field(description="The fittest first.")


class Ancestor(Schema):
    """A genome as it was first evaluated on a whole window, and how it was made."""

    spec_id: str
    generation: int
    fitness: float | None
    families: Families
    operator: str | None = Field(
        description="kept, random, mutation or crossover; null in earlier versions.", examples=["crossover"]
    )
    parents: list[str] = Field(description="None of a random genome, one of a mutation, two of a crossover.")


class FamilyShare(Schema):
    """The share of one family in each generation."""

    family: str
    shares: list[float] = Field(description="In the order of the generations; those of all families add up to 1.")


class FamilyShares(Schema):
    """Which families the genomes of each generation have that reached the whole window."""

    generations: list[int]
    families: list[FamilyShare]
