"""Memory is bounded by the tokens alive: a thousand strategies on twenty thousand tokens of some minutes each."""

import json
import subprocess
import sys

PROGRAM = """
import json
from pathlib import Path
import numpy as np
from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.evolution.operators import random_genomes
from memesnipe.market.events import PRICE, PUMP_CURVE, empty
from memesnipe.sdk.registry import discover

TOKENS, EACH = 20_000, 5
rng = np.random.default_rng(3)
events = empty(TOKENS * EACH)
token = np.repeat(np.arange(TOKENS), EACH)
ts = token * 2_000_000_000 + (np.tile(np.arange(EACH), TOKENS) * 20 + rng.random(TOKENS * EACH)) * 1e9
order = np.argsort(ts, kind="stable")
events["ts"] = 1_700_000_000_000_000_000 + ts[order].astype(np.int64)
events["token"] = token[order]
events["seq"] = np.arange(1, len(events) + 1)
events["kind"], events["venue"], events["sol_usd"] = PRICE, PUMP_CURVE, 200.0
sol = (30e9 * (1.0 + rng.random(len(events)))).astype(np.int64)
events["pool_sol_lamports"], events["pool_token_raw"] = sol, (30e9 * 1.073e15 / sol).astype(np.int64)
events["real_sol_lamports"] = sol - 30_000_000_000
events["real_token_raw"] = events["pool_token_raw"] - 279_900_000_000_000
events["protocol_fee_bps"], events["creator_fee_bps"] = 95, 30
events["side"] = rng.choice([-1, 1], len(events))
events["price_usd"] = sol / events["pool_token_raw"] * 0.2
events["volume_usd"] = rng.lognormal(2, 1.5, len(events))
events["liquidity_usd"] = events["real_sol_lamports"] / 1e9 * 200

families = discover()
engine = Engine(families, FillModel(dead_after_ns=300_000_000_000), 1000.0)
engine.add(*random_genomes(rng, families, 1000))
engine.advance(events)
# Not ru_maxrss, which is at least that of the process from which this one was forked.
peak_kib = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
print(json.dumps({
    "peak_mib": peak_kib / 1024,
    "incarnations": int(engine.token_slots.ends[2]),
    "slots": engine.token_slots.capacity,
    "orders": int(engine.population.accounts["orders"].sum()),
}))
"""


def test_a_thousand_strategies_over_twenty_thousand_tokens_stay_under_a_gibibyte() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["incarnations"] == 20_000
    assert figures["slots"] <= 512
    assert figures["orders"] > 10_000
    assert figures["peak_mib"] < 1024, figures
