"""How often live fills would demote a strategy, by their noise, bias and landing rate: the table of docs/lifecycle.md.

    .venv/bin/python benchmarks/live_drift.py

90 % of the simulated orders land. Each row: 500 streams of 200 comparisons, looked at after each; noise is Student's t
with 3 degrees of freedom, scaled to the standard deviation.
"""

import numpy as np

from memesnipe.trading.lifecycle import MAX_MISSED_Z
from memesnipe.trading.parity import MISSED_BPS, Parity

STREAMS, FILLS, LIMIT_BPS, MIN_FILLS, LANDS_SIMULATED = 500, 200, 500.0, 10, 0.9


def fills_until_alarm(seed: int, deviation: float, bias: float, lands_live: float) -> int | None:
    """Return the number of comparisons after which the strategy would be demoted; None if it never would."""
    draw, parity = np.random.default_rng(seed), Parity()
    for number in range(1, FILLS + 1):
        lands, lands_simulated = draw.random() < lands_live, draw.random() < LANDS_SIMULATED
        if lands and lands_simulated:
            parity.add(bias + deviation * float(draw.standard_t(3)) / 3**0.5)
        elif lands or lands_simulated:
            parity.add(-MISSED_BPS if lands else MISSED_BPS)
        if parity.fills >= MIN_FILLS and (parity.worse_bps > LIMIT_BPS or parity.missed_z >= MAX_MISSED_Z):
            return number
    return None


def main() -> None:
    print("| noise, bps | bias, bps | live orders land | demoted | after, median |\n|---|---|---|---|---|")
    for deviation in (300.0, 1_000.0, 3_000.0):
        for bias, lands in ((0.0, 0.9), (800.0, 0.9), (1_500.0, 0.9), (0.0, 0.5)):
            found = [fills_until_alarm(seed, deviation, bias, lands) for seed in range(STREAMS)]
            alarms = [number for number in found if number is not None]
            after = f"{np.median(alarms):.0f} orders" if len(alarms) * 2 > STREAMS else ""
            share = len(alarms) / STREAMS
            print(f"| {deviation:,.0f} | {bias:,.0f} | {lands:.0%} | {share:.1%} | {after} |")


if __name__ == "__main__":
    main()
