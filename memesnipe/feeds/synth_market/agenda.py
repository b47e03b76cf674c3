"""The agenda of a token: what is scheduled to happen, a binary heap by time; ties are in order of scheduling."""

from typing import Any

from memesnipe.compiled import jitable


@jitable
def _is_before(a: Any, b: Any) -> bool:
    return a.at_s < b.at_s or (a.at_s == b.at_s and a.number < b.number)


@jitable
def _copy(to: Any, source: Any) -> None:
    to.at_s, to.number, to.kind, to.subject = source.at_s, source.number, source.kind, source.subject


@jitable
def schedule(life: Any, scratch: Any, wait_s: float, kind: int, subject: int) -> None:
    """Schedule an action ``wait_s`` from now; ``subject`` is its own argument."""
    heap, at = scratch.actions, life.actions
    if at >= len(heap):
        life.is_full = 1
        return
    at_s, number = life.now_s + wait_s, life.scheduled
    life.actions += 1
    life.scheduled += 1
    while at > 0:
        parent = (at - 1) // 2
        if heap[parent].at_s <= at_s:
            break
        _copy(heap[at], heap[parent])
        at = parent
    action = heap[at]
    action.at_s, action.number, action.kind, action.subject = at_s, number, kind, subject


@jitable
def pop(life: Any, scratch: Any) -> tuple[float, int, int]:
    """Remove the next action; return its time, kind and subject. There must be one."""
    heap = scratch.actions
    at_s, kind, subject = heap[0].at_s, heap[0].kind, heap[0].subject
    life.actions -= 1
    count = life.actions
    last = heap[count]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= count:
            break
        if child + 1 < count and _is_before(heap[child + 1], heap[child]):
            child += 1
        if not _is_before(heap[child], last):
            break
        _copy(heap[at], heap[child])
        at = child
    _copy(heap[at], last)
    return at_s, kind, subject
