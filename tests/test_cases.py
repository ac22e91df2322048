"""Golden cases: a notebook, and the features module that it becomes.

Each file under `cases/` holds a percent-format notebook that reads `data.csv`, then `# output`, then the module. The
first line names the table of `cases/data/` that stands for `data.csv`, and further tables that are read by their own
names. Three invariants hold for every case: the module executed on the case's data gives the notebook's own matrix, one
row at a time gives the same rows, and extracting again gives the same bytes.
`pytest tests/test_cases.py --update-cases` writes the modules anew, to be read before a commit.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.api.outlining import analysis_of
from nbprod.codegen import root_files, version_files
from nbprod.model.notebook import Notebook
from nbprod.model.plan import FeaturePlan
from nbprod.notebook import read_text
from nbprod.plan import Choice, make_plan

SKLEARN = tuple(map(int, metadata.version("scikit-learn").split(".")[:2]))
CASES = Path(__file__).parent / "cases"
MARK = "\n# output\n"


@dataclass(frozen=True)
class Case:
    """A case file taken apart."""

    path: Path
    source: str
    expected: str

    @property
    def table(self) -> Path:
        return self.tables[0]

    @property
    def tables(self) -> list[Path]:
        names = self.source.partition("\n")[0].removeprefix("# data: ").split()
        return [CASES / "data" / name for name in names]


def read_case(path: Path) -> Case:
    source, _, expected = path.read_text(encoding="utf-8").partition(MARK)
    return Case(path, source + "\n", expected)


def planned(case: Case, folder: Path) -> tuple[Notebook, FeaturePlan]:
    (folder / "data.csv").write_bytes(case.table.read_bytes())
    for further in case.tables[1:]:
        (folder / further.name).write_bytes(further.read_bytes())
    notebook = read_text(case.source, str(folder / f"{case.path.stem}.py"))
    return notebook, make_plan(notebook, analysis_of(notebook), Choice(suggested=True))


FILES = sorted(CASES.glob("*.py"))
# Before this scikit-learn, `fit_transform` and `transform` compute the case's matrix in two ways that round otherwise:
# PCA multiplied U by S in the one and X by V in the other.
ROUNDED = {"components_of_a_matrix": (1, 5)}
REFUSED = sorted((CASES / "refused").glob("*.py"))


@pytest.fixture(params=FILES, ids=[path.stem for path in FILES])
def case(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    return read_case(request.param)


def test_the_module_is_the_expected_one(case: Case, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    notebook, plan = planned(case, tmp_path)
    files = version_files(plan, notebook, case.path.stem)
    text = files["features.py"].decode()
    if request.config.getoption("--update-cases"):
        case.path.write_text(case.source.rstrip("\n") + "\n" + MARK + text, encoding="utf-8")
        return

    assert plan.refusals == ()
    assert text == case.expected
    assert "nbprod" not in {alias.partition(".")[0] for alias in imported(text)}
    assert version_files(plan, notebook, case.path.stem) == files


def imported(text: str) -> set[str]:
    tree = ast.parse(text)
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_the_module_gives_the_notebooks_own_matrix_and_rows(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook, plan = planned(case, tmp_path)
    features = exported(plan, notebook, f"case_{case.path.stem}", tmp_path / "packages", monkeypatch)
    fitted, names = run_notebook(notebook, plan)
    raw = pd.read_csv("data.csv") if plan.raw.reader == "pandas.read_csv" else eval(plan.raw.call, names)

    matrix, labels = features.fit_rows(raw)
    assert_same(matrix, fitted[0])
    assert np.array_equal(np.asarray(labels), np.asarray(fitted[1]))

    whole = features.model_input(raw)
    assert_same(features.model_input(raw.drop(columns=list(features.target_columns))), whole)
    order = np.random.default_rng(0).permutation(len(raw))
    assert_same(rows_of(whole, order), features.model_input(raw.iloc[order]))
    for position in range(0, len(raw), 7):
        assert_same(rows_of(whole, [position]), features.model_input(raw.iloc[[position]]))
    if ROUNDED.get(case.path.stem, (0, 0)) > SKLEARN:
        assert_rows_within(matrix, whole)
    else:
        assert rows_in_bytes(matrix) <= rows_in_bytes(whole)


def exported(plan: FeaturePlan, notebook: Notebook, name: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The features of the exported package, imported as a user imports them."""
    folder = root / name / "v0001"
    files = {f"v0001/{path}": content for path, content in version_files(plan, notebook, name).items()}
    for path, content in {**files, **root_files(name)}.items():
        target = root / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    (root / name / "versions.json").write_text(json.dumps([{"number": 1}]))
    assert folder.is_dir()
    monkeypatch.syspath_prepend(str(root))
    importlib.invalidate_caches()
    module = importlib.import_module(f"{name}.v0001.features")
    for loaded in [key for key in sys.modules if key.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, loaded)
    return module.Features()


def run_notebook(notebook: Notebook, plan: FeaturePlan) -> tuple[tuple[Any, Any], dict[str, Any]]:
    """Run the notebook's cells; what its model was fitted on, and the names at the end."""
    kept: list[tuple[Any, Any]] = []
    names: dict[str, Any] = {"__name__": "__main__", "_keep": lambda *args: kept.append(args)}
    for cell in notebook.cells:
        tree = ast.parse(cell.code)
        if cell.index == plan.model.fit.cell:
            tree = ast.fix_missing_locations(Keeping(plan).visit(tree))
        exec(compile(tree, f"cell {cell.index}", "exec"), names)
    matrix, *labels = kept[-1]
    return (matrix, labels[0] if labels else None), names


class Keeping(ast.NodeTransformer):
    """Has the training call hand its arguments on before it trains."""

    def __init__(self, plan: FeaturePlan) -> None:
        self.place = plan.model.fit

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        at = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
        place = self.place
        if at != (place.line, place.column, place.end_line, place.end_column):
            return node
        keep = ast.Call(ast.Name("_keep", ast.Load()), [copied(arg) for arg in node.args], [])
        return ast.Subscript(ast.Tuple([keep, node], ast.Load()), ast.Constant(1), ast.Load())


def copied(node: ast.expr) -> ast.expr:
    """`node.copy()`"""
    return ast.Call(ast.Attribute(node, "copy", ast.Load()), [], [])


def rows_of(matrix: Any, positions: Any) -> Any:
    return matrix.iloc[positions] if isinstance(matrix, pd.DataFrame | pd.Series) else matrix[positions]


def rows_in_bytes(matrix: Any) -> set[bytes]:
    """The rows of a matrix, to be looked for in another: training may have put them in another order."""
    if isinstance(matrix, pd.DataFrame):
        return {repr(list(row)).encode() for row in matrix.astype(object).itertuples(index=False)}
    dense = np.asarray(matrix.todense() if hasattr(matrix, "todense") else matrix)
    return {row.tobytes() for row in dense.astype(float)}


def assert_rows_within(matrix: Any, whole: Any) -> None:
    """Each row of a matrix stands in another, but for eight units in the last place of the largest value."""
    allowed = 8 * np.finfo(float).eps * np.abs(whole).max()
    assert all((np.abs(whole - row).max(axis=1) <= allowed).any() for row in np.asarray(matrix))


def assert_same(left: Any, right: Any) -> None:
    """The same columns and the same values to the bit, missing ones included."""
    assert left.shape == right.shape
    if isinstance(left, pd.DataFrame):
        assert list(left.columns) == list(right.columns)
        for position, name in enumerate(left.columns):
            one, other = left.iloc[:, position].reset_index(drop=True), right.iloc[:, position].reset_index(drop=True)
            pd.testing.assert_series_equal(
                one, other, check_dtype=False, check_exact=True, check_categorical=False, obj=str(name)
            )
        return
    one, other = (np.asarray(part.todense() if hasattr(part, "todense") else part) for part in (left, right))
    assert np.array_equal(one.astype(float), other.astype(float), equal_nan=True)


@pytest.mark.parametrize("path", REFUSED, ids=[path.stem for path in REFUSED])
def test_refused(path: Path, tmp_path: Path) -> None:
    source, _, expected = path.read_text(encoding="utf-8").partition("\n# refused\n")
    _, plan = planned(Case(path, source + "\n", ""), tmp_path)

    found = [f"# {refusal.cell}:{refusal.line} {refusal.construct}" for refusal in plan.refusals]
    assert found == expected.split("\n")[:-1]
    assert all(refusal.reason and refusal.hint for refusal in plan.refusals)
