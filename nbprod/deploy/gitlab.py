"""GitLab CI: the jobs that check, prove and build a package, to be included by the project's own .gitlab-ci.yml."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Any

from nbprod.deploy import image
from nbprod.deploy.ci import Job, docker_note, jobs, setup
from nbprod.deploy.exporter import Exporter, header
from nbprod.deploy.yaml import dumped
from nbprod.model.deployment import Deployment, File

ON_CHANGES = [
    {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'},
    {"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"},
]
ASKED = [{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "when": "manual", "allow_failure": True}]
"""What a person may start: by a rule it would else hold up the pipeline until somebody does
(https://docs.gitlab.com/ci/jobs/job_control/#types-of-manual-jobs)."""

DIND = "docker:28"


def _path(deployment: Deployment) -> str:
    return f".gitlab/nbprod-{deployment.name}.yml"


def _files(deployment: Deployment, _folder: str) -> Iterator[File]:
    image.hold_to_training(deployment, "gitlab")
    text = dumped({f"{deployment.name}:{job.name}": _job(job, deployment) for job in jobs(deployment)})
    yield File(_path(deployment), header(deployment, "gitlab") + text)


def _job(job: Job, deployment: Deployment) -> dict[str, Any]:
    value: dict[str, Any] = {"stage": "deploy" if job.writes else "build" if job.builds else "test"}
    if job.builds:
        value |= {"image": DIND, "services": [f"{DIND}-dind"]}
    else:
        value |= {"image": f"python:{deployment.python}", "before_script": list(_before(job, deployment))}
    value |= {"script": list(job.commands), "timeout": f"{job.minutes} minutes"}
    value["rules"] = ASKED if job.is_asked else ON_CHANGES
    value["needs"] = [f"{deployment.name}:{name}" for name in job.after]
    if job.always:
        value["artifacts"] = {"when": "always", "paths": list(job.always)}
        reports = [name for name in job.always if name.endswith(".xml")]
        if reports:
            value["artifacts"]["reports"] = {"junit": reports}
    return value


def _before(job: Job, deployment: Deployment) -> Iterator[str]:
    yield setup(deployment)
    if job.writes:
        # A job has a copy without a branch, and a token that may not push: the project gives one that may.
        yield f'git config user.name "nbprod {deployment.name}"'
        yield 'git config user.email "nbprod@$CI_SERVER_HOST"'
        yield 'git remote set-url origin "https://nbprod:$NBPROD_PUSH_TOKEN@$CI_SERVER_HOST/$CI_PROJECT_PATH.git"'
        yield 'git checkout -B "$CI_COMMIT_BRANCH"'
        yield "git config push.default current"


def _notes(deployment: Deployment, _folder: str) -> Sequence[str]:
    return (
        f"the project's .gitlab-ci.yml has to include the file: include: [{{local: {_path(deployment)}}}]",
        docker_note(deployment),
        "the job promote pushes with a project access token, in the masked variable NBPROD_PUSH_TOKEN",
    )


def _next(deployment: Deployment, folder: str) -> Sequence[str]:
    return (f"git add {_path(deployment)} {quote(folder)} && git commit -m 'Check {deployment.name} in CI'",)


EXPORTER = Exporter("gitlab", "GitLab CI: check, prove, build, and promote on demand", _files, _notes, _next)
