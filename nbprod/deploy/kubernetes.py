"""Kubernetes: plain manifests that kustomize puts together, with components for what not every cluster has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from shlex import quote
from typing import Any

from nbprod.deploy import image
from nbprod.deploy.alerts import groups
from nbprod.deploy.dashboard import dashboard
from nbprod.deploy.docker import pin_note
from nbprod.deploy.exporter import Exporter, comment, header
from nbprod.deploy.yaml import dumped
from nbprod.model.deployment import VERSION, Deployment, File, Step

STOPPING_SECONDS = 5
"""How long a replica that ends still answers: until then every node has taken it out of the service."""

START_SECONDS = 120
SHIP_SECONDS, LOG_DAYS = 300, 30
PROJECT, COPIES = "/project", "/logs"
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
TRAINING = {"requests": {"cpu": "500m", "memory": "2Gi"}, "limits": {"memory": "4Gi"}}
MONITORING, OPERATOR = "monitoring", "prometheus-operator"


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
        yield from _monitoring(deployment, f"{folder}/{MONITORING}", head)
    yield from _operator(deployment, f"{folder}/{OPERATOR}", head)


def _whole(deployment: Deployment, folder: str) -> str:
    parts = f"{MONITORING}, {OPERATOR}" if image.trains(deployment) else OPERATOR
    return (
        f"  kubectl apply -k {quote(folder)}\n"
        f"Components for what not every cluster has lie beside this file ({parts}). They are put on, as is what is "
        "your own (a registry, a digest, other resources), by a kustomization elsewhere that has this folder among its "
        "resources."
    )


def _manifests(deployment: Deployment) -> Iterator[tuple[str, tuple[str, Any]]]:
    if deployment.settings.namespace != "default":
        yield "namespace", ("Pods that need rights are refused here (Pod Security Standards).", _namespace(deployment))
    size = image.size_of(deployment)
    about = (
        f"For one replica {size.source}. There is no limit of processor time: it would make slow what could be fast."
    )
    yield "deployment", (about, _deployment(deployment))
    yield "service", ("", _service(deployment))
    yield "autoscaler", (_of_scale(deployment), _autoscaler(deployment))
    yield "disruption", ("A node is emptied one replica at a time.", _disruption(deployment))
    yield (
        "network",
        (
            "The service is asked from its own namespace, from ingress-nginx and from monitoring, and asks "
            "nobody. A trace exporter (serve --trace otlp) takes a rule of egress of its own.",
            _network(deployment),
        ),
    )
    if deployment.flow.cron is not None and _trains_again(deployment):
        yield "retraining", (_of_retraining(deployment), list(_retraining(deployment, deployment.flow.cron)))


def _trains_again(deployment: Deployment) -> bool:
    return deployment.flow.cron is not None and image.trains(deployment)


def _meta(deployment: Deployment, suffix: str = "", component: str = "service") -> dict[str, Any]:
    """Name, namespace and labels (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/)."""
    return {
        "name": f"{image.dns_name(deployment.name)}{suffix}",
        "namespace": deployment.settings.namespace,
        "labels": {
            **_selected(deployment, component),
            "app.kubernetes.io/version": f"v{deployment.version}",
            "app.kubernetes.io/managed-by": "nbprod",
        },
    }


def _selected(deployment: Deployment, component: str = "service") -> dict[str, str]:
    """The labels by which pods are chosen; they never change."""
    return {
        "app.kubernetes.io/name": image.dns_name(deployment.name),
        "app.kubernetes.io/component": component,
    }


def _manifest(version: str, kind: str, meta: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": meta, **rest}


# ---------------------------------------------------------------------------------------------------- the service


def _namespace(deployment: Deployment) -> dict[str, Any]:
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return _manifest("v1", "Namespace", {"name": deployment.settings.namespace, "labels": levels})


def _deployment(deployment: Deployment) -> dict[str, Any]:
    port = deployment.settings.port
    spread = {
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": _selected(deployment)},
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
        **_pod(),
        "terminationGracePeriodSeconds": STOPPING_SECONDS + image.GRACE_SECONDS + 10,
        "topologySpreadConstraints": [
            {"topologyKey": key, **spread} for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ],
        "containers": [container],
        "volumes": [_tmp("256Mi")],
    }
    return _manifest(
        "apps/v1",
        "Deployment",
        {**_meta(deployment), "annotations": image.identity(deployment)},
        spec={
            "revisionHistoryLimit": 5,
            "progressDeadlineSeconds": 2 * START_SECONDS,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": _selected(deployment)},
            "template": {
                "metadata": {"labels": _meta(deployment)["labels"], "annotations": image.identity(deployment)},
                "spec": pod,
            },
        },
    )


def resources(deployment: Deployment) -> dict[str, Any]:
    """What one replica asks for, and the memory that it may take."""
    size = image.size_of(deployment)
    memory = f"{size.memory}Mi"
    return {"requests": {"cpu": f"{size.cpu}m", "memory": memory}, "limits": {"memory": memory}}


def _pod() -> dict[str, Any]:
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


def _tmp(size: str) -> dict[str, Any]:
    return {"name": "tmp", "emptyDir": {"sizeLimit": size}}


def _service(deployment: Deployment) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return _manifest("v1", "Service", _meta(deployment), spec={"selector": _selected(deployment), "ports": ports})


def _of_scale(deployment: Deployment) -> str:
    if deployment.load is None:
        return "How many replicas the declared volume takes is not known: nothing was measured."
    asked = "" if deployment.required_rps is None else f", and {deployment.required_rps:g} are declared"
    return f"One replica was measured to answer {deployment.load.rps:g} requests a second{asked}."


def _autoscaler(deployment: Deployment) -> dict[str, Any]:
    scale = image.scale_of(deployment)
    target = {"type": "Utilization", "averageUtilization": round(100 * image.BUSY)}
    return _manifest(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        _meta(deployment),
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


def _disruption(deployment: Deployment) -> dict[str, Any]:
    return _manifest(
        "policy/v1",
        "PodDisruptionBudget",
        _meta(deployment),
        spec={
            "maxUnavailable": 1,
            "selector": {"matchLabels": _selected(deployment)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    )


def _network(deployment: Deployment) -> dict[str, Any]:
    spaces = [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
        for name in ("ingress-nginx", "monitoring")
    ]
    return _manifest(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        _meta(deployment),
        spec={
            "podSelector": {"matchLabels": _selected(deployment)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": {}}, *spaces], "ports": [{"port": "http"}]}],
            "egress": [],
        },
    )


# --------------------------------------------------------------------------------------------------------- the jobs


def _job(deployment: Deployment, component: str, schedule: str, pod: dict[str, Any], **job: Any) -> dict[str, Any]:
    labels = _meta(deployment, component=component)["labels"]
    return _manifest(
        "batch/v1",
        "CronJob",
        _meta(deployment, f"-{component}", component),
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
                    "template": {"metadata": {"labels": labels}, "spec": {**_pod(), "restartPolicy": "Never", **pod}},
                }
            },
        },
    )


def _claim(deployment: Deployment, suffix: str, component: str, mode: str, size: str) -> dict[str, Any]:
    return _manifest(
        "v1",
        "PersistentVolumeClaim",
        _meta(deployment, suffix, component),
        spec={"accessModes": [mode], "resources": {"requests": {"storage": size}}},
    )


def _of_retraining(deployment: Deployment) -> str:
    return (
        f"The notebook is trained again at {deployment.flow.cron} (UTC), and the gates judge the new version.\n"
        "It works on a copy of the image's project in a volume, one for each version that was deployed, which keeps "
        "runs and new versions. The repository does not hear of them, and no image is built: take a version from "
        "there, commit it, and let CI build it. Data that is not in the image is to be mounted here. "
        "What it may take is a guess: it is not measured."
    )


def _retraining(deployment: Deployment, cron: str) -> Iterator[dict[str, Any]]:
    yield _claim(deployment, "-project", "retraining", "ReadWriteOnce", "10Gi")
    own = f"v{deployment.version:04d}-{deployment.state[:12]}"
    steps = [step for step in deployment.flow.steps if step.makes != "stage"]
    work = {"name": "project", "mountPath": "/work"}
    common = {"image": deployment.training_tag, "securityContext": RESTRICTED, "resources": TRAINING}
    tmp = {"name": "tmp", "mountPath": "/tmp"}
    pod = {
        "initContainers": [
            {
                "name": "project",
                **common,
                "command": ["sh", "-ec", COPY],
                "args": ["copy", f"/work/{own}"],
                "volumeMounts": [work, tmp],
            }
        ],
        "containers": [
            {
                "name": "retraining",
                **common,
                "command": ["sh", "-ec", retraining_script(deployment, steps)],
                "workingDir": PROJECT,
                "volumeMounts": [{"name": "project", "mountPath": PROJECT, "subPath": own}, tmp],
            }
        ],
        "volumes": [
            {"name": "project", "persistentVolumeClaim": {"claimName": f"{image.dns_name(deployment.name)}-project"}},
            _tmp("4Gi"),
        ],
    }
    longest = sum(step.timeout * (step.retries + 1) for step in steps)
    most = max((step.retries for step in steps), default=0)
    yield _job(deployment, "retraining", cron, pod, backoffLimit=most, activeDeadlineSeconds=longest)


COPY = """\
if [ ! -e "$1/.copied" ]; then
  mkdir -p "$1"
  cp -R /project/. "$1/"
  touch "$1/.copied"
fi
"""
"""Fills the copy of the project, once: what a copy that was broken off has left is written over."""


def retraining_script(deployment: Deployment, steps: Sequence[Step]) -> str:
    """The steps in a shell, in the root of the project; a failed one ends it with its exit code.

    Where parameters for the interval of the data are declared, it goes from the end of the last one that was done:
    there is none at first, and the notebook's own values hold.
    """
    since, until = deployment.flow.interval or (None, None)
    commands = [_command(step) for step in steps]
    if since is None or until is None:
        return "\n".join(("set --", *commands, ""))
    given = f'-p {quote(since)} "$since" -p {quote(until)} "$until"'
    lines = [
        "done=.nbprod/trained-until",
        "until=$(date -u +%Y-%m-%dT%H:%M:%SZ)",
        'since=$(cat "$done" 2>/dev/null || true)',
        "set --",
        f'if [ -n "$since" ]; then set -- {given}; fi',
        *commands,
        'mkdir -p .nbprod && echo "$until" >"$done"',
    ]
    return "\n".join((*lines, ""))


def _command(step: Step) -> str:
    """A step as a command, with the parameters of the shell where it runs the notebook.

    What makes a version leaves its number, which is told in any case, for the steps behind it.
    """
    words = " ".join('"$version"' if each == VERSION else quote(each) for each in step.arguments)
    if step.makes != "version":
        return f"nbprod {words}"
    return (
        f'code=0; nbprod {words} "$@" >{RECORD} || code=$?\n'
        f"cat {RECORD}\n"
        '[ "$code" -eq 0 ] || exit "$code"\n'
        f'version=$(python -c \'import json; print(json.load(open("{RECORD}"))["version"])\')'
    )


RECORD = "/tmp/record.json"

# --------------------------------------------------------------------------------------------------- the components


def _monitoring(deployment: Deployment, folder: str, head: str) -> Iterator[File]:
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
    claim = _claim(deployment, "-logs", "monitoring", "ReadWriteMany", "5Gi")
    yield File(f"{folder}/log.yaml", head + comment(of_log) + dumped(claim))
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
            _tmp("6Gi"),
        ],
    }
    meta = {"name": image.dns_name(deployment.name), "namespace": deployment.settings.namespace}
    return _manifest("apps/v1", "Deployment", meta, spec={"template": {"spec": pod}})


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
    pod = {"containers": [container], "volumes": [_logs(deployment), _scripts(deployment), _tmp("6Gi")]}
    return _job(deployment, "monitoring", "15 * * * *", pod, backoffLimit=2, activeDeadlineSeconds=3600)


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


def _operator(deployment: Deployment, folder: str, head: str) -> Iterator[File]:
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
    monitor = _manifest(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        _meta(deployment),
        spec={
            "selector": {"matchLabels": _selected(deployment)},
            "endpoints": [{"port": "http", "path": image.METRICS, "interval": "15s"}],
        },
    )
    yield File(f"{folder}/service-monitor.yaml", head + comment(seen) + dumped(monitor))
    rule = _manifest("monitoring.coreos.com/v1", "PrometheusRule", _meta(deployment), spec=groups(deployment))
    yield File(f"{folder}/prometheus-rule.yaml", head + dumped(rule))
    yield File(f"{folder}/pipeline.json", dashboard(deployment))


# ----------------------------------------------------------------------------------------------------- what is said


def _notes(deployment: Deployment) -> Sequence[str]:
    return tuple(_told(deployment))


def _told(deployment: Deployment) -> Iterator[str]:
    yield from pin_note(deployment)
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
    schedules=_trains_again,
)
