"""Standings of strategies in the arena."""

from collections.abc import Mapping

from memesnipe.protocol.messages import ArenaStandings


def standings_of(
    expected: Mapping[str, float], *, round_trips: int = 100, deviation: float = 0.01, seq: int = 1
) -> ArenaStandings:
    """Return standings of strategies with an expected return each."""
    count = len(expected)
    return ArenaStandings(
        seq=seq,
        spec_ids=list(expected),
        round_trips=[round_trips] * count,
        expected=list(expected.values()),
        deviations=[deviation] * count,
    )
