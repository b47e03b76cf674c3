"""The figures of strategies as records. Processes that only read them load no compiler."""

from dataclasses import fields
from typing import Any, Final, cast

import numpy as np

from memesnipe.engine.strategy_evidence import StrategyEvidence
from memesnipe.engine.strategy_result import StrategyResult

_FORMATS: Final = {float: "<f8", int: "<i8", str: "<u8"}  # the digest is a number


def _columns(record: type[Any]) -> list[tuple[str, str]]:
    return [(field.name, _FORMATS[cast("type", field.type)]) for field in fields(record) if field.name != "spec_id"]


# The fields of a `StrategyResult` in its order, without the spec id.
RESULT: Final = np.dtype(_columns(StrategyResult))
# Those fields and those of a `StrategyEvidence`.
FIGURES: Final = np.dtype([*_columns(StrategyResult), *_columns(StrategyEvidence)])
_RESULT_FIELDS: Final = len(RESULT.names or ())
EVIDENCE_NAMES: Final = (FIGURES.names or ())[_RESULT_FIELDS:]


def result_from(spec_id: str, row: Any) -> StrategyResult:
    """Return the result of a strategy as an object, from its record of dtype RESULT or FIGURES."""
    made: Any = StrategyResult
    *figures, digest = row.item()[:_RESULT_FIELDS]
    result: StrategyResult = made(spec_id, *figures, f"{digest:016x}")
    return result


def evidence_from(row: Any) -> StrategyEvidence:
    """Return the evidence of a strategy as an object, from its record of dtype FIGURES."""
    return StrategyEvidence(*row.item()[_RESULT_FIELDS:])
