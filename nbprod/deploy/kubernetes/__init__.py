"""Kubernetes: plain manifests that kustomize puts together, with components for what not every cluster has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Any

from nbprod.deploy import image
from nbprod.deploy.exporter import Exporter, comment, header
from nbprod.deploy.kubernetes import monitoring, prometheus_operator, service
from nbprod.deploy.kubernetes.retraining import of_retraining, retraining, trains_again
from nbprod.deploy.yaml import dumped
from nbprod.model.deployment import Deployment, File


def _files(deployment: Deployment, folder: str) -> Iterator[File]:
    head = header(deployment, "kubernetes")
    manifests = dict(_manifests(deployment))
    for name, (about, value) in manifests.items():
        documents = value if isinstance(value, list) else [value]
        yield File(f"{folder}/{name}.yaml", head + comment(about) + dumped(*documents))
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{name}.yaml" for name in manifests],
    }
    yield File(f"{folder}/kustomization.yaml", head + comment(_whole(deployment, folder)) + dumped(kustomization))
    if image.trains(deployment):
        yield from monitoring.component(deployment, f"{folder}/{monitoring.FOLDER}", head)
    yield from prometheus_operator.component(deployment, f"{folder}/{prometheus_operator.FOLDER}", head)


def _whole(deployment: Deployment, folder: str) -> str:
    operator = prometheus_operator.FOLDER
    parts = f"{monitoring.FOLDER}, {operator}" if image.trains(deployment) else operator
    return (
        f"  kubectl apply -k {quote(folder)}\n"
        f"Components for what not every cluster has lie beside this file ({parts}). They are put on, as is what is "
        "your own (a registry, a digest, other resources), by a kustomization elsewhere that has this folder among its "
        "resources."
    )


def _manifests(deployment: Deployment) -> Iterator[tuple[str, tuple[str, Any]]]:
    if deployment.settings.namespace != "default":
        yield (
            "namespace",
            ("Pods that need rights are refused here (Pod Security Standards).", service.namespace(deployment)),
        )
    size = image.size_of(deployment)
    about = (
        f"For one replica {size.source}. There is no limit of processor time: it would make slow what could be fast."
    )
    yield "deployment", (about, service.deployment_of(deployment))
    yield "service", ("", service.service(deployment))
    yield "autoscaler", (service.of_scale(deployment), service.autoscaler(deployment))
    yield "disruption", ("A node is emptied one replica at a time.", service.disruption(deployment))
    yield (
        "network",
        (
            "The service is asked from its own namespace, from ingress-nginx and from monitoring, and asks "
            "nobody. A trace exporter (serve --trace otlp) takes a rule of egress of its own.",
            service.network(deployment),
        ),
    )
    if deployment.flow.cron is not None and trains_again(deployment):
        yield "retraining", (of_retraining(deployment), list(retraining(deployment, deployment.flow.cron)))


def _notes(deployment: Deployment, _folder: str) -> Sequence[str]:
    return tuple(_told(deployment))


def _told(deployment: Deployment) -> Iterator[str]:
    yield from image.pin_note(deployment)
    yield "nothing was applied, and no cluster was asked: kubectl apply --dry-run=server does"
    yield f"the images are built as nbprod deploy {deployment.name} docker says"
    yield (
        f"nodes pull {deployment.tag} from a registry: deploy.image of the configuration names it, "
        f"and docker push brings it there"
    )
    if deployment.load is None:
        yield "resources are a guess, for no load test of this version is at hand: nbprod readiness NOTEBOOK --gather"
    if not image.trains(deployment):
        yield f"there is no job: nbprod needs Python 3.11, and the notebook was fitted with {deployment.python}"
    elif deployment.flow.cron is None:
        yield "there is no job for retraining: retraining.cadence is not declared"


def _next(deployment: Deployment, folder: str) -> Sequence[str]:
    name, namespace = image.dns_name(deployment.name), deployment.settings.namespace
    return (
        f"kubectl diff -k {quote(folder)}",
        f"kubectl apply -k {quote(folder)} && kubectl -n {namespace} rollout status deployment/{name}",
    )


EXPORTER = Exporter(
    "kubernetes",
    "Kubernetes: manifests for kustomize, jobs for monitoring and retraining",
    _files,
    _notes,
    _next,
    schedules=trains_again,
)
