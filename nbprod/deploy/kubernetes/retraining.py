"""The job that trains the notebook again: a copy of the project in a volume, and the steps of the flow in a shell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Any

from nbprod.deploy import image
from nbprod.deploy.kubernetes.objects import PROJECT, RESTRICTED, TRAINING, claim, cron_job, tmp
from nbprod.model.deployment import VERSION, Deployment, Step

RECORD = "/tmp/record.json"
COPY = """\
if [ ! -e "$1/.copied" ]; then
  mkdir -p "$1"
  cp -R /project/. "$1/"
  touch "$1/.copied"
fi
"""
"""Fills the copy of the project, once: what a copy that was broken off has left is written over."""


def trains_again(deployment: Deployment) -> bool:
    """Whether there is a schedule, and an image in which it can be kept."""
    return deployment.flow.cron is not None and image.trains(deployment)


def of_retraining(deployment: Deployment) -> str:
    """What a person has to know of the job."""
    return (
        f"The notebook is trained again at {deployment.flow.cron} (UTC), and the gates judge the new version.\n"
        "It works on a copy of the image's project in a volume, one for each version that was deployed, which keeps "
        "runs and new versions. The repository does not hear of them, and no image is built: take a version from "
        "there, commit it, and let CI build it. Data that is not in the image is to be mounted here. "
        "What it may take is a guess: it is not measured."
    )


def retraining(deployment: Deployment, cron: str) -> Iterator[dict[str, Any]]:
    """The volume of the project, and the job."""
    yield claim(deployment, image.PROJECT_CLAIM, "retraining", "ReadWriteOnce", "10Gi")
    steps = [step for step in deployment.flow.steps if step.makes != "stage"]
    work = {"name": "project", "mountPath": "/work"}
    common = {"image": deployment.training_tag, "securityContext": RESTRICTED, "resources": TRAINING}
    scratch = {"name": "tmp", "mountPath": "/tmp"}
    pod = {
        "initContainers": [
            {
                "name": "project",
                **common,
                "command": ["sh", "-ec", COPY],
                "args": ["copy", f"/work/{deployment.copy}"],
                "volumeMounts": [work, scratch],
            }
        ],
        "containers": [
            {
                "name": "retraining",
                **common,
                "command": ["sh", "-ec", retraining_script(deployment, steps)],
                "workingDir": PROJECT,
                "volumeMounts": [{"name": "project", "mountPath": PROJECT, "subPath": deployment.copy}, scratch],
            }
        ],
        "volumes": [
            {"name": "project", "persistentVolumeClaim": {"claimName": image.project_claim(deployment)}},
            tmp("4Gi"),
        ],
    }
    longest = sum(step.timeout * (step.retries + 1) for step in steps)
    most = max((step.retries for step in steps), default=0)
    yield cron_job(deployment, "retraining", cron, pod, backoffLimit=most, activeDeadlineSeconds=longest)


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
