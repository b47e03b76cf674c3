"""The manifests for Kubernetes are valid by strict schemas, and every name in them refers to something that exists."""

import copy
import json
import re
from typing import Any

import pytest

import memesnipe
from memesnipe.config.settings import Settings
from memesnipe.config.telemetry import TelemetrySettings
from tests.k8s.manifests import (
    ALL,
    CLUSTER,
    HEAD,
    OWN_SCHEMAS,
    ROOT,
    SCHEMAS,
    WORKERS,
    Manifest,
    built,
    errors_of,
    name_of,
    needs_kubectl,
    needs_schemas,
    pod_of,
    templates,
)


def needs(one: Manifest) -> Any:
    return pytest.param(one, id=name_of(one), marks=needs_schemas if one["kind"] in OWN_SCHEMAS else ())


@pytest.mark.parametrize("one", [needs(one) for one in ALL])
def test_a_manifest_is_valid(one: Manifest) -> None:
    assert errors_of(one) == []


@needs_schemas
@pytest.mark.parametrize(
    "path", [("spec", "rayVersoin"), ("spec", "headGroupSpec", "template", "spec", "nodeSelectors")]
)
def test_a_misspelt_key_of_the_cluster_is_refused(path: tuple[str, ...]) -> None:
    broken = inner = copy.deepcopy(CLUSTER)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = {}
    assert any(path[-1] in error for error in errors_of(broken))


@pytest.mark.parametrize("template", list(templates()), ids=lambda t: t["metadata"]["labels"]["app"])
def test_a_pod_is_valid_restricted_and_has_requests(template: Manifest) -> None:
    assert errors_of(pod_of(template)) == []
    assert template["spec"]["securityContext"]["runAsNonRoot"] is True
    containers = [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]
    for container in containers:
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    mounted = {mount["name"] for container in containers for mount in container.get("volumeMounts", [])}
    assert mounted - {"data"} == {volume["name"] for volume in template["spec"].get("volumes", [])}


@needs_kubectl
@pytest.mark.parametrize("overlay", ["small", "large"])
def test_an_overlay_changes_the_sizes_and_stays_valid(overlay: str) -> None:
    found = built(overlay)
    assert sorted(map(name_of, found)) == sorted(map(name_of, ALL))
    assert {one["metadata"].get("namespace") for one in found if one["kind"] != "Namespace"} == {"memesnipe"}
    if SCHEMAS.is_dir():
        assert [error for one in found for error in errors_of(one)] == []
    (cluster,) = (one for one in found if one["kind"] == "RayCluster")
    backtests = next(g for g in cluster["spec"]["workerGroupSpecs"] if g["groupName"] == "backtests")
    assert backtests["maxReplicas"] == {"small": 4, "large": 64}[overlay]
    assert cluster["spec"]["headGroupSpec"] != HEAD


def test_an_upgrade_starts_no_second_cluster() -> None:
    assert {one["kind"] for one in ALL}.isdisjoint({"RayService", "RayJob"})
    assert CLUSTER["spec"]["upgradeStrategy"] == {"type": "None"}
    (home,) = (one for one in ALL if one["kind"] == "PersistentVolumeClaim")
    assert home["spec"]["accessModes"] == ["ReadWriteOncePod"]
    claims = [volume.get("persistentVolumeClaim") for volume in HEAD["template"]["spec"]["volumes"]]
    assert {"claimName": home["metadata"]["name"]} in claims


def test_secrets_are_files_that_the_page_creates_and_only_their_pods_mount() -> None:
    mounts = {
        template["metadata"]["labels"]["app"]: {
            volume["secret"]["secretName"] for volume in template["spec"].get("volumes", []) if "secret" in volume
        }
        for template in templates()
    }
    assert mounts == {
        "memesnipe": {"memesnipe-settings"},
        "memesnipe-signer": {"memesnipe-wallet"},
        "memesnipe-backtests": set(),
        "redis": {"redis-password"},
        "postgres": {"postgres-password"},
    }
    used = set().union(*mounts.values()) | {CLUSTER["spec"]["authOptions"]["secretName"]}
    page = (ROOT / "docs" / "kubernetes.md").read_text()
    assert set(re.findall(r"create secret generic ([\w-]+)", page)) == used
    for template in templates():
        for container in template["spec"]["containers"]:
            assert not any("valueFrom" in variable for variable in container.get("env", []))
            assert not container.get("envFrom")


def test_ports_are_those_of_the_settings_and_every_name_of_a_port_exists() -> None:
    ports = {p["name"]: p["containerPort"] for p in HEAD["template"]["spec"]["containers"][0]["ports"]}
    fields = {n: f.default for n, f in TelemetrySettings.model_fields.items() if n.endswith("_metrics_port")}
    short = {"strategy_factory": "factory", "market_data": "market-data"}
    for field, port in fields.items():
        actor = field.removesuffix("_metrics_port")
        assert ports[short.get(actor, actor)] == port
    known = {p["name"] for t in templates() for c in t["spec"]["containers"] for p in c.get("ports", [])}
    monitored = {e["port"] for one in ALL if one["kind"] == "PodMonitor" for e in one["spec"]["podMetricsEndpoints"]}
    assert monitored == set(ports) - {"gcs"}
    rules = [rule for one in ALL if one["kind"] == "NetworkPolicy" for rule in one["spec"].get("ingress", [])]
    admitted = {port["port"] for rule in rules for port in rule.get("ports", [])}
    assert admitted == monitored | {"redis", "postgres"} <= known | {"redis", "postgres"}
    assert {group["rayStartParams"]["metrics-export-port"] for group in (HEAD, *WORKERS.values())} == {"8085"}


def test_every_selector_matches_a_pod_and_the_policies_close_what_they_must() -> None:
    apps = {template["metadata"]["labels"]["app"] for template in templates()}
    text = json.dumps([one for one in ALL if one["kind"] != "RayCluster"])
    assert set(re.findall(r'"app": "([\w-]+)"', text)) <= apps
    policies = {one["metadata"]["name"]: one["spec"] for one in ALL if one["kind"] == "NetworkPolicy"}
    assert policies["deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    desk = {"podSelector": {"matchLabels": {"app": "memesnipe"}}}
    for name in ("servers", "signer"):
        assert [rule["from"] for rule in policies[name]["ingress"]] == [[desk]]
    budgets = {b["spec"]["selector"]["matchLabels"]["app"] for b in ALL if b["kind"] == "PodDisruptionBudget"}
    assert budgets == apps - {"memesnipe-backtests"}


def test_images_commands_and_variables_exist() -> None:
    dockerfile, compose = (ROOT / "Dockerfile").read_text(), (ROOT / "docker-compose.yml").read_text()
    for template in templates():
        for container in template["spec"]["containers"]:
            assert f"image: {container['image']}\n" in compose
            names = {variable["name"] for variable in container.get("env", [])}
            own = {name for name in names if not name.startswith(("RAY_grpc_", "POSTGRES_", "PGDATA", "NUMBA_"))}
            assert {name.lower() for name in own} <= set(Settings.fields())
    head = HEAD["template"]["spec"]["containers"][0]
    assert head["image"] == f"memesnipe:{memesnipe.__version__}"
    (script,) = head["args"]
    assert f"COPY {script.removeprefix('/app/')} {script}\n" in dockerfile
    assert HEAD["template"]["metadata"]["annotations"] == {"ray.io/overwrite-container-cmd": "true"}
    assert "KUBERAY_GEN_RAY_START_CMD" in (ROOT / script.removeprefix("/app/")).read_text()


def test_backtests_run_on_spot_nodes_from_none_and_the_signer_alone_on_its_node() -> None:
    resources = {name: json.loads(json.loads(HEAD["rayStartParams"]["resources"])) for name in ("head",)}
    assert resources["head"] == {"service": 100}
    assert json.loads(json.loads(WORKERS["signer"]["rayStartParams"]["resources"])) == {"signer": 1}
    assert [group["rayStartParams"].get("num-cpus") for group in (HEAD, WORKERS["signer"])] == ["0", "0"]
    assert (WORKERS["backtests"]["minReplicas"], CLUSTER["spec"]["enableInTreeAutoscaling"]) == (0, True)
    pools = {n: group["template"]["spec"]["nodeSelector"]["memesnipe/pool"] for n, group in WORKERS.items()}
    assert pools == {"signer": "signer", "backtests": "backtests"}
    keys = {n: [t["key"] for t in group["template"]["spec"]["tolerations"]] for n, group in WORKERS.items()}
    assert keys == {"signer": ["memesnipe/signer"], "backtests": ["memesnipe/spot"]}
