"""Workflows of GitHub and GitLab: what their schemas take, jobs in their order, what shells run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from nbprod.cli.app import VERBS
from nbprod.deploy import image
from nbprod.deploy.ci import jobs, setup
from nbprod.deploy.targets import TARGETS
from nbprod.model.deployment import Deployment
from tests.deploy.deployments import KNOWN, LEAST, MOST, OLD, documents, files_of, passes, tool, written

SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
each_deployment = pytest.mark.parametrize("deployment", [each for each in KNOWN if each.values[0] is not OLD])
each_service = pytest.mark.parametrize("service", SCHEMAS)


def value_of(deployment: Deployment, service: str) -> dict[str, Any]:
    (text,) = files_of(deployment, service).values()
    (value,) = documents(text)
    return value


def scripts(deployment: Deployment, service: str) -> Iterator[str]:
    """What shells run, one for each shell."""
    value = value_of(deployment, service)
    if service == "github":
        yield from (step["run"] for job in value["jobs"].values() for step in job["steps"] if "run" in step)
    else:
        for job in value.values():
            yield "\n".join((*job.get("before_script", ()), *job["script"]))


@each_service
@each_deployment
def test_workflows_are_what_their_schemas_take(deployment: Deployment, service: str, tmp_path: Path) -> None:
    written(deployment, service, tmp_path)
    (path,) = [path for path in tmp_path.rglob("*.yml") if path.is_file()]
    passes(tool("check-jsonschema"), "--builtin-schema", SCHEMAS[service], path)


@each_service
@each_deployment
def test_shellcheck_finds_nothing_in_what_jobs_run(deployment: Deployment, service: str, tmp_path: Path) -> None:
    shell, paths = {"github": "bash", "gitlab": "sh"}[service], []
    for number, script in enumerate(scripts(deployment, service)):
        paths.append(tmp_path / f"{number}.sh")
        paths[-1].write_text(f"{script}\n")
    assert paths
    for path in paths:
        passes("bash" if shell == "bash" else "sh", "-n", path)
    passes(tool("shellcheck"), f"--shell={shell}", "--severity=style", *paths)


@each_service
@each_deployment
def test_a_job_stands_behind_those_that_it_needs(deployment: Deployment, service: str) -> None:
    value = value_of(deployment, service)
    found = value["jobs"] if service == "github" else value
    seen: set[str] = set()
    for name, job in found.items():
        assert set(job.get("needs", ())) <= seen
        seen.add(name)
    assert [name.rpartition(":")[2] for name in found] == [job.name for job in jobs(deployment)]


@each_service
@each_deployment
def test_commands_name_verbs_that_exist_and_paths_as_they_are(deployment: Deployment, service: str) -> None:
    words = [word for script in scripts(deployment, service) for word in shlex.split(script, comments=True)]
    verbs = {words[place + 1] for place, word in enumerate(words) if word == "nbprod"}
    assert verbs == {"check", "export", "deploy", "verify", "readiness", "versions"}
    assert verbs <= set(VERBS)
    assert words.count(deployment.notebook) == 3
    assert f"{deployment.folder}/requirements.lock" in words
    assert f"{deployment.name}@3" in words


def test_the_environment_is_pinned() -> None:
    assert re.fullmatch(
        r"python -m pip install --quiet nbprod==\S+ -r pipelines/sales/v0003/requirements.lock", setup(LEAST)
    )


def test_only_what_promotes_may_write_and_a_person_starts_it() -> None:
    found = value_of(LEAST, "github")
    assert found["permissions"] == {"contents": "read"}
    assert {name: job["permissions"] for name, job in found["jobs"].items() if "permissions" in job} == {
        "promote": {"contents": "write"}
    }
    assert found["jobs"]["promote"]["if"] == "github.event_name == 'workflow_dispatch' && inputs.promote"
    rules = value_of(LEAST, "gitlab")["sales:promote"]["rules"]
    assert [(rule["when"], rule["allow_failure"]) for rule in rules] == [("manual", True)], (
        "or the pipeline waits for it"
    )


def test_the_workflow_runs_where_its_files_change() -> None:
    found = value_of(MOST, "github")["on"]
    assert found["pull_request"]["paths"] == found["push"]["paths"]
    assert found["push"]["paths"] == [
        "my notebooks/sales of 2024.ipynb",
        "my packages/Sales_of_2024/**",
        "deploy/Sales_of_2024/**",
        "ops/the image/**",
        ".github/workflows/nbprod-Sales_of_2024.yml",
        "nbprod.toml",
        "pyproject.toml",
    ]
    (text,) = files_of(MOST, "github", "ops/[prod]").values()
    assert r"ops/\[prod\]/**" in documents(text)[0]["on"]["push"]["paths"]


@each_service
@pytest.mark.parametrize(
    "deployment, dockerfile",
    [
        pytest.param(LEAST, "deploy/sales/docker/Dockerfile", id="in its usual place"),
        pytest.param(MOST, "ops/the image/Dockerfile", id="elsewhere"),
    ],
)
def test_the_image_is_built_from_where_its_files_lie(deployment: Deployment, dockerfile: str, service: str) -> None:
    words = [word for script in scripts(deployment, service) for word in shlex.split(script, comments=True)]
    assert words[words.index("--file") + 1] == dockerfile
    assert any(f"takes {dockerfile}, which" in note for note in TARGETS[service].notes(deployment, "ops"))


def matches(pattern: str, path: str) -> bool:
    """Whether a path is of a filter's pattern, as GitHub's cheat sheet says."""
    words = {"**": ".*", "*": "[^/]*", "?": "?", "+": "+"}
    parts = re.findall(r"\\.|\*\*|\[[^]]*\]|.", pattern)
    regex = "".join(
        words.get(part) or (part if part[0] == "[" and len(part) > 1 else re.escape(part[-1])) for part in parts
    )
    return re.fullmatch(regex, path) is not None


@pytest.mark.parametrize("name", ["sales", "sales [2024]", "all*", "why?", "c++", "!new", "a\\b", "**"])
def test_a_name_is_no_pattern_of_others(name: str) -> None:
    deployment = replace(LEAST, notebook=f"{name}.ipynb", package=f"p {name}/sales", folder=f"p {name}/sales/v0003")
    found = value_of(deployment, "github")
    notebook, package, *_ = found["on"]["push"]["paths"]
    assert matches(notebook, f"{name}.ipynb")
    assert matches(package, f"p {name}/sales/v0003/row.py")
    for other in ("sales 2", "sales 0", "all others", "why", "wh", "c", "ccc", "new", "ab", "x"):
        assert not matches(notebook, f"{other}.ipynb")
        assert not matches(package, f"p {other}/sales/v0003/row.py")
    for job in found["jobs"].values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/setup-python"):
                assert matches(step["with"]["cache-dependency-path"], f"p {name}/sales/v0003/requirements.lock")


def test_a_name_is_no_expression_of_github() -> None:
    name = "${{ secrets.TOKEN }}"
    jobs_there = value_of(replace(LEAST, notebook=f"{name}.ipynb"), "github")["jobs"]
    evaluated = re.findall(r"\$\{\{\s*(.*?)\s*\}\}", str(jobs_there).replace("\\'", "'"))
    assert set(evaluated) == {"'${{'"}
    shown = [step["run"].replace("${{ '${{' }}", "${{") for step in jobs_there["check"]["steps"] if "run" in step]
    assert any(f"nbprod check '{name}.ipynb'" in text for text in shown)


@each_service
def test_reports_are_kept_also_where_a_job_fails(service: str) -> None:
    text = "\n".join(files_of(LEAST, service).values())
    for name in ("nbprod.sarif", "nbprod.xml", "readiness.html"):
        assert text.count(name) >= 2
    assert ("if: always()" if service == "github" else "when: always") in text


def test_the_image_is_asked_on_the_port_that_it_listens_on() -> None:
    deployment = replace(LEAST, settings=replace(LEAST.settings, port=9123))
    (build,) = [job for job in jobs(deployment) if job.name == "build"]
    assert all("8000" not in command for command in build.commands)
    assert sum("9123" in command for command in build.commands) == 3


def test_the_image_is_asked_by_its_own_health_check_which_goes_through_no_proxy() -> None:
    (build,) = [job for job in jobs(LEAST) if job.name == "build"]
    asked = [shlex.split(part) for command in build.commands for part in re.findall(r"docker exec .+?\)'", command)]
    assert asked == 2 * [["docker", "exec", "served", *image.health_check(8000)]]
