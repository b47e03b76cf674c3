"""Requests generated from the API's own description (schemathesis) get responses that it describes, and no fault.

The pages, and the stream that never ends, are tested elsewhere.
"""

import os

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks

from memesnipe.storage import schema
from tests.api.browsing import MINT, insert_everything
from tests.api.conftest import TOKEN

load_all_checks()
KNOWN = {"spec_id": "spec0", "mint": MINT}  # generated names are of nothing
CASES = int(os.environ.get("API_CASES", "10"))  # of each operation
# Reads need no token on loopback, although the description names it for commands; a wrong token is refused with 401.
CHOSEN = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)
FEW = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[*HealthCheck],
)


@pytest.fixture
def served(backend, serve, all_running, insert, new_run, tmp_path):
    insert_everything(insert, tmp_path, new_run)
    insert(schema.EvaluationRow, generation=2, spec_id="spec1", fitness=1.0)
    return serve(backend)


def statuses_of(operation, session) -> set[int]:
    """Send the operation's generated requests; return the statuses of the responses, each checked."""
    statuses = set()

    @FEW
    @given(operation.as_strategy(), st.booleans())
    def request(case, is_known):
        if is_known:
            case.path_parameters.update({name: KNOWN[name] for name in case.path_parameters if name in KNOWN})
            if case.path == "/api/flatten":
                case.query = {"account": "paper"}  # there is no live account
        headers = {"Authorization": f"Bearer {TOKEN}"} if case.method == "POST" else {}
        response = case.call(headers=headers, session=session)
        statuses.add(response.status_code)
        case.validate_response(response, checks=CHOSEN)

    request()
    return statuses


def test_generated_requests_get_described_responses(served):
    api = schemathesis.openapi.from_dict(httpx.get(f"{served.url}/openapi.json").json())
    api.config.update(base_url=served.url)
    with requests.Session() as session:
        operations = [found.ok() for found in api.exclude(path_regex="^/api/events$").get_all_operations()]
        seen = {operation.label: statuses_of(operation, session) for operation in operations}
    assert len(seen) >= 28
    found = set().union(*seen.values())
    assert found >= {200, 202, 404} and found <= {200, 202, 304, 404, 422}
    assert [label for label, each in seen.items() if not each & {200, 202}] == []
