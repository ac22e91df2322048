"""GitHub Actions: a workflow that checks, proves and builds a package, and promotes it when somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from nbprod.deploy import image
from nbprod.deploy.ci import Job, jobs, setup
from nbprod.deploy.exporter import Exporter, header
from nbprod.deploy.yaml import dumped
from nbprod.model.deployment import Deployment, File

ASKED = "github.event_name == 'workflow_dispatch' && inputs.promote"


def _path(deployment: Deployment) -> str:
    return f".github/workflows/nbprod-{deployment.name}.yml"


def _files(deployment: Deployment, _folder: str) -> Iterator[File]:
    image.hold_to_training(deployment, "github")
    paths = [deployment.notebook, f"{deployment.package}/**", f"deploy/{deployment.name}/**", _path(deployment)]
    workflow: dict[str, Any] = {
        "name": f"nbprod {deployment.name}",
        "on": {
            "push": {"branches": ["main"], "paths": paths},
            "pull_request": {"paths": paths},
            "workflow_dispatch": {
                "inputs": {
                    "promote": {
                        "description": f"Promote version {deployment.version}, if the gates let it pass",
                        "type": "boolean",
                        "default": False,
                    }
                }
            },
        },
        "permissions": {"contents": "read"},
        "concurrency": {"group": f"nbprod-{deployment.name}-${{{{ github.ref }}}}"},
        "jobs": {job.name: _job(job, deployment) for job in jobs(deployment)},
    }
    yield File(_path(deployment), header(deployment, "github") + dumped(workflow))


def _job(job: Job, deployment: Deployment) -> dict[str, Any]:
    value: dict[str, Any] = {"name": job.what, "runs-on": "ubuntu-latest", "timeout-minutes": job.minutes}
    if job.after:
        value["needs"] = list(job.after)
    if job.is_asked:
        value["if"] = ASKED
    if job.writes:
        value["permissions"] = {"contents": "write"}
    return value | {"steps": list(_steps(job, deployment))}


def _steps(job: Job, deployment: Deployment) -> Iterator[dict[str, Any]]:
    yield {"uses": "actions/checkout@v4"}
    if not job.builds:
        yield {"uses": "actions/setup-python@v5", "with": {"python-version": deployment.python, "cache": "pip"}}
        yield {"run": setup(deployment)}
    if job.writes:
        yield {
            "name": "Who promotes is on record: here it is the workflow",
            "run": f'git config user.name "nbprod {deployment.name}"\n'
            "git config user.email github-actions@users.noreply.github.com",
        }
    yield from ({"run": command} for command in job.commands)
    if job.always:
        yield {
            "if": "always()",
            "uses": "actions/upload-artifact@v4",
            "with": {
                "name": f"{job.name}-{deployment.name}",
                "path": "\n".join(job.always),
                "if-no-files-found": "ignore",
            },
        }


def _notes(deployment: Deployment) -> Sequence[str]:
    return (f"the job build needs deploy/{deployment.name}/docker: nbprod deploy {deployment.name} docker",)


def _next(deployment: Deployment, _folder: str) -> Sequence[str]:
    return (
        f"git add {_path(deployment)} && git commit -m 'Check {deployment.name} in CI'",
        f"gh workflow run nbprod-{deployment.name}.yml -f promote=true, to promote",
    )


EXPORTER = Exporter("github", "GitHub Actions: check, prove, build, and promote on demand", _files, _notes, _next)
