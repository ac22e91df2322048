"""The texts that are deployed to Kubeflow; tests/deploy/test_orchestrators.py compiles and runs them."""

from __future__ import annotations

import ast
import sys

import pytest

from nbprod.deploy.kfp import EXPORTER, six_fields
from nbprod.model.deployment import Deployment
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
    assert list(found) == ["filled", *(step.name for step in steps)]
    for step in steps:
        component, given = found[step.name]
        assert component == step.makes
        assert ast.literal_eval(given["arguments"]) == list(step.arguments)
        assert given["seconds"] == str(step.timeout)
        assert ("parameters" in given) == step.takes_parameters
        assert given.get("version") == (f"step_{step.version_of}.outputs['version']" if step.version_of else None)


def test_a_decision_is_not_tried_again_and_a_stage_is() -> None:
    placed = {
        ast.literal_eval(node.args[1]): [ast.unparse(each) for each in node.args[2:]]
        for node in ast.walk(pipeline_of(SALES))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "placed"
    }
    assert placed["data"] == ["2", "60", "filled"]
    assert placed["promote"] == ["0", "60", "step_prove"]


def test_the_image_is_the_one_that_trains_and_the_schedule_has_six_fields() -> None:
    given = {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in pipeline_of(SALES).body
        if isinstance(node, ast.Assign)
    }
    assert given["IMAGE"] == "registry.example/sales:v3-train"
    assert given["CRON"] == six_fields("0 3 * * 1") == "0 0 3 * * 1"
    assert (given["VOLUME"], given["FOLDER"]) == ("sales-project", "v0003-a1b2a1b2a1b2")


def test_a_pipeline_imports_the_standard_library_and_kfp() -> None:
    assert imports_of(pipeline_of(SALES)) - sys.stdlib_module_names == {"kfp"}


def test_the_files_have_no_places_left_to_fill() -> None:
    files = list(EXPORTER.files(SALES, FOLDER))

    assert [file.path for file in files] == [f"{FOLDER}/pipeline.py", f"{FOLDER}/README.md"]
    assert not any("<<" in file.text for file in files)
