"""The manifests for Kubernetes, and what is wrong with one of them by strict schemas."""

import functools
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "k8s" / "base"
SCHEMAS = ROOT.parent / "shared" / "reference" / "specs" / "k8s"
VERSION = "1.33"
OWN_SCHEMAS = ("RayCluster", "PodMonitor")

needs_schemas = pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"the schemas of KubeRay are not in {SCHEMAS}")
needs_kubectl = pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")

Manifest = dict[str, Any]


def manifests() -> list[Manifest]:
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    assert set(listed) == {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"}
    return [one for name in listed for one in yaml.safe_load_all((BASE / name).read_text())]


ALL = manifests()
(CLUSTER,) = (one for one in ALL if one["kind"] == "RayCluster")
HEAD: Manifest = CLUSTER["spec"]["headGroupSpec"]
WORKERS: dict[str, Manifest] = {group["groupName"]: group for group in CLUSTER["spec"]["workerGroupSpecs"]}


def name_of(one: Manifest) -> str:
    return f"{one['kind']}-{one['metadata']['name']}"


def templates() -> Iterator[Manifest]:
    yield HEAD["template"]
    yield from (group["template"] for group in WORKERS.values())
    yield from (one["spec"]["template"] for one in ALL if one["kind"] == "StatefulSet")


def strict(schema: Any) -> Any:
    """Return a schema that refuses unknown properties, and requires none that has a default."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    properties = schema.get("properties")
    if isinstance(properties, dict) and schema.get("type") == "object" and properties:
        made.setdefault("additionalProperties", bool(schema.get("x-kubernetes-preserve-unknown-fields")))
        required = [name for name in schema.get("required", []) if "default" not in properties.get(name, {})]
        made.pop("required", None)
        made |= {"required": required} if required else {}
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("type", None)
    return made


@functools.cache
def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(strict(json.loads((SCHEMAS / f"{kind}.v1.json").read_text())))


def errors_of(one: Manifest) -> list[str]:
    if one["kind"] in OWN_SCHEMAS:
        plain = one | {"metadata": {}}  # the schemas say no more of it than that it is an object
        return [f"{error.json_path}: {error.message}" for error in validator(one["kind"]).iter_errors(plain)]
    try:
        kubernetes_validate.validate(one, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [str(error)]
    return []


def built(overlay: str) -> list[Manifest]:
    """Return the manifests of an overlay, as `kubectl apply -k` would send them."""
    command = ["kubectl", "kustomize", str(ROOT / "k8s" / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


def pod_of(template: Manifest) -> Manifest:
    """Return the pod of a template."""
    metadata = {"name": "x"} | template["metadata"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
