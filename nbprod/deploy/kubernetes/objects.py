"""What objects of Kubernetes have in common: names and labels, pods without rights, claims, jobs on a schedule."""

from __future__ import annotations

from typing import Any

from nbprod.deploy import image
from nbprod.model.deployment import Deployment

PROJECT = "/project"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
TRAINING = {"requests": {"cpu": "500m", "memory": "2Gi"}, "limits": {"memory": "4Gi"}}


def manifest(version: str, kind: str, meta: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """An object of a kind, in the order in which people write its keys."""
    return {"apiVersion": version, "kind": kind, "metadata": meta, **rest}


def meta(deployment: Deployment, suffix: str = "", component: str = "service") -> dict[str, Any]:
    """Name, namespace and labels (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/)."""
    return {
        "name": f"{image.dns_name(deployment.name)}{suffix}",
        "namespace": deployment.settings.namespace,
        "labels": {
            **selected(deployment, component),
            "app.kubernetes.io/version": f"v{deployment.version}",
            "app.kubernetes.io/managed-by": "nbprod",
        },
    }


def selected(deployment: Deployment, component: str = "service") -> dict[str, str]:
    """The labels by which pods are chosen; they never change."""
    return {
        "app.kubernetes.io/name": image.dns_name(deployment.name),
        "app.kubernetes.io/component": component,
    }


def without_rights() -> dict[str, Any]:
    """What all pods have: no rights in the cluster, a user that is not root, the runtime's filter of system calls."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": image.USER,
            "runAsGroup": image.USER,
            "fsGroup": image.USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def tmp(size: str) -> dict[str, Any]:
    """A folder for what is written in passing, which goes with the pod."""
    return {"name": "tmp", "emptyDir": {"sizeLimit": size}}


def claim(deployment: Deployment, suffix: str, component: str, mode: str, size: str) -> dict[str, Any]:
    """A claim of a volume, such as `10Gi`, by one node or by many."""
    return manifest(
        "v1",
        "PersistentVolumeClaim",
        meta(deployment, suffix, component),
        spec={"accessModes": [mode], "resources": {"requests": {"storage": size}}},
    )


def cron_job(deployment: Deployment, component: str, schedule: str, pod: dict[str, Any], **job: Any) -> dict[str, Any]:
    """A job on a schedule of cron in UTC, one at a time, of which a finding is not tried again."""
    labels = meta(deployment, component=component)["labels"]
    return manifest(
        "batch/v1",
        "CronJob",
        meta(deployment, f"-{component}", component),
        spec={
            "schedule": schedule,
            "timeZone": "Etc/UTC",
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "spec": {
                    "ttlSecondsAfterFinished": 7 * 86400,
                    **job,
                    # 1 is a finding, which trying again does not change; what happens to a node is nobody's failure.
                    "podFailurePolicy": {
                        "rules": [
                            {
                                "action": "FailJob",
                                "onExitCodes": {"containerName": component, "operator": "In", "values": [1]},
                            },
                            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                        ]
                    },
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": {**without_rights(), "restartPolicy": "Never", **pod},
                    },
                }
            },
        },
    )
