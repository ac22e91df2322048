"""The InferenceService: keys of the v1beta1 API alone, around the image as it serves."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from nbprod.codegen.runtime.gateway import OPEN
from nbprod.codegen.runtime.serve import METHODS
from nbprod.deploy.targets import TARGETS
from nbprod.model.deployment import Deployment
from tests.deploy.deployments import KNOWN, LEAST, MOST, documents, files_of

# https://kserve.github.io/website/docs/reference/crd-api, PredictorSpec with its ComponentExtensionSpec.
PREDICTOR = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "canaryTrafficPercent", "containers"}


def service(deployment: Deployment) -> dict[str, Any]:
    (found,) = documents(files_of(deployment, "kserve", "k")["k/inference-service.yaml"])
    return found


@pytest.mark.parametrize("deployment", KNOWN)
def test_it_is_an_inference_service_with_a_container_of_its_own(deployment: Deployment) -> None:
    found = service(deployment)
    assert (found["apiVersion"], found["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert set(found["spec"]) == {"predictor"}
    assert set(found["spec"]["predictor"]) <= PREDICTOR
    (container,) = found["spec"]["predictor"]["containers"]
    assert container["name"] == "kserve-container", "the name by which KServe knows it"
    assert container["image"] == deployment.tag
    assert str(container["ports"][0]["containerPort"]) == container["args"][-1]


def test_it_is_asked_by_the_open_inference_protocol() -> None:
    (container,) = service(LEAST)["spec"]["predictor"]["containers"]
    paths = {container[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe", "startupProbe")}
    assert paths == {"/v2/health/ready", "/v2/health/live"}
    assert paths <= OPEN & set(METHODS)
    text = files_of(LEAST, "kserve", "k")["k/inference-service.yaml"]
    assert "POST /v2/models/sales/infer" in text


@pytest.mark.parametrize("share", [None, 10, 0], ids=["all", "a tenth", "none yet"])
def test_a_new_version_gets_the_declared_share(share: int | None) -> None:
    predictor = service(replace(LEAST, settings=replace(LEAST.settings, canary=share)))["spec"]["predictor"]
    assert predictor.get("canaryTrafficPercent") == share


# What KServe and Knative take, by the class that scales: of none, KServe makes Knative's own.
METRICS = {"kpa.autoscaling.knative.dev": {"concurrency", "rps"}, "hpa.autoscaling.knative.dev": {"cpu", "memory"}}


@pytest.mark.parametrize("deployment", KNOWN)
def test_what_scales_knows_the_metric_that_it_scales_by(deployment: Deployment) -> None:
    found = service(deployment)
    name = found["metadata"]["annotations"].get("autoscaling.knative.dev/class", "kpa.autoscaling.knative.dev")
    assert found["spec"]["predictor"]["scaleMetric"] in METRICS[name]


def test_a_name_that_a_cluster_does_not_take_is_told() -> None:
    assert service(MOST)["metadata"]["name"] == "sales-of-2024"
    assert any("the model in /v2/models/ is Sales_of_2024" in note for note in TARGETS["kserve"].notes(MOST, "d/d"))


def test_few_files_are_written() -> None:
    assert list(files_of(MOST, "kserve", "k")) == ["k/inference-service.yaml"]
