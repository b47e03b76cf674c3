from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from memesnipe.storage.database import migrate
from memesnipe.storage.searches import HOLDOUT, SearchStore, study_storage

KEY: dict[str, Any] = {"seed": 1, "search": {"population_size": 8}}


def _generation(index: int, evaluations: int = 8) -> dict[str, Any]:
    figures = {"best_fitness": 1.5, "median_fitness": -0.5, "pbo": 0.25, "cells": 3, "failed": 0, "seconds": 0.1}
    return {"index": index, "evaluations": evaluations, **figures}


@pytest.fixture
def store(database: sa.Engine) -> SearchStore:
    return SearchStore(database, f"market {uuid4()}")


def test_a_search_resumes_after_its_last_complete_generation(store: SearchStore) -> None:
    begun = store.begin("a.tape", KEY)
    assert (begun.state, begun.generations) == (None, [])
    store.store_generation(begun.search_id, b"one", _generation(0))
    store.store_generation(begun.search_id, b"two", _generation(1))
    found = store.find(KEY)
    assert found is not None
    assert (found.search_id, found.state) == (begun.search_id, b"two")
    assert found.generations == [_generation(0), _generation(1)]


def test_only_an_equal_search_on_the_same_market_is_found(store: SearchStore, database: sa.Engine) -> None:
    first, second = store.begin("a.tape", KEY), store.begin("a.tape", KEY)
    found = store.find(KEY)
    assert found is not None
    assert found.search_id == second.search_id != first.search_id
    assert store.find(KEY | {"seed": 2}) is None
    assert SearchStore(database, "another market").find(KEY) is None


def test_the_latest_search_is_found_by_market_then_by_tape_name(store: SearchStore, database: sa.Engine) -> None:
    tape = f"{uuid4()}.tape"
    assert store.latest(tape) is None
    first = store.begin(tape, KEY)
    assert store.latest("renamed.tape") == (first.search_id, KEY, True)
    assert SearchStore(database, f"market {uuid4()}").latest(tape) == (first.search_id, KEY, False)


def test_a_generation_is_stored_atomically(store: SearchStore) -> None:
    begun = store.begin("a.tape", KEY)
    store.store_generation(begun.search_id, b"one", _generation(0))
    with pytest.raises(sa.exc.IntegrityError):
        store.store_generation(begun.search_id, b"again", _generation(0, evaluations=99))
    found = store.find(KEY)
    assert found is not None
    assert found.state == b"one"
    assert store.count(begun.search_id, "finish", []) == 8


def test_every_evaluation_counts_once_and_across_searches(store: SearchStore, database: sa.Engine) -> None:
    first = store.begin("a.tape", KEY)
    store.store_generation(first.search_id, b"", _generation(0, evaluations=100))
    assert store.count(first.search_id, "finish", [5, 16]) == 121
    assert store.count(first.search_id, "finish", [5, 16]) == 121, "a batch repeated after a crash"
    second = store.begin("b.tape", KEY | {"seed": 2})
    store.store_generation(second.search_id, b"", _generation(0, evaluations=1000))
    assert store.count(second.search_id, "finish", [4]) == 1125
    assert store.tested_on_holdout() == 0
    assert store.count(first.search_id, HOLDOUT, [6]) == 1131
    assert store.count(first.search_id, HOLDOUT, [6]) == 1131, "repeated"
    assert store.count(second.search_id, HOLDOUT, [4]) == 1135
    assert store.tested_on_holdout() == 10
    elsewhere = SearchStore(database, f"market {uuid4()}")
    assert elsewhere.count(elsewhere.begin("c.tape", KEY).search_id, "finish", [1]) == 1


def test_studies_have_a_schema_of_their_own(database: sa.Engine, database_url: str) -> None:
    engine = sa.create_engine(study_storage(database, database_url))
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT current_schema()")) == "optuna"
    engine.dispose()


def test_the_holdout_tests_of_earlier_searches_count(at_revision: Callable[[str], sa.Engine]) -> None:
    """Before, they were the last batch of the end of each search."""
    old = at_revision("0010")
    store = SearchStore(old, "market")
    for evaluations in ([5, 16, 256, 6], [5, 256, 3]):
        store.count(store.begin("a.tape", KEY).search_id, "finish", evaluations)
    store.begin("a.tape", KEY)  # stopped early
    migrate(old)
    assert store.tested_on_holdout() == 9
    assert store.count(1, HOLDOUT, [6]) == 547, "counted"
