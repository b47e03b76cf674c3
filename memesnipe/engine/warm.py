"""Compilation of everything that a run needs, so that its workers load it instead of compiling in parallel."""

from collections.abc import Callable

import numpy as np

from memesnipe.compiled import CACHE_FOLDER
from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import simple_genome
from memesnipe.engine.kept_votes import KeptVotes
from memesnipe.engine.landing import landing_draw
from memesnipe.market.events import SOL_PRICE, empty
from memesnipe.sdk.registry import Families, discover


def is_cold(function: str = "kernel.advance") -> bool:
    """Return whether a compiled function is not cached: compiling takes half a minute, on a busy machine minutes."""
    return next(CACHE_FOLDER.rglob(f"{function}*.nbi"), None) is None


def compile_all(families: Families, report: Callable[[str, int, int], None] = lambda _part, _number, _of: None) -> None:
    """Compile the engine and every family.

    Args:
        families: to compile.
        report: called before each part with its name, its number from 1 on, and the number of parts.

    Raises:
        StrategyError: a strategy breaks a rule; the message names the file, the line and the rule.
    """
    model = FillModel()
    engine = Engine(families, model, 1000.0, keeps_evidence=True)
    parts = [*families, "the engine"]
    for number, name in enumerate(families, 1):
        report(name, number, len(parts))
        engine.add(simple_genome(name, {}))
    report(parts[-1], len(parts), len(parts))
    event = empty(1)
    event["ts"], event["seq"], event["token"], event["kind"], event["sol_usd"] = 1, 1, -1, SOL_PRICE, 1.0
    engine.advance(np.asarray(event))
    engine.figures()
    engine.dump()
    engine.observe_desk(engine.population.spec_ids[0], 0, None)
    engine.remove(engine.population.spec_ids[0])
    kept = KeptVotes(2**20)
    for _ in range(2):  # the second engine takes the votes that the first has kept
        engine = Engine(families, model, 1000.0)
        engine.add(simple_genome(next(iter(families)), {}))
        voting = engine.use_kept_votes(kept, "")
        engine.advance(np.asarray(event))
        voting.finish()
    landing_draw(model.seed, 0, 1)  # the desk calls it too


if __name__ == "__main__":
    compile_all(discover())
