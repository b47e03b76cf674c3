"""Rows that are told twice, as files joined from several downloads have them."""

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
    """Which rows repeat an earlier one, shape (n,), and by what: the names of the columns that must agree.

    A transaction may hold several trades. So a signature alone says nothing: it counts with the position inside the
    transaction, or else with everything that the trade says. Columns that say when a row was downloaded do not count
    then. Without signatures all columns of the file must agree.
    """
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
