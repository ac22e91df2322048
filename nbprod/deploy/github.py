"""GitHub Actions: a workflow that checks, proves and builds a package, and promotes it when somebody asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Any

from nbprod.deploy import image
from nbprod.deploy.ci import Job, docker_note, jobs, setup
from nbprod.deploy.exporter import Exporter, header
from nbprod.deploy.yaml import dumped
from nbprod.model.deployment import Deployment, File

ASKED = "github.event_name == 'workflow_dispatch' && inputs.promote"
CONFIGURATION = ("nbprod.toml", "pyproject.toml")


def _path(deployment: Deployment) -> str:
    return f".github/workflows/nbprod-{deployment.name}.yml"


def _files(deployment: Deployment, folder: str) -> Iterator[File]:
    image.hold_to_training(deployment, "github")
    paths = list(_paths(deployment, folder))
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
        "jobs": _as_text({job.name: _job(job, deployment) for job in jobs(deployment)}),
    }
    yield File(_path(deployment), header(deployment, "github") + dumped(workflow))


def _paths(deployment: Deployment, folder: str) -> Iterator[str]:
    """What the workflow looks at: its jobs are run where one of these changes."""
    yield _literally(deployment.notebook)
    yield f"{_literally(deployment.package)}/**"
    deployed = f"deploy/{deployment.name}/"
    yield f"{deployed}**"
    others = {folder, *deployment.elsewhere.values()}
    yield from (f"{_literally(each)}/**" for each in sorted(others) if not each.startswith(deployed))
    yield from (_path(deployment), *CONFIGURATION)


def _as_text(value: Any) -> Any:
    """What a job says, in which `${{` begins no expression: names of files are texts, whatever they look like."""
    match value:
        case str():
            return value.replace("${{", "${{ '${{' }}")
        case list():
            return [_as_text(each) for each in value]
        case dict():
            return {key: _as_text(each) for key, each in value.items()}
        case _:
            return value


def _literally(path: str) -> str:
    """A path as a filter's pattern that means it alone, and as one of the toolkit's globs on Linux.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
    """
    return re.sub(r"[\\*?+!\[\]]", r"\\\g<0>", path)


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
        # Without a path it looks for a requirements.txt or a pyproject.toml, and fails where there is none.
        cache = {"cache": "pip", "cache-dependency-path": _literally(f"{deployment.folder}/requirements.lock")}
        yield {"uses": "actions/setup-python@v5", "with": {"python-version": deployment.python, **cache}}
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


def _notes(deployment: Deployment, _folder: str) -> Sequence[str]:
    return (docker_note(deployment),)


def _next(deployment: Deployment, folder: str) -> Sequence[str]:
    return (
        f"git add {_path(deployment)} {quote(folder)} && git commit -m 'Check {deployment.name} in CI'",
        f"gh workflow run nbprod-{deployment.name}.yml -f promote=true  # promotes",
    )


EXPORTER = Exporter("github", "GitHub Actions: check, prove, build, and promote on demand", _files, _notes, _next)
