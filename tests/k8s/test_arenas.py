"""The overlay with arenas in pods of their own: valid, placed by their resource, and as closed as the rest."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from actors.supervisor import ARENA
from memesnipe.config.home import Home
from memesnipe.config.settings import settings_from
from tests.k8s.manifests import ALL, HEAD, SCHEMAS, Manifest, built, errors_of, name_of, needs_kubectl, pod_of

pytestmark = needs_kubectl
APP = "memesnipe-arenas"


@functools.cache
def overlay() -> tuple[Manifest, ...]:
    return tuple(built("arenas"))


def one(kind: str, name: str) -> Any:
    return next(found for found in overlay() if name_of(found) == f"{kind}-{name}")


def cluster() -> Any:
    return one("RayCluster", "memesnipe")["spec"]


def group() -> Any:
    return next(found for found in cluster()["workerGroupSpecs"] if found["groupName"] == "arenas")


def head_container() -> Any:
    (container,) = cluster()["headGroupSpec"]["template"]["spec"]["containers"]
    return container


def claims(template: Manifest) -> dict[str, str]:
    """Return the claim of each path that a pod mounts."""
    volumes = {
        v["name"]: v["persistentVolumeClaim"] for v in template["spec"]["volumes"] if "persistentVolumeClaim" in v
    }
    mounts = template["spec"]["containers"][0]["volumeMounts"]
    return {m["mountPath"]: volumes[m["name"]]["claimName"] for m in mounts if m["name"] in volumes}


def test_it_adds_to_the_base_and_is_valid() -> None:
    added = {name_of(found) for found in overlay()} - {name_of(found) for found in ALL}
    assert added == {
        "NetworkPolicy-arenas",
        "NetworkPolicy-servers-for-arenas",
        "PersistentVolumeClaim-memesnipe-head",
        "PodDisruptionBudget-memesnipe-arenas",
    }
    assert {found["metadata"].get("namespace") for found in overlay() if found["kind"] != "Namespace"} == {"memesnipe"}
    if not SCHEMAS.is_dir():
        pytest.skip(f"the schemas of KubeRay are not in {SCHEMAS}")
    assert [error for found in overlay() for error in errors_of(found)] == []
    misspelt = group()["template"] | {"spec": group()["template"]["spec"] | {"volume": []}}
    assert errors_of(pod_of(group()["template"])) == []
    assert len(errors_of(pod_of(misspelt))) == 1


def test_each_arena_of_the_settings_has_a_pod_with_the_resource_by_which_it_is_placed() -> None:
    variables = {variable["name"]: variable["value"] for variable in head_container()["env"]}
    shards = settings_from({"arena_shards": variables["ARENA_SHARDS"]}, env_file=None).simulation.arena_shards
    assert shards > 1, "one arena is in the executor"
    assert {group()[name] for name in ("replicas", "minReplicas", "maxReplicas")} == {shards}
    assert json.loads(json.loads(group()["rayStartParams"]["resources"])) == {ARENA: 1}
    assert group()["rayStartParams"]["num-cpus"] == "0", "no backtests beside an arena"
    assert "tolerations" not in group()["template"]["spec"], "not on spot nodes"


def test_arenas_share_the_folder_of_the_head_without_its_tokens() -> None:
    home = one("PersistentVolumeClaim", "memesnipe-home")
    assert home["spec"]["accessModes"] == ["ReadWriteMany"]
    template = group()["template"]
    assert claims(template) == {"/data": "memesnipe-home"}
    home_folder = Home(Path("/data"))
    hidden = home_folder.token.parent
    mounts = {m["mountPath"]: m["name"] for m in template["spec"]["containers"][0]["volumeMounts"]}
    volume = next(v for v in template["spec"]["volumes"] if v["name"] == mounts[str(hidden)])
    assert "emptyDir" in volume
    assert home_folder.signer_token.parent == hidden
    assert not [v for v in template["spec"]["volumes"] if "secret" in v]
    same = ("image", "securityContext")
    container = template["spec"]["containers"][0]
    assert [container[key] for key in same] == [HEAD["template"]["spec"]["containers"][0][key] for key in same]
    assert template["spec"]["securityContext"] == HEAD["template"]["spec"]["securityContext"]


def test_a_second_head_still_waits_for_a_claim_that_one_pod_can_mount() -> None:
    mounted = claims(cluster()["headGroupSpec"]["template"])
    assert set(mounted.values()) == {"memesnipe-home", "memesnipe-head"}
    assert one("PersistentVolumeClaim", "memesnipe-head")["spec"]["accessModes"] == ["ReadWriteOncePod"]


def admitted_by(policy: Any) -> set[str]:
    peers = [peer for rule in policy["spec"].get("ingress", []) for peer in rule["from"]]
    return {peer["podSelector"]["matchLabels"].get("app", "") for peer in peers if "podSelector" in peer}


def test_arenas_reach_the_servers_and_never_the_signer() -> None:
    policies = {found["metadata"]["name"]: found for found in overlay() if found["kind"] == "NetworkPolicy"}
    assert {name for name, found in policies.items() if APP in admitted_by(found)} == {"servers-for-arenas"}
    servers = policies["servers-for-arenas"]["spec"]
    assert servers["podSelector"] == policies["servers"]["spec"]["podSelector"]
    assert servers["ingress"][0]["ports"] == [{"port": "redis"}, {"port": "postgres"}]
    assert admitted_by(policies["signer"]) == {"memesnipe"}
    arenas = policies["arenas"]
    assert arenas["spec"]["podSelector"] == {"matchLabels": {"app": APP}}
    assert admitted_by(arenas) == {"memesnipe"}
    assert group()["template"]["metadata"]["labels"] == {"app": APP}
