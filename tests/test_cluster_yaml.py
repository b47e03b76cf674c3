"""`cluster.yaml` against Ray's own schema and the Compute API's own description, without a network."""

import copy
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).resolve().parents[1]
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "cluster.yaml").read_text())
NODE_TYPES: dict[str, Any] = CONFIG["available_node_types"]
STARTS = [CONFIG[f"{kind}_start_ray_commands"][-1] for kind in ("head", "worker")]
COMPUTE = json.loads((files("googleapiclient") / "discovery_cache/documents/compute.v1.json").read_text())["schemas"]
PYTHON_TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


def flaws(value: Any, schema: dict[str, Any], place: str) -> list[str]:
    """What the Compute API would not understand of a value."""
    if "$ref" in schema:
        schema = COMPUTE[schema["$ref"]]
    if not isinstance(value, PYTHON_TYPES[schema["type"]]) and schema.get("format") != "int64":
        return [f"{place} is a {type(value).__name__}, not a {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place} is {value!r}, not one of {schema['enum']}"]
    if isinstance(value, list):
        return [flaw for i, item in enumerate(value) for flaw in flaws(item, schema["items"], f"{place}[{i}]")]
    if not isinstance(value, dict):
        return []
    known = schema.get("properties", {})
    found = [f"{place}.{name} is unknown" for name in value if name not in known]
    return found + [f for name in value if name in known for f in flaws(value[name], known[name], f"{place}.{name}")]


def test_ray_takes_it() -> None:
    validate_config(prepare_config(copy.deepcopy(CONFIG)))


def test_ray_would_refuse_another() -> None:
    broken = copy.deepcopy(CONFIG) | {"idle_minutes": 5}
    with pytest.raises(Exception, match="idle_minutes"):
        validate_config(prepare_config(broken))


@pytest.mark.parametrize("name", list(NODE_TYPES))
def test_the_compute_api_takes_every_node(name: str) -> None:
    assert flaws(NODE_TYPES[name]["node_config"], COMPUTE["Instance"], name) == []


@pytest.mark.parametrize(
    ("path", "value", "flaw"),
    [
        (("machinetype",), "e2-standard-4", "machinetype is unknown"),
        (("scheduling", "provisioningModel"), "SPOTTY", "not one of"),
        (("scheduling", "automaticRestart"), "no", "not a boolean"),
    ],
)
def test_the_compute_api_would_refuse_typos(path: tuple[str, ...], value: Any, flaw: str) -> None:
    node = copy.deepcopy(NODE_TYPES["backtests"]["node_config"])
    inner = node
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    found = flaws(node, COMPUTE["Instance"], "backtests")
    assert len(found) == 1
    assert flaw in found[0]


def test_backtests_run_on_spot_nodes_alone_and_scale_from_none() -> None:
    offers = {name: node["resources"]["CPU"] for name, node in NODE_TYPES.items()}
    assert offers == {"head": 0, "services": 0, "backtests": 16}
    assert NODE_TYPES["backtests"]["min_workers"] == 0
    models = {n: node["node_config"]["scheduling"].get("provisioningModel") for n, node in NODE_TYPES.items()}
    assert models == {"head": None, "services": None, "backtests": "SPOT"}
    assert "--num-cpus=0" in STARTS[0]
    assert sum(node.get("max_workers", 0) for node in NODE_TYPES.values()) == CONFIG["max_workers"]


@pytest.mark.parametrize("command", STARTS)
def test_every_node_asks_for_the_token_and_notices_silence(command: str) -> None:
    needed = ("RAY_AUTH_MODE=token", "RAY_grpc_client_keepalive_time_ms=", "RAY_health_check_period_ms=")
    assert all(word in command for word in needed)
    assert command.index("RAY_AUTH_MODE") < command.index("ray start")


def test_the_dashboard_and_the_ports() -> None:
    assert "--dashboard-host=127.0.0.1" in STARTS[0]
    for command in STARTS:
        ports = [int(port) for port in re.findall(r"port=(\d+)", command)]
        assert ports
        assert not [port for port in ports if 10_002 <= port <= 19_999 or port == 8080]


def test_what_goes_to_the_nodes_holds_no_secret_but_the_token() -> None:
    assert CONFIG["file_mounts"] == {"~/.ray/auth_token": "~/.ray/auth_token", "~/memesnipe": "."}
    assert {".env", ".memesnipe", ".git"} <= set(CONFIG["rsync_exclude"])
    assert CONFIG["setup_commands"][0] == "chmod 600 ~/.ray/auth_token"
