"""The component for clusters with the Prometheus operator: what is scraped, the alerts, and a dashboard."""

from __future__ import annotations

from collections.abc import Iterator

from nbprod.deploy import image
from nbprod.deploy.alerts import groups
from nbprod.deploy.dashboard import dashboard
from nbprod.deploy.exporter import comment
from nbprod.deploy.kubernetes.objects import manifest, meta, selected
from nbprod.deploy.yaml import dumped
from nbprod.model.deployment import Deployment, File

FOLDER = "prometheus-operator"


def component(deployment: Deployment, folder: str, head: str) -> Iterator[File]:
    """What a cluster with the Prometheus operator reads; a dashboard that Grafana's sidecar finds."""
    about = "For clusters with the Prometheus operator, which brings the kinds ServiceMonitor and PrometheusRule along."
    name, namespace = image.dns_name(deployment.name), deployment.settings.namespace
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "resources": ["service-monitor.yaml", "prometheus-rule.yaml"],
        "configMapGenerator": [
            {
                "name": f"{name}-dashboard",
                "namespace": namespace,
                "files": ["pipeline.json"],
                "options": {"labels": {"grafana_dashboard": "1"}, "disableNameSuffixHash": True},
            }
        ],
    }
    yield File(f"{folder}/kustomization.yaml", head + comment(about) + dumped(kustomization))
    seen = (
        "An operator may look for a label of its own, such as `release` of kube-prometheus-stack: "
        "then put it on here, and on prometheus-rule.yaml."
    )
    monitor = manifest(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        meta(deployment),
        spec={
            "selector": {"matchLabels": selected(deployment)},
            "endpoints": [{"port": "http", "path": image.METRICS, "interval": "15s"}],
        },
    )
    yield File(f"{folder}/service-monitor.yaml", head + comment(seen) + dumped(monitor))
    rule = manifest("monitoring.coreos.com/v1", "PrometheusRule", meta(deployment), spec=groups(deployment))
    yield File(f"{folder}/prometheus-rule.yaml", head + dumped(rule))
    yield File(f"{folder}/pipeline.json", dashboard(deployment))
