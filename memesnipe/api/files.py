"""Rows of a list as a file, CSV or Parquet: the ending of the path says which."""

import io
from enum import StrEnum
from typing import Annotated, Any, Final, get_args

from fastapi import Path
from fastapi.responses import Response
from pydantic import BaseModel

from memesnipe.api.lists import csv_of
from memesnipe.storage.rows import Json

PARQUET_TYPE: Final = "application/vnd.apache.parquet"


class FileFormat(StrEnum):
    """The formats of a file."""

    CSV = "csv"
    PARQUET = "parquet"


Ending = Annotated[FileFormat, Path(description="The format of the file.")]
# Of every file, for its description.
FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            PARQUET_TYPE: {"schema": {"type": "string", "format": "binary"}},
        },
        "description": "The rows: CSV with a header, or a Parquet file",
    }
}


def file_of(ending: FileFormat, rows: list[Json], model: type[BaseModel], name: str) -> Response:
    """Return rows as a file with the columns of their model; it takes a second for 100,000 rows.

    Args:
        ending: the format.
        rows: of the file.
        model: of a row.
        name: of the file, without its ending.
    """
    if ending is FileFormat.CSV:
        return csv_of(rows, list(model.model_fields), f"{name}.csv")
    headers = {"Content-Disposition": f'attachment; filename="{name}.parquet"'}
    return Response(_parquet(rows, model), media_type=PARQUET_TYPE, headers=headers)


def _parquet(rows: list[Json], model: type[BaseModel]) -> bytes:
    """Return rows as Parquet; the types of its columns are those of the model, also without rows."""
    import pyarrow as pa  # noqa: PLC0415 - slow to load, and few requests need it
    import pyarrow.parquet as pq  # noqa: PLC0415

    types = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}
    columns = []
    for name, field in model.model_fields.items():
        kinds = get_args(field.annotation) or (field.annotation,)  # X | None, or X
        columns.append((name, next(types[kind] for kind in kinds if kind in types)))
    table = pa.Table.from_pylist(rows, pa.schema(columns))
    body = io.BytesIO()
    pq.write_table(table, body, compression="zstd")
    return body.getvalue()
