"""The component that holds served rows against training: logs of replicas, shipped, gathered and looked at."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from shlex import quote
from typing import Any

from nbprod.deploy import image
from nbprod.deploy.exporter import comment
from nbprod.deploy.kubernetes.objects import PROJECT, RESTRICTED, TRAINING, claim, cron_job, manifest, tmp
from nbprod.deploy.yaml import dumped
from nbprod.model.deployment import Deployment, File

SHIP_SECONDS, LOG_DAYS = 300, 30
COPIES = "/logs"
FOLDER = "monitoring"


def component(deployment: Deployment, folder: str, head: str) -> Iterator[File]:
    """What holds served rows against training: it takes a volume that pods of several nodes can share."""
    name = image.dns_name(deployment.name)
    about = (
        "What is answered is logged, and once an hour held against what the model was trained on.\n"
        "A replica writes its log on its own disk, since sqlite's logs are not safe on shared ones. Beside it runs "
        f"ship_log.py, which puts a whole copy into the volume {name}-logs every {SHIP_SECONDS // 60} minutes and at "
        "the replica's end. So a replica that is killed takes the rows of some minutes along; what the job looks at is "
        "as old.\n"
        "The volume is ReadWriteMany: a cluster without such storage can't have it. Rows are raw data: see log.yaml.\n"
        "ship-log is a container that ends behind the service, which clusters know since 1.29."
    )
    scripts = ("ship_log.py", "gather_logs.py")
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "resources": ["log.yaml", "monitoring.yaml"],
        "configMapGenerator": [
            {"name": f"{name}-log-scripts", "namespace": deployment.settings.namespace, "files": list(scripts)}
        ],
        "patches": [{"patch": dumped(_with_log(deployment))}],
    }
    yield File(f"{folder}/kustomization.yaml", head + comment(about) + dumped(kustomization))
    left = f"not logged: {', '.join(deployment.personal)}" if deployment.personal else "all columns are logged"
    of_log = (
        f"Raw rows and answers of {LOG_DAYS} days; {left} (data.personal of the configuration). "
        "Who can mount this can read them."
    )
    logs = claim(deployment, "-logs", "monitoring", "ReadWriteMany", "5Gi")
    yield File(f"{folder}/log.yaml", head + comment(of_log) + dumped(logs))
    of_job = "It ends with 1 where something alerts: then the job has failed, which kube_job_status_failed tells."
    yield File(f"{folder}/monitoring.yaml", head + comment(of_job) + dumped(_monitoring_job(deployment)))
    for script in scripts:
        text = files("nbprod.deploy.carried").joinpath(script).read_text(encoding="utf-8")
        yield File(f"{folder}/{script}", head + text)


def _scripts(deployment: Deployment) -> dict[str, Any]:
    return {"name": "scripts", "configMap": {"name": f"{image.dns_name(deployment.name)}-log-scripts"}}


def _logs(deployment: Deployment) -> dict[str, Any]:
    return {
        "name": "logs",
        "persistentVolumeClaim": {"claimName": f"{image.dns_name(deployment.name)}-logs"},
    }


def _with_log(deployment: Deployment) -> dict[str, Any]:
    """What the component changes of the Deployment: the log, and a container beside that ships it."""
    log = {"name": "log", "mountPath": image.LOGS}
    shipping = {
        "name": "ship-log",
        "image": deployment.tag,
        # A container of this kind ends behind the service, so that its last copy is whole.
        "restartPolicy": "Always",
        "command": ["python", "/scripts/ship_log.py", image.LOG, f"{COPIES}/$(POD_NAME).sqlite", str(SHIP_SECONDS)],
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": RESTRICTED,
        "volumeMounts": [
            log,
            {"name": "logs", "mountPath": COPIES},
            {"name": "scripts", "mountPath": "/scripts", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    service = {
        "name": "service",
        "args": [*image.serving(deployment.settings.port), *map(_literal, image.logging(deployment))],
        "volumeMounts": [log],
    }
    pod = {
        "initContainers": [shipping],
        "containers": [service],
        "volumes": [
            {"name": "log", "emptyDir": {"sizeLimit": "5Gi"}},
            _logs(deployment),
            _scripts(deployment),
            tmp("6Gi"),
        ],
    }
    meta = {"name": image.dns_name(deployment.name), "namespace": deployment.settings.namespace}
    return manifest("apps/v1", "Deployment", meta, spec={"template": {"spec": pod}})


def _literal(word: str) -> str:
    """An argument in which nothing is the name of a variable."""
    return word.replace("$(", "$$(")


def _monitoring_job(deployment: Deployment) -> dict[str, Any]:
    container = {
        "name": "monitoring",
        "image": deployment.training_tag,
        "command": ["sh", "-ec", monitoring_script(deployment)],
        "workingDir": PROJECT,
        "resources": TRAINING,
        "securityContext": RESTRICTED,
        "volumeMounts": [
            {"name": "logs", "mountPath": COPIES},
            {"name": "scripts", "mountPath": "/scripts", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    pod = {"containers": [container], "volumes": [_logs(deployment), _scripts(deployment), tmp("6Gi")]}
    return cron_job(deployment, "monitoring", "15 * * * *", pod, backoffLimit=2, activeDeadlineSeconds=3600)


def monitoring_script(deployment: Deployment) -> str:
    """Put the replicas' logs together, and look at the last day of them; nothing is to be seen where there are none."""
    log = "/tmp/predictions.sqlite"
    named = quote(f"{deployment.name}@{deployment.version}")
    return (
        f"python /scripts/gather_logs.py {COPIES} {log} {LOG_DAYS} || {{\n"
        "  if [ $? = 3 ]; then exit 0; fi\n"
        "  exit 2\n"
        "}\n"
        f"nbprod monitor {named} --log {log} --since 24h\n"
    )
