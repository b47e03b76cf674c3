"""Garbage is collected in short steps where events wait for the process."""

import subprocess
import sys

PROGRAM = """
import gc
from time import perf_counter

import memesnipe.garbage

kept = [[n] for n in range(300_000)]
before = gc.get_threshold()
memesnipe.garbage.collect_in_small_steps()
assert gc.get_threshold()[0] < before[0]
assert gc.get_freeze_count() > len(kept)

class Node:
    pass

collected = []
gc.callbacks.append(lambda phase, found: collected.append(found["collected"]) if phase == "stop" else None)
for _ in range(5_000):
    node = Node()
    node.itself = node
assert sum(collected) > 3_000, collected
"""


def test_steps_are_small_and_cycles_are_still_collected() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
