"""KServe: an InferenceService around the package's own image, which speaks the Open Inference Protocol (`/v2`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Any

from nbprod.deploy import image
from nbprod.deploy.exporter import Exporter, comment, header
from nbprod.deploy.kubernetes.objects import RESTRICTED
from nbprod.deploy.kubernetes.service import START_SECONDS, resources
from nbprod.deploy.yaml import dumped
from nbprod.model.deployment import Deployment, File

AUTOSCALER = {"autoscaling.knative.dev/class": "hpa.autoscaling.knative.dev"}
"""Who scales by processor time: KServe takes that metric with this class alone, and Knative's own knows only requests
(`validateAutoScalingCompExtension` of kserve, https://knative.dev/docs/serving/autoscaling/autoscaling-metrics)."""

READY, LIVE = "/v2/health/ready", "/v2/health/live"


def _files(deployment: Deployment, folder: str) -> Iterator[File]:
    share = deployment.settings.canary
    told = (
        "All requests go to this version. deploy.canary of the configuration gives it a share first (Knative mode)."
        if share is None
        else f"{share} % of the requests go to this version, the others to the one that was rolled out before (Knative "
        "mode). Without deploy.canary in the configuration it gets all of them."
    )
    about = (
        f"Asked with POST /v2/models/{deployment.name}/infer, one tensor for each raw column.\n{told}\n"
        "Replicas follow processor time, for which Knative mode takes Knative's HPA extension (serving-hpa.yaml)."
    )
    text = header(deployment, "kserve") + comment(about) + dumped(_service(deployment))
    yield File(f"{folder}/inference-service.yaml", text)


def _service(deployment: Deployment) -> dict[str, Any]:
    port, scale = deployment.settings.port, image.scale_of(deployment)
    name = image.dns_name(deployment.name)
    container = {
        "name": "kserve-container",
        "image": deployment.tag,
        "args": image.serving(port),
        "ports": [{"name": "http1", "containerPort": port, "protocol": "TCP"}],
        "startupProbe": image.probe(READY, port, periodSeconds=2, failureThreshold=START_SECONDS // 2),
        "readinessProbe": image.probe(READY, port, periodSeconds=5, timeoutSeconds=2),
        "livenessProbe": image.probe(LIVE, port, periodSeconds=10, timeoutSeconds=5),
        "resources": resources(deployment),
        "securityContext": {
            **RESTRICTED,
            "runAsNonRoot": True,
            "runAsUser": image.USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    predictor: dict[str, Any] = {
        "minReplicas": scale.least,
        "maxReplicas": scale.most,
        "scaleMetric": "cpu",
        "scaleTarget": round(100 * image.BUSY),
    }
    if deployment.settings.canary is not None:
        predictor["canaryTrafficPercent"] = deployment.settings.canary
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": name,
            "namespace": deployment.settings.namespace,
            "labels": {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "nbprod"},
            "annotations": {**image.identity(deployment), **_scraped(port), **AUTOSCALER},
        },
        "spec": {"predictor": {**predictor, "containers": [container]}},
    }


def _scraped(port: int) -> dict[str, str]:
    """Where a Prometheus that goes by annotations finds the metrics."""
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port),
        "prometheus.io/path": image.METRICS,
    }


def _notes(deployment: Deployment, _folder: str) -> Sequence[str]:
    notes = [*image.pin_note(deployment), "nothing was applied, and no cluster was asked"]
    notes.append(f"the image is built as nbprod deploy {deployment.name} docker says")
    if image.dns_name(deployment.name) != deployment.name:
        notes.append(
            f"the InferenceService is {image.dns_name(deployment.name)}, as a cluster takes it; "
            f"the model in /v2/models/ is {deployment.name}"
        )
    if deployment.serves == "batch":
        notes.append("features are made of the rows around a row: send all rows of a group in one request")
    return notes


def _next(deployment: Deployment, folder: str) -> Sequence[str]:
    name, namespace = image.dns_name(deployment.name), deployment.settings.namespace
    return (
        f"kubectl apply -f {quote(f'{folder}/inference-service.yaml')}",
        f"kubectl -n {namespace} wait --for=condition=Ready --timeout=300s inferenceservice/{name}",
    )


EXPORTER = Exporter(
    "kserve", "KServe: an InferenceService that speaks the Open Inference Protocol", _files, _notes, _next
)
