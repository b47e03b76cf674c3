"""A generation on three hosts: one worker is cut off in the middle of it and given back, and nothing changes."""

import json
import sys

import pytest

from tests.cluster.hosts import Host
from tests.system.installation import wait_for

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(900)]

# A generation like those of the strategy factory. It prints the number of genomes done after each chunk, and at the end
# the results and those of the same genomes without Ray.
GENERATION = """
import json, sys
import numpy as np, ray
from actors.backtest import Backtests, Conditions
from memesnipe.engine.fills import FillModel
from memesnipe.evolution.evaluation import Segment, evaluate
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.spans import cut, search_spans, span_of
from memesnipe.testing.labelled_markets import Edge, labelled_market
from memesnipe.sdk.registry import discover

ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
events = labelled_market(Edge.NOISE, 1, hours=1.5).events
spans, families = search_spans(span_of(events)), discover()
backtests = Backtests(Conditions(FillModel(), 1000.0), chunk_s=0.2, deadline_s=10.0)
train, validation = backtests.store((spans.train, spans.validation), [events])
genomes = random_genomes(np.random.default_rng(1), families, int(sys.argv[2]))
done = 0
def count(more):
    global done
    done += more
    print(json.dumps({"done": done, "nodes": sum(node["Alive"] for node in ray.nodes())}), flush=True)
found = backtests.evaluate(train, validation, genomes, count)
print(json.dumps({"found": [[e.spec_id, e.fitness] for e in found]}), flush=True)
local = [Segment(span, [cut(events, span)]) for span in (spans.train, spans.validation)]
expected = evaluate(*local, genomes, families, FillModel(), 1000.0)
print(json.dumps({"expected": [[e.spec_id, e.fitness] for e in expected]}), flush=True)
"""
GENOMES = 6_000


def _lines(host: Host) -> list[dict[str, object]]:
    return [json.loads(line) for line in host.output("generation.log").splitlines() if line.startswith("{")]


def _last(host: Host, name: str) -> int:
    return next((int(str(line[name])) for line in reversed(_lines(host)) if name in line), 0)


def test_a_generation_survives_the_loss_and_the_return_of_a_host(three_hosts: list[Host]) -> None:
    head, kept, lost = three_hosts
    address = head.lead("--num-cpus=0")
    for worker in (kept, lost):
        worker.join(address, "--num-cpus=1")
    generation = head.start(sys.executable, "-c", GENERATION, address, str(GENOMES), log="generation.log")

    def reached(share: float) -> bool:
        assert generation.poll() is None, head.output("generation.log")
        return _last(head, "done") >= share * GENOMES

    wait_for("the generation to begin", lambda: reached(0.05), 240)
    assert _last(head, "nodes") == 3
    lost.unplug()
    before = _last(head, "done")
    wait_for("the cluster to notice", lambda: reached(0) and _last(head, "nodes") == 2, 120)
    assert _last(head, "done") > before, "the other host goes on"
    lost.plug()
    lost.kill()  # a node that Ray has given up ends; its service starts another
    lost.join(address, "--num-cpus=1")
    wait_for("the end of the generation", lambda: generation.poll() is not None, 400)
    assert generation.returncode == 0, head.output("generation.log")
    *_, found, expected = _lines(head)
    assert found["found"] == expected["expected"]
    assert len(str(found["found"])) > GENOMES
    assert {line["nodes"] for line in _lines(head) if "nodes" in line} == {2, 3}
    assert kept.programs[0].poll() is None
