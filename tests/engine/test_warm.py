"""After `compile_all` nothing is left to compile: the first order of a run would wait for it."""

import subprocess
import sys

PROGRAM = """
import sys
import numpy as np
from numba.core.dispatcher import Dispatcher
from memesnipe.engine.fills import FillModel
from memesnipe.engine.warm import compile_all
from memesnipe.evolution.operators import random_genomes
from memesnipe.protocol.account import Account
from memesnipe.sdk.registry import discover
from memesnipe.trading.execution import local_execution
from memesnipe.trading.gate import Limits
from tests.payloads import allocations
from tests.support import NO_STOPS, synthetic_events

def compiled():
    modules = [module for name, module in sys.modules.items() if name.startswith("memesnipe.")]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)}
    return {(value.__name__, signature) for value in found for signature in value.signatures}

families = discover()
genomes = random_genomes(np.random.default_rng(5), families, 300)
execution = local_execution(
    families, FillModel(), shadow_capital_usd=1000.0, limits={Account.PAPER: Limits(1e9)},
    policies={Account.PAPER: NO_STOPS},
)
compile_all(families)
before = compiled()
usd = {genome.spec_id: 500.0 for genome in genomes}
execution.apply(allocations(genomes, usd=usd))
events = synthetic_events(3000, seed=3)
steps = [step for part in (events[:2000], events[2000:]) for step in execution.advance(part)]
fills = [fill for step in steps for fill in step.fills]
execution.apply(allocations((), removed=[genomes[7].spec_id], usd=usd))
execution.dump()
assert len(fills) > 100
print(sorted({name for name, _ in compiled() - before}))
"""


def test_nothing_is_compiled_while_strategies_trade() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
