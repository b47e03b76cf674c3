"""The signer runs on a node with the resource `signer` where a cluster has one, and anywhere else where it has none."""

import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Serve uses what pydantic will remove
    import serve_app


@pytest.mark.parametrize(("resources", "required"), [({"CPU": 2.0}, None), ({"signer": 1.0}, {"signer": 1})])
def test_the_signer_requires_its_resource_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, resources: dict[str, float], required: dict[str, int] | None
) -> None:
    monkeypatch.setattr(serve_app.ray, "cluster_resources", lambda: resources)
    for name, _, deployment in serve_app.OTHERS:
        options = serve_app._placed(name, deployment).ray_actor_options
        assert options["num_cpus"] == 0
        assert options.get("resources") == (required if name == "signer" else None)
