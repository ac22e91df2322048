"""The example projects are valid, clean, self-contained, and run."""

import ast
import csv
import json
import math
import re
import shutil
import tomllib
from pathlib import Path

import nbformat
import papermill
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PROJECTS = [pytest.param(path.parent, id=path.parent.name) for path in sorted(EXAMPLES.glob("*/demo.toml"))]
ABSOLUTE = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|work|usr|mnt|Users|kaggle|content)/|[A-Z]:\\")


def demo(project: Path) -> dict:
    return tomllib.loads((project / "demo.toml").read_text())


def notebook(project: Path) -> nbformat.NotebookNode:
    return nbformat.read(project / demo(project)["notebook"], as_version=nbformat.NO_CONVERT)


def code_cells(project: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook(project).cells if cell.cell_type == "code"]


def header(project: Path, name: str) -> list[str]:
    with (project / "data" / name).open(newline="") as file:
        return next(csv.reader(file))


def printed_metrics(executed: nbformat.NotebookNode) -> dict[str, float]:
    text = "".join(
        output.text
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stdout"
    )
    lines = re.findall(r"^(accuracy|roc_auc|rmse|r2) +(\S+)$", text, flags=re.MULTILINE)
    return {name: float(value.replace(",", "")) for name, value in lines}


@pytest.mark.parametrize("project", PROJECTS)
def test_the_notebook_is_valid_format_4_5_with_its_own_cell_ids(project: Path) -> None:
    nb = notebook(project)
    nbformat.validate(nb)
    assert (nb.nbformat, nb.nbformat_minor) == (4, 5)
    assert len({cell.id for cell in nb.cells}) == len(nb.cells)


@pytest.mark.parametrize("project", PROJECTS)
def test_no_cell_carries_a_tag_or_other_metadata(project: Path) -> None:
    assert [cell.id for cell in notebook(project).cells if cell.metadata] == []


@pytest.mark.parametrize("project", PROJECTS)
def test_outputs_are_saved_in_the_order_of_the_cells_and_hold_no_error(project: Path) -> None:
    cells = code_cells(project)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert kinds == {"stream", "display_data", "execute_result"}
    assert {output.name for cell in cells for output in cell.outputs if output.output_type == "stream"} == {"stdout"}


@pytest.mark.parametrize("project", PROJECTS)
def test_no_file_names_a_path_of_one_machine(project: Path) -> None:
    texts = [path for path in project.iterdir() if path.suffix in {".ipynb", ".md", ".toml"}]
    assert [path.name for path in texts if ABSOLUTE.search(path.read_text())] == []


@pytest.mark.parametrize("project", PROJECTS)
def test_the_project_is_small(project: Path) -> None:
    assert (project / demo(project)["notebook"]).stat().st_size < 150_000
    assert sum(path.stat().st_size for path in project.rglob("*") if path.is_file()) < 2_000_000


@pytest.mark.parametrize("project", PROJECTS)
def test_the_demo_edit_changes_one_place_of_one_cell_and_still_parses(project: Path) -> None:
    edit = demo(project)["edit"]
    [cell] = [cell for cell in code_cells(project) if edit["cell_contains"] in cell.source]
    assert cell.source.count(edit["old"]) == 1
    edited = cell.source.replace(edit["old"], edit["new"])
    assert ast.dump(ast.parse(edited)) != ast.dump(ast.parse(cell.source))


@pytest.mark.parametrize("project", PROJECTS)
def test_the_demo_record_has_every_raw_column_but_the_target(project: Path) -> None:
    facts = demo(project)
    [read] = re.findall(r"read_csv\('data/([^']+)'", json.dumps([cell.source for cell in code_cells(project)]))
    columns = header(project, read)
    assert facts["target"] in columns
    assert set(facts["record"]) == set(columns) - {facts["target"]}


@pytest.mark.parametrize("project", PROJECTS)
def test_a_copy_of_the_folder_runs_through_papermill_and_gives_the_saved_metrics(project: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(project, tmp_path / project.name)
    executed = papermill.execute_notebook(
        str(copy / demo(project)["notebook"]),
        str(tmp_path / "executed.ipynb"),
        cwd=str(copy),
        kernel_name="python3",
        progress_bar=False,
    )
    saved, metrics = printed_metrics(notebook(project)), printed_metrics(executed)
    assert len(metrics) == 2
    assert all(math.isfinite(value) for value in metrics.values())
    assert metrics == pytest.approx(saved, rel=0.02)


def test_the_last_metrics_are_those_of_useful_models() -> None:
    classification = printed_metrics(notebook(EXAMPLES / "titanic"))
    regression = printed_metrics(notebook(EXAMPLES / "housing"))
    assert classification["roc_auc"] > 0.8
    assert regression["r2"] > 0.75
