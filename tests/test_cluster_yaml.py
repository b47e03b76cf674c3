"""`cluster.yaml` is valid by Ray's schema and by the description of the Compute API, without a network."""

import copy
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from actors.supervisor import ARENA, SERVICE
from memesnipe.config.simulation import SimulationSettings

ROOT = Path(__file__).resolve().parents[1]
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "cluster.yaml").read_text())
NODE_TYPES: dict[str, Any] = CONFIG["available_node_types"]
STARTS = [CONFIG[f"{kind}_start_ray_commands"][-1] for kind in ("head", "worker")]
COMPUTE = json.loads((files("googleapiclient") / "discovery_cache/documents/compute.v1.json").read_text())["schemas"]
PYTHON_TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


def errors(value: Any, schema: dict[str, Any], path: str) -> list[str]:
    """Return the errors of a value by a schema of the Compute API."""
    if "$ref" in schema:
        schema = COMPUTE[schema["$ref"]]
    if not isinstance(value, PYTHON_TYPES[schema["type"]]) and schema.get("format") != "int64":
        return [f"{path} is a {type(value).__name__}, not a {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path} is {value!r}, not one of {schema['enum']}"]
    if isinstance(value, list):
        return [error for i, item in enumerate(value) for error in errors(item, schema["items"], f"{path}[{i}]")]
    if not isinstance(value, dict):
        return []
    known = schema.get("properties", {})
    found = [f"{path}.{name} is unknown" for name in value if name not in known]
    return found + [e for name in value if name in known for e in errors(value[name], known[name], f"{path}.{name}")]


def test_ray_accepts_the_file() -> None:
    validate_config(prepare_config(copy.deepcopy(CONFIG)))


def test_ray_refuses_an_unknown_key() -> None:
    broken = copy.deepcopy(CONFIG) | {"idle_minutes": 5}
    with pytest.raises(Exception, match="idle_minutes"):
        validate_config(prepare_config(broken))


@pytest.mark.parametrize("name", list(NODE_TYPES))
def test_the_compute_api_accepts_every_node(name: str) -> None:
    assert errors(NODE_TYPES[name]["node_config"], COMPUTE["Instance"], name) == []


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (("machinetype",), "e2-standard-4", "machinetype is unknown"),
        (("scheduling", "provisioningModel"), "SPOTTY", "not one of"),
        (("scheduling", "automaticRestart"), "no", "not a boolean"),
    ],
)
def test_the_compute_api_refuses_typos(path: tuple[str, ...], value: Any, error: str) -> None:
    node = copy.deepcopy(NODE_TYPES["backtests"]["node_config"])
    inner = node
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    found = errors(node, COMPUTE["Instance"], "backtests")
    assert len(found) == 1
    assert error in found[0]


def test_backtests_run_only_on_spot_nodes_which_scale_from_zero() -> None:
    offers = {name: node["resources"]["CPU"] for name, node in NODE_TYPES.items()}
    assert offers == {"head": 0, "services": 0, "arenas": 0, "backtests": 16}
    assert NODE_TYPES["backtests"]["min_workers"] == 0
    models = {n: node["node_config"]["scheduling"].get("provisioningModel") for n, node in NODE_TYPES.items()}
    assert models == {"head": None, "services": None, "arenas": None, "backtests": "SPOT"}
    assert "--num-cpus=0" in STARTS[0]
    assert sum(node.get("max_workers", 0) for node in NODE_TYPES.values()) == CONFIG["max_workers"]


def test_actors_are_placed_by_resources_of_nodes_for_services_and_for_arenas() -> None:
    offers = {name: node["resources"].keys() - {"CPU"} for name, node in NODE_TYPES.items()}
    assert offers == {"head": set(), "services": {SERVICE}, "arenas": {ARENA}, "backtests": set()}
    assert SimulationSettings.model_fields["arena_shards"].default == 1
    assert NODE_TYPES["arenas"]["max_workers"] == 0, "one arena, the default, has no process and no node of its own"


@pytest.mark.parametrize("command", STARTS)
def test_every_node_requires_the_token_and_detects_lost_connections(command: str) -> None:
    required = ("RAY_AUTH_MODE=token", "RAY_grpc_client_keepalive_time_ms=", "RAY_health_check_period_ms=")
    assert all(word in command for word in required)
    assert command.index("RAY_AUTH_MODE") < command.index("ray start")


def test_the_dashboard_and_the_ports() -> None:
    assert "--dashboard-host=127.0.0.1" in STARTS[0]
    for command in STARTS:
        ports = [int(port) for port in re.findall(r"port=(\d+)", command)]
        assert ports
        assert not [port for port in ports if 10_002 <= port <= 19_999 or port == 8080]


def test_the_only_secret_copied_to_nodes_is_the_token() -> None:
    assert CONFIG["file_mounts"] == {"~/.ray/auth_token": "~/.ray/auth_token", "~/memesnipe": "."}
    assert {".env", ".memesnipe", ".git"} <= set(CONFIG["rsync_exclude"])
    assert CONFIG["setup_commands"][0] == "chmod 600 ~/.ray/auth_token"
