"""A page of a list as a response: the rows as JSON or CSV, the number of all rows, and where the next page is."""

import csv
import io
import json
from typing import Annotated, Any, Final

from fastapi import Path, Query, Request
from fastapi.responses import Response

from memesnipe.api.answers import Answer
from memesnipe.storage.command_submission import SPEC_ID
from memesnipe.storage.rows import Json, Rows

Limit = Annotated[int, Query(ge=1, le=1000, description="Maximum number of rows.")]
ExportLimit = Annotated[int, Query(ge=1, le=100_000, description="Maximum number of rows.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000, description="Number of rows to skip.")]

SpecId = Annotated[str, Path(pattern=SPEC_ID, description="A strategy's id, as in `/api/strategies`.")]
MINT: Final = r"^[^\x00-\x1f\x7f/]{1,100}$"  # the syntax of a token's address in a path
TOTAL: Final = "X-Total-Count"
# Of every list, for its description.
LIST_HEADERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {
            TOTAL: {"description": "Number of rows without limit and offset.", "schema": {"type": "integer"}},
            "Link": {"description": "The next page, if there is one (RFC 8288).", "schema": {"type": "string"}},
            "ETag": {
                "description": "Send it as If-None-Match to get 304 while nothing changes.",
                "schema": {"type": "string"},
            },
        }
    },
    304: {"description": "Unchanged since the ETag that the request names"},
}


def page_of(found: Rows, request: Request, offset: int) -> Answer:
    """Return the response with a page that begins at ``offset``."""
    headers = {TOTAL: str(found.total)}
    after = offset + len(found.rows)
    if found.rows and after < found.total:
        following = request.url.include_query_params(offset=after)
        headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return Answer(found.rows, headers=headers)


def csv_of(rows: list[Json], columns: list[str], name: str) -> Response:
    """Return rows as a file; values that a spreadsheet would run as a formula are quoted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[column]) for column in columns] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
