"""The texts that are deployed to Kubeflow; tests/deploy/test_orchestrators.py compiles and runs them."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nbprod.api.compiling import step as step_of_compiling
from nbprod.deploy.interval import last_interval
from nbprod.deploy.kfp import EXPORTER, six_fields
from nbprod.model.deployment import Deployment
from tests.deploy.deployments import ODD, blocks, shell, written
from tests.deploy.flows import SALES, hostile, imports_of, sales

FOLDER = "deploy/sales/kfp"


def pipeline_of(deployment: Deployment) -> ast.Module:
    (text,) = (file.text for file in EXPORTER.files(deployment, FOLDER) if file.path.endswith(".py"))
    return ast.parse(text)


def tasks_of(tree: ast.Module) -> dict[str, tuple[str, dict[str, str]]]:
    """The component of each task of the pipeline, and what it is given."""
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "pipeline")
    return {
        ast.unparse(node.targets[0]).removeprefix("step_"): (
            ast.unparse(node.value.func),
            {str(each.arg): ast.unparse(each.value) for each in node.value.keywords},
        )
        for node in function.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
    }


@pytest.mark.parametrize(
    "deployment",
    [
        pytest.param(SALES, id="every stage"),
        pytest.param(sales(()), id="no stage"),
        pytest.param(sales(("data",), promotes=False), id="a person promotes"),
        pytest.param(hostile(), id="hostile texts"),
    ],
)
def test_each_step_is_a_component_that_is_typed_by_what_it_makes(deployment: Deployment) -> None:
    found = tasks_of(pipeline_of(deployment))

    steps = deployment.flow.steps
    assert list(found) == ["begun", *(step.name for step in steps)]
    for step in steps:
        component, given = found[step.name]
        assert component == step.makes
        assert ast.literal_eval(given["arguments"]) == list(step.arguments)
        assert given["seconds"] == str(step.timeout)
        assert (given["run"], given["task"], given["retries"]) == ("RUN", repr(step.name), str(step.retries))
        assert ("parameters" in given) == step.takes_parameters
        for end in ("interval_start", "interval_end"):
            assert given.get(end) == (f"begun.outputs['{end}']" if step.takes_parameters else None)
        assert given.get("version") == (f"step_{step.version_of}.outputs['version']" if step.version_of else None)


PYTHON = """#!/bin/sh
echo >> calls
echo '{"run_id": "4fd2"}'
exit $(sed -n "$(wc -l < calls)p" codes)
"""


@pytest.mark.parametrize(
    "codes, told",
    [
        pytest.param([2, 2, 0], ["fault", "fault", "done"], id="faults are tried again"),
        pytest.param([1], ["finding", "earlier", "earlier"], id="a finding is not"),
        pytest.param([2, 1], ["fault", "finding", "earlier"], id="nor is one behind a fault"),
        pytest.param([1, 0], ["finding", "earlier", "earlier", "done"], id="but where a person wants it"),
        pytest.param([2, 2, 2, 1, 0], ["fault"] * 3 + ["finding", "earlier", "earlier", "done"], id="every time anew"),
    ],
)
def test_what_was_found_is_not_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codes: list[int], told: list[str]
) -> None:
    """With an interpreter that ends with these codes, and a task that Kubeflow tries twice more."""
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    (tmp_path / "codes").write_text("".join(f"{code}\n" for code in codes))
    monkeypatch.setenv("NBPROD_PROJECT", str(tmp_path))
    monkeypatch.setenv("NBPROD_PYTHON", str(python))
    step = function_of(pipeline_of(SALES), "step")

    def tried() -> str:
        try:
            step("4fd2", "data", 2, ["run", "sales"], {}, ["", ""], [], 60, str(tmp_path / "record"))
        except RuntimeError as error:
            words = str(error).splitlines()
            return "earlier" if "by an earlier try" in words[-1] else {1: "finding", 2: "fault"}[int(words[0][18])]
        return "done"

    assert [tried() for _ in told] == told
    assert len((tmp_path / "calls").read_text()) == len(codes)


def function_of(tree: ast.Module, name: str) -> Any:
    """A function of the pipeline, as components have it: with nothing but the functions that go along."""
    names = {"call", "end", "reason", "chosen", "noted", "step", "last_interval", "project"}
    tree.body = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name in names]
    for each in tree.body:
        each.decorator_list, each.returns = [], None
    found: dict[str, Any] = {"Any": Any, "Dict": dict, "List": list, "Callable": Callable}
    exec(compile(tree, "pipeline.py", "exec"), found)
    return found[name]


WEEK = ("2026-11-23T03:00:00+00:00", "2026-11-30T03:00:00+00:00")


@pytest.mark.parametrize(
    "schedule, scheduled, given, expected",
    [
        pytest.param("0 0 3 * * 1", "2026-11-30T03:00:00Z", ("", ""), WEEK, id="the time of the schedule"),
        pytest.param("0 0 3 * * 1", "2026-12-04T17:12:31Z", ("", ""), WEEK, id="a run by hand"),
        pytest.param("0 0 3 * * 1", "2026-11-30T03:00:00Z", ("2020", ""), ("2020", ""), id="an interval of its own"),
        pytest.param("", "2026-11-30T03:00:00Z", ("", ""), ("", ""), id="no schedule"),
    ],
)
def test_a_run_has_the_interval_of_its_schedule(
    tmp_path: Path, schedule: str, scheduled: str, given: tuple[str, str], expected: tuple[str, str]
) -> None:
    (tmp_path / "image").mkdir()
    project = function_of(pipeline_of(SALES), "project")

    begun = project(str(tmp_path / "image"), str(tmp_path / "volume"), schedule, scheduled, *given)

    assert (begun.filled, begun.interval_start, begun.interval_end) == (True, *expected)
    assert project(str(tmp_path / "image"), str(tmp_path / "volume"), schedule, scheduled, *given).filled is False


@pytest.mark.parametrize("scheduled", ["", "{{$.pipeline_job_schedule_time_utc}}"], ids=["no time", "a placeholder"])
def test_where_kubeflow_does_not_tell_the_time_of_the_schedule_it_is_now(tmp_path: Path, scheduled: str) -> None:
    (tmp_path / "image").mkdir()
    project = function_of(pipeline_of(SALES), "project")

    before, begun, after = (
        last_interval("* * * * *", datetime.now(UTC).isoformat()),
        project(str(tmp_path / "image"), str(tmp_path / "volume"), "0 * * * * *", scheduled, "", ""),
        last_interval("* * * * *", datetime.now(UTC).isoformat()),
    )

    assert before <= [begun.interval_start, begun.interval_end] <= after


def test_each_task_is_tried_again_as_the_flow_says() -> None:
    placed = {
        ast.literal_eval(node.args[1]): [ast.unparse(each) for each in node.args[2:]]
        for node in ast.walk(pipeline_of(SALES))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "placed"
    }
    assert placed["data"] == ["2", "60", "begun"]
    assert placed["promote"] == ["1", "60", "step_prove"]


def test_the_image_is_the_one_that_trains_and_the_schedule_has_six_fields() -> None:
    given = {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in pipeline_of(SALES).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    assert given["IMAGE"] == "registry.example/sales:v3-train"
    assert given["CRON"] == six_fields("0 3 * * 1") == "0 0 3 * * 1"
    assert (given["VOLUME"], given["FOLDER"]) == ("sales-project", "v0003-a1b2a1b2a1b2")


def test_a_pipeline_imports_the_standard_library_and_kfp() -> None:
    assert imports_of(pipeline_of(SALES)) - sys.stdlib_module_names == {"kfp"}


def test_what_is_told_of_compiling_runs_in_the_root_of_the_project(tmp_path: Path) -> None:
    folder = written(SALES, "kfp", tmp_path, ODD)
    (tmp_path / ".venv-kfp/bin").mkdir(parents=True)
    for name in ("pip", "python"):
        (tmp_path / ".venv-kfp/bin" / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (tmp_path / ".venv-kfp/bin" / name).chmod(0o755)

    told = shell(blocks((folder / "README.md").read_text())[0], tmp_path, python="").splitlines()

    assert told == ["pip install kfp>=2.16,<3", f"python {ODD}/pipeline.py"]
    assert step_of_compiling(EXPORTER.compiled, ODD).startswith("python 'deploy/my $HOME'")


def test_what_is_told_of_schedules_runs_in_the_folder(tmp_path: Path) -> None:
    """With a server that takes what there is: the client asks nothing of the files but that they are there."""
    folder = written(SALES, "kfp", tmp_path, ODD)
    (folder / "pipeline.yaml").write_text("# compiled\n")
    (tmp_path / "kfp").mkdir()
    (tmp_path / "kfp/__init__.py").write_text("from unittest.mock import MagicMock\ncompiler = dsl = MagicMock()\n")
    (tmp_path / "kfp/client.py").write_text(
        "import pathlib\n"
        "from unittest.mock import MagicMock\n"
        "class Client(MagicMock):\n"
        "    def upload_pipeline(self, path, pipeline_name):\n"
        "        print(pathlib.Path(path).read_text().strip(), pipeline_name)\n"
        "        return MagicMock()\n"
        "    def create_recurring_run(self, **given):\n"
        "        print(given['cron_expression'])\n"
    )
    script = blocks((folder / "README.md").read_text())[1]

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout.splitlines() == ["# compiled sales", "0 0 3 * * 1"], done.stderr


def test_what_is_told_of_the_local_runner_runs_in_the_root_of_the_project(tmp_path: Path) -> None:
    """With a runner that says for when the pipeline that it was given is scheduled."""
    folder = written(SALES, "kfp", tmp_path, ODD)
    (tmp_path / ".venv-kfp/bin").mkdir(parents=True)
    (tmp_path / ".venv-kfp/bin/python").symlink_to(sys.executable)
    (tmp_path / "kfp").mkdir()
    (tmp_path / "kfp/__init__.py").write_text(
        "from unittest.mock import MagicMock\n"
        "compiler = local = dsl = MagicMock()\n"
        "dsl.pipeline = lambda **_: lambda _: lambda: print('ran for', repr(__import__('pipeline').SCHEDULED))\n"
    )
    script = blocks((folder / "README.md").read_text())[-1]

    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout.splitlines() == ["ran for ''"], done.stderr


def test_the_files_have_no_places_left_to_fill() -> None:
    files = list(EXPORTER.files(SALES, FOLDER))

    assert [file.path for file in files] == [f"{FOLDER}/pipeline.py", f"{FOLDER}/README.md"]
    assert not any("<<" in file.text for file in files)
