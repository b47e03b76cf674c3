"""The log of a transaction as the cluster would print it, from what LiteSVM has printed for the expanded one."""

import re
from collections.abc import Sequence
from typing import Final

from memesnipe.localnet.errors import Err
from memesnipe.localnet.expansion import ADDED, Emulated, VmTransaction

LIMIT_BYTES: Final = 10_000  # of a log; the cluster leaves out what exceeds it
_TRUNCATED: Final = "Log truncated"
_EVENT: Final = "Program data: "
_INVOKE: Final = re.compile(r"Program (\w+) invoke \[(\d+)\]")
_CONSUMED: Final = re.compile(r"Program \w+ consumed (\d+) of \d+ compute units")
_FAILED: Final = re.compile(r"Program \w+ failed: (.*)")
_BUILTIN_UNITS: Final = 150  # consumed by an instruction of a program that prints no consumption


def cluster_logs(lines: Sequence[str], run: VmTransaction, err: Err | None) -> list[str]:
    """Return the log of the original transaction.

    Args:
        lines: LiteSVM's log.
        run: what LiteSVM has run.
        err: the outcome of the original transaction.
    """
    if not run.emulated or not lines:  # it has not run
        return truncate(lines)
    found: dict[int, list[list[str]]] = {}  # the logs of instructions by index in the original transaction
    groups = _split(lines)
    for instruction, origin in zip(run.instructions, run.origins, strict=True):
        name = _INVOKE.match(groups[0][0]) if groups else None
        if name is not None and name[1] == str(instruction.program_id):  # precompiled programs print nothing
            found.setdefault(origin, []).append(groups.pop(0))
    failed = err["InstructionError"][0] if isinstance(err, dict) and "InstructionError" in err else None
    left = run.units
    result: list[str] = []
    for origin in sorted(found.keys() | run.emulated.keys()):
        if origin == ADDED or (failed is not None and origin > failed):
            continue
        inner = found.get(origin, [])
        units = sum(_units(group) for group in inner)
        if origin in run.emulated:
            result += _of_emulated(run.emulated[origin], inner, units, left, err if origin == failed else None)
        else:
            result += [line for group in inner for line in group]
        left -= units
    return truncate(result)


def truncate(lines: Sequence[str]) -> list[str]:
    """Return the lines that the cluster keeps."""
    kept: list[str] = []
    size = 0
    for line in lines:
        if size + len(line.encode()) < LIMIT_BYTES:
            size += len(line.encode())
            kept.append(line)
        elif _TRUNCATED not in kept:
            kept.append(_TRUNCATED)
    return kept


def failure_text(err: Err | None) -> str:
    """Return the text of an instruction's error as in a log line."""
    reason = err["InstructionError"][1] if isinstance(err, dict) and "InstructionError" in err else err
    if isinstance(reason, dict) and "Custom" in reason:
        return f"custom program error: {reason['Custom']:#x}"
    return str(reason)


def _split(lines: Sequence[str]) -> list[list[str]]:
    """Return the lines of each top-level instruction."""
    groups: list[list[str]] = []
    for line in lines:
        name = _INVOKE.fullmatch(line)
        if name is not None and name[2] == "1":
            groups.append([])
        groups[-1].append(line)
    return groups


def _units(group: Sequence[str]) -> int:
    """Return the compute units that a top-level instruction consumed."""
    consumed = [int(match[1]) for line in group if (match := _CONSUMED.fullmatch(line))]
    return consumed[-1] if consumed else _BUILTIN_UNITS


def _of_emulated(one: Emulated, inner: Sequence[Sequence[str]], units: int, left: int, err: Err | None) -> list[str]:
    program = one.program_id
    is_error = one.error is not None
    printed = _FAILED.match(inner[-1][-1]) if inner and not is_error else None
    reason = printed[1] if printed else failure_text(err)
    lines = one.error_logs if is_error else one.expansion.log_lines
    result = [f"Program {program} invoke [1]"]
    result += [line for line in lines if not line.startswith(_EVENT)]
    if not is_error:
        result += [_INVOKE.sub(_deeper, line) for group in inner for line in group]
    result += [line for line in lines if line.startswith(_EVENT)] if err is None or is_error else []
    result.append(f"Program {program} consumed {units} of {left} compute units")
    result.append(f"Program {program} success" if err is None else f"Program {program} failed: {reason}")
    return result


def _deeper(match: re.Match[str]) -> str:
    return f"Program {match[1]} invoke [{int(match[2]) + 1}]"
