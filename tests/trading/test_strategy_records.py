"""The records of all strategies in one array equal an object for each."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine.strategy_evidence import NO_EVIDENCE, StrategyEvidence
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.protocol.messages import ParityRecord
from memesnipe.trading.strategy_records import StrategyRecords
from tests.support import columns_of, result

NAMES = st.sampled_from("abcdefgh")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sets(NAMES)),
        st.tuples(st.just("remove"), st.sets(NAMES)),
        st.tuples(st.just("restart"), st.sets(NAMES, max_size=1)),
        st.tuples(st.just("results"), st.sets(NAMES)),
    ),
    max_size=25,
)


class Slow:
    """The records of one strategy as objects."""

    def __init__(self, weight: float) -> None:
        self.weight, self.restarts = weight, 0
        self.result: StrategyResult | None = None
        self.evidence, self.parity = NO_EVIDENCE, ParityRecord(0, 0.0)


@settings(deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_the_records_equal_objects(steps, random) -> None:  # type: ignore[no-untyped-def]
    records, slow = StrategyRecords(), dict[str, Slow]()
    for number, (name, chosen) in enumerate(steps):
        spec_ids = sorted(chosen)
        known = [spec_id for spec_id in spec_ids if spec_id in slow]
        match name:
            case "add":
                new = [spec_id for spec_id in spec_ids if spec_id not in slow]
                weights = [random.random() for _ in new]
                records.add(new, weights)
                slow |= {spec_id: Slow(weight) for spec_id, weight in zip(new, weights, strict=True)}
            case "remove":
                records.remove(known)
                slow = {spec_id: one for spec_id, one in slow.items() if spec_id not in known}
            case "restart":
                for spec_id in known:
                    records.restart(spec_id, 0.5)
                    one = slow[spec_id]
                    one.weight, one.restarts = 0.5, one.restarts + 1
                    one.evidence = replace(NO_EVIDENCE, restarts=one.restarts)
            case "results":
                random.shuffle(spec_ids)
                found = [
                    result(spec_id, sharpe=random.random(), trades=number, digest="0" * 16) for spec_id in spec_ids
                ]
                evidence = {s: StrategyEvidence(random.random(), 3, 0.1, 0.2, random.randint(0, 2)) for s in spec_ids}
                parity = {s: ParityRecord(random.randint(1, 9), 0.5) for s in "abcdefgh" if random.random() < 0.5}
                records.apply(columns_of(found, evidence), parity)
                for one in found:
                    if one.spec_id in slow:
                        kept = slow[one.spec_id]
                        kept.result, kept.parity = one, parity.get(one.spec_id, ParityRecord(0, 0.0))
                        if evidence[one.spec_id].restarts >= kept.restarts:
                            kept.evidence = evidence[one.spec_id]
    again = StrategyRecords(records.dump())
    for one in (records, again):
        assert one.spec_ids == list(slow)
        assert {s: one.result(s) for s in slow} == {s: kept.result for s, kept in slow.items()}
        assert {s: one.evidence(s) for s in slow} == {s: kept.evidence for s, kept in slow.items()}
        assert {s: one.parity(s) for s in slow} == {s: kept.parity for s, kept in slow.items()}
        assert {s: one.weight(s) for s in slow} == {s: kept.weight for s, kept in slow.items()}
