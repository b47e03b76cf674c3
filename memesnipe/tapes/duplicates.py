"""Duplicate rows, as in files joined from several downloads."""

from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from memesnipe.tapes.columns import strings

SIGNATURES: Final = ("transaction_signature", "signature", "tx_signature", "tx_hash", "tx_id", "txid")
POSITIONS: Final = ("position", "instruction_index", "ix_index", "inner_index", "event_index", "log_index")


def find_duplicates(columns: dict[str, Any], swaps: pd.DataFrame) -> tuple[NDArray[np.bool_], str]:
    """Return which rows repeat an earlier one, shape (n,), and the description of the columns compared.

    A transaction may contain several trades, so the signature is compared together with the position inside the
    transaction, or else with all fields of the trade; other columns, such as the time of the download, are then
    ignored. Without signatures all columns of the file are compared.
    """
    repeats = np.zeros(len(swaps), dtype=bool)
    candidates = np.flatnonzero(_candidates(swaps))
    if not len(candidates):
        return repeats, ""
    of_candidates = {name: column.take(pa.array(candidates)) for name, column in columns.items()}
    repeats[candidates], by = _repeats(of_candidates, swaps.iloc[candidates])
    return repeats, by


def _candidates(swaps: pd.DataFrame) -> NDArray[np.bool_]:
    """Return whether another row has the same time and token, shape (n,); all other rows cannot be duplicates."""
    hashes = np.zeros(len(swaps), dtype=np.uint64)
    for name in ("ts", "mint"):
        hashes = (hashes ^ swaps[name].to_numpy().astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
    return np.asarray(pd.Series(hashes).duplicated(keep=False))


def _repeats(columns: dict[str, Any], swaps: pd.DataFrame) -> tuple[NDArray[np.bool_], str]:
    signature = next((name for name in SIGNATURES if name in columns), None)
    position = next((name for name in POSITIONS if name in columns), None)
    if signature is None:
        texts = {f"text {name}": _codes(column) for name, column in columns.items()}
        return pd.DataFrame(texts).duplicated().to_numpy(), "all columns"
    signed = ~strings(columns[signature], "^$")
    if position is not None:
        keys = {"signature": _codes(columns[signature]), "position": _codes(columns[position]), "mint": swaps["mint"]}
        return pd.DataFrame(keys).duplicated().to_numpy() & signed, f"{signature} and {position}"
    keys = {name: swaps[name] for name in swaps.columns} | {"signature": _codes(columns[signature])}
    return pd.DataFrame(keys).duplicated().to_numpy() & signed, f"{signature} and the trade"


def _codes(column: Any) -> NDArray[np.int64]:
    encoded = pc.dictionary_encode(column)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return np.asarray(encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64))
