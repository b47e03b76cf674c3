"""Compilation of a family: ``on_event`` in a loop over its subscribed deliveries, cached on disk, called by address.

Each family's loop is a generated file, because numba's cache is keyed by a function's file: a loop that closed over
``on_event``, or got it as an argument, would be compiled again in every process. The file's name includes a hash of the
strategy's source, so that a changed strategy gets a new file.

A vote stands until the gene's next vote on the token. So besides the votes at the subscribed deliveries, a loop writes
the standing votes at the events of tokens of other kinds, where genes with other subscriptions vote. The source of such
a stale vote is the delivery of the batch at which the gene voted last; without one it is a vote from before the batch,
and the number of its event is written too.
"""

import importlib.util
import sys
from functools import cache
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any

from numba import cfunc, from_dtype, njit, types

from memesnipe.compiled import CACHE_FOLDER, OPTIONS
from memesnipe.market.events import EVENT
from memesnipe.market.token_slots import DELIVERY
from memesnipe.sdk.checks import check, explain
from memesnipe.sdk.strategy import StateField, Strategy

_LOOP = '''"""The loop of the family {family}. Made by MemeSnipe; do not edit."""

from numba import carray


def compute_votes(
    params, states, events, deliveries, subscribed, count, votes, number, stale, sources, stale_count, numbers
):
    p = carray(params, 1)[0]
    state_of = carray(states, 1)
    event_of = carray(events, 1)
    delivery_of = carray(deliveries, 1)
    index_of = carray(subscribed, 1)
    vote_of = carray(votes, 1)
    stale_of = carray(stale, 1)
    source_of = carray(sources, 1)
    number_of = carray(numbers, 1)
    early = 0
    for i in range(stale_count):
        if source_of[i] < 0:
            delivery = delivery_of[stale_of[i]]
            s = state_of[delivery.slot]
            is_same = s.incarnation_ == delivery.incarnation
            vote_of[stale_of[i]] = s.vote_ if is_same else 0
            number_of[early] = s.voted_ if is_same else 0
            early += 1
    for i in range(count):
        index = index_of[i]
        delivery = delivery_of[index]
        s = state_of[delivery.slot]
        if s.incarnation_ != delivery.incarnation:
            s.incarnation_ = delivery.incarnation
{resets}
        vote = on_event(p, s, event_of[delivery.event])
        s.vote_ = vote
        s.voted_ = number + delivery.event
        vote_of[index] = vote
    for i in range(stale_count):
        if source_of[i] >= 0:
            vote_of[stale_of[i]] = vote_of[source_of[i]]
'''


# Keyed by name and hash: searching a folder again creates new classes with the same source.
_LOADED: dict[str, Any] = {}


@cache
def loop_of(strategy: Any) -> Any:
    """Return the compiled loop, with its address in ``.address``. It is kept until the process ends.

    Raises:
        StrategyError: the strategy breaks a rule; the message names the file, the line and the rule.
    """
    source = check(strategy)
    # Resets are spelled out because the incarnation and the fields have different types.
    resets = "\n".join(
        f"            s.{name} = {'0' if field.kind == 'i8' else '0.0'}" for name, field in _fields(strategy)
    )
    text = _LOOP.format(family=strategy.family, resets=resets)
    layout = f"{strategy.param_dtype()} {strategy.state_dtype()}"
    name = f"{strategy.family}_{blake2b((source + text + layout).encode(), digest_size=6).hexdigest()}"
    if name not in _LOADED:
        _LOADED[name] = _compile(strategy, _module(name, text))
    return _LOADED[name]


def _compile(strategy: Any, module: Any) -> Any:
    # numba resolves the functions called by a function in its module.
    module.on_event = njit(error_model="numpy", forceinline=True)(strategy.on_event)
    record = {name: from_dtype(dtype) for name, dtype in _records(strategy).items()}
    pointers = (*(types.CPointer(record[name]) for name in ("params", "states", "events", "deliveries")),)
    indices, numbers = types.CPointer(types.int32), types.CPointer(types.int64)
    signature = types.void(
        *pointers, indices, types.int64, types.CPointer(types.int8), types.int64, indices, indices, types.int64, numbers
    )
    with explain(strategy):
        return cfunc(signature, **{**OPTIONS, "_nrt": True})(module.compute_votes)


def _fields(strategy: type[Strategy]) -> list[tuple[str, StateField]]:
    return list(strategy.state_fields.items())


def _records(strategy: type[Strategy]) -> dict[str, Any]:
    return {"params": strategy.param_dtype(), "states": strategy.state_dtype(), "events": EVENT, "deliveries": DELIVERY}


def _module(name: str, text: str) -> ModuleType:
    """Return the module of a generated file, written if it does not exist."""
    path: Path = CACHE_FOLDER / "families" / f"{name}.py"
    if not path.is_file():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{id(text)}")
        unfinished.write_text(text)
        unfinished.replace(path)  # atomically, because workers start at the same time
    module_name = f"memesnipe_family_{name}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None and spec.loader is not None  # noqa: S101 - a Python file written above
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # numba looks here when it loads from its cache
    spec.loader.exec_module(module)
    return module
