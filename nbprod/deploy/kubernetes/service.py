"""The service: its Deployment, and what keeps it reachable, large enough and to itself."""

from __future__ import annotations

from typing import Any

from nbprod.deploy import image
from nbprod.deploy.kubernetes.objects import RESTRICTED, manifest, meta, selected, tmp, without_rights
from nbprod.model.deployment import Deployment

STOPPING_SECONDS = 5
"""How long a replica that ends still answers: until then every node has taken it out of the service."""

START_SECONDS = 120


def namespace(deployment: Deployment) -> dict[str, Any]:
    """The namespace, in which pods that need rights are refused."""
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return manifest("v1", "Namespace", {"name": deployment.settings.namespace, "labels": levels})


def deployment_of(deployment: Deployment) -> dict[str, Any]:
    """The replicas of the service, of which an update takes none away before another is ready."""
    port = deployment.settings.port
    spread = {
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selected(deployment)},
    }
    container = {
        "name": "service",
        "image": deployment.tag,
        "args": image.serving(port),
        "ports": [{"name": "http", "containerPort": port}],
        "startupProbe": image.probe(image.READY, "http", periodSeconds=2, failureThreshold=START_SECONDS // 2),
        "readinessProbe": image.probe(image.READY, "http", periodSeconds=5, timeoutSeconds=2, failureThreshold=2),
        "livenessProbe": image.probe(image.HEALTH, "http", periodSeconds=10, timeoutSeconds=5, failureThreshold=3),
        "lifecycle": {
            "preStop": {"exec": {"command": ["python", "-c", f"import time; time.sleep({STOPPING_SECONDS})"]}}
        },
        "resources": resources(deployment),
        "securityContext": RESTRICTED,
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }
    pod = {
        **without_rights(),
        "terminationGracePeriodSeconds": STOPPING_SECONDS + image.GRACE_SECONDS + 10,
        "topologySpreadConstraints": [
            {"topologyKey": key, **spread} for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ],
        "containers": [container],
        "volumes": [tmp("256Mi")],
    }
    return manifest(
        "apps/v1",
        "Deployment",
        {**meta(deployment), "annotations": image.identity(deployment)},
        spec={
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 2 * START_SECONDS,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": selected(deployment)},
            "template": {
                "metadata": {"labels": meta(deployment)["labels"], "annotations": image.identity(deployment)},
                "spec": pod,
            },
        },
    )


def resources(deployment: Deployment) -> dict[str, Any]:
    """What one replica asks for, and the memory that it may take."""
    size = image.size_of(deployment)
    memory = f"{size.memory}Mi"
    return {"requests": {"cpu": f"{size.cpu}m", "memory": memory}, "limits": {"memory": memory}}


def service(deployment: Deployment) -> dict[str, Any]:
    """The address of the replicas."""
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return manifest("v1", "Service", meta(deployment), spec={"selector": selected(deployment), "ports": ports})


def of_scale(deployment: Deployment) -> str:
    """What is known of how many replicas the declared volume takes."""
    if deployment.load is None:
        return "How many replicas the declared volume takes is not known: nothing was measured."
    asked = "" if deployment.required_rps is None else f", and {deployment.required_rps:g} are declared"
    return f"One replica was measured to answer {deployment.load.rps:g} requests a second{asked}."


def autoscaler(deployment: Deployment) -> dict[str, Any]:
    """How many replicas there are, by the processor time that they take."""
    scale = image.scale_of(deployment)
    target = {"type": "Utilization", "averageUtilization": round(100 * image.BUSY)}
    return manifest(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        meta(deployment),
        spec={
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": image.dns_name(deployment.name),
            },
            "minReplicas": scale.least,
            "maxReplicas": scale.most,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
        },
    )


def disruption(deployment: Deployment) -> dict[str, Any]:
    """How many replicas may be away on purpose."""
    return manifest(
        "policy/v1",
        "PodDisruptionBudget",
        meta(deployment),
        spec={
            "maxUnavailable": 1,
            "selector": {"matchLabels": selected(deployment)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    )


def network(deployment: Deployment) -> dict[str, Any]:
    """Who may ask the replicas; they ask nobody."""
    spaces = [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
        for name in ("ingress-nginx", "monitoring")
    ]
    return manifest(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        meta(deployment),
        spec={
            "podSelector": {"matchLabels": selected(deployment)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": {}}, *spaces], "ports": [{"port": "http"}]}],
            "egress": [],
        },
    )
