"""A recorded run is run again and compared with its record: equal, or with the first cause found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from nbprod import api, versions
from nbprod.api.proving import RUNS
from nbprod.api.reproducing import AGAIN, _here, _status, remove_copies
from nbprod.api.rerunning import not_recorded
from nbprod.errors import NbprodError
from nbprod.model.run import VerifyResult
from nbprod.tracking import default_uri
from nbprod.tracking.store import client
from nbprod.versions.lock import locked

SEEDED = (
    "import pandas as pd\nfrom sklearn.ensemble import RandomForestClassifier\n"
    "from sklearn.model_selection import train_test_split",
    "trees = 5",
    'df = pd.read_csv("rows.csv")\ndf["age"] = df["age"].fillna(df["age"].mean())',
    'X_train, X_test, y_train, y_test = train_test_split(df[["age", "fare"]], df["y"], random_state=0)',
    "model = RandomForestClassifier(n_estimators=trees, random_state=0)\nmodel.fit(X_train, y_train)",
    "from sklearn.metrics import accuracy_score\naccuracy = accuracy_score(y_test, model.predict(X_test))",
)
TAGS = (None, "parameters", "data", "features", "train", "evaluate")
pytestmark = pytest.mark.slow


def written(folder: Path, *cells: str) -> None:
    made = [
        nbformat.v4.new_code_cell(source, id=f"cell-{number}", metadata={"tags": [tag] if tag else []})
        for number, (source, tag) in enumerate(zip(cells, TAGS, strict=True))
    ]
    (folder / "model.ipynb").write_text(nbformat.writes(nbformat.v4.new_notebook(cells=made)))


def with_run(folder: Path, *cells: str, **parameters: Any) -> str:
    """A project with one run; gives the run's id."""
    folder.mkdir()
    rows = "".join(f"{'' if n % 9 == 0 else n * 7 % 60},{n * 13 % 37},{(n * 5 + n // 3) % 2}\n" for n in range(120))
    (folder / "rows.csv").write_text("age,fare,y\n" + rows)
    written(folder, *cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        report = api.run_notebook("model.ipynb", parameters=parameters, model="model")
    assert report["verify"]["status"] == "proven"
    return str(report["run_id"])


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project with a run that draws with seeds alone, with another number of trees than the notebook says."""
    folder = tmp_path_factory.mktemp("seeded") / "project"
    return folder, with_run(folder, *SEEDED, trees=3)


@pytest.fixture
def project(seeded: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same project, as the test may change it."""
    folder = seeded[0]
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    monkeypatch.chdir(folder)
    yield folder
    for name in ("rows.csv", "model.ipynb"):
        shutil.copyfile(kept / name, folder / name)


def kinds(changes: list[dict[str, Any]]) -> list[str]:
    return [each["kind"] for each in changes]


def test_a_run_with_seeds_gives_the_same_to_the_last_bit_with_its_own_parameters(project: Path) -> None:
    before = (project / "pipelines/model/versions.json").read_bytes()
    report = api.reproduce("model", twice=True)
    assert (report["status"], report["cause"], report["changes"], report["unseeded"]) == ("identical", None, [], [])
    assert report["repeats"]["state"] == {"equal": True, "changed": []}
    assert report["state"] == {"equal": True, "changed": []}
    assert [each["name"] for each in report["metrics"]] == ["accuracy"]
    assert report["metrics"][0]["before"] == report["metrics"][0]["after"]
    assert report["verify"]["predictions"] == report["verify"]["predictions_equal"] > 0
    assert "trees = 3" in Path(report["executed"]).read_text()
    assert (project / "pipelines/model/versions.json").read_bytes() == before
    assert api.versions_of("model")["versions"][-1]["number"] == 1


def test_a_run_is_meant_by_its_id_and_the_code_that_ran_then_is_run(project: Path, seeded: tuple[Path, str]) -> None:
    edited = [cell.replace("mean()", "median()") for cell in SEEDED]
    written(project, *edited)
    files = {path.name for path in project.iterdir()}
    report = api.reproduce(seeded[1][:10])
    assert report["status"] == "identical"
    assert kinds(report["changes"]) == ["code"]
    assert report["changes"][0]["cell"] == 2
    assert {path.name for path in project.iterdir()} == files
    assert "median" in (project / "model.ipynb").read_text()


def test_a_changed_file_is_named_as_the_cause_with_what_it_changed(project: Path) -> None:
    rows = (project / "rows.csv").read_text()
    (project / "rows.csv").write_text(rows + "59,1,1\n" * 9)
    report = api.reproduce("model@1")
    assert report["status"] == "different"
    assert report["cause"]["kind"] == "data"
    assert report["cause"]["path"] == str(project / "rows.csv")
    (changed,) = report["state"]["changed"]
    assert "age" in changed["name"]
    assert changed["before"] != changed["after"]


def test_a_file_that_is_gone_is_named_before_anything_runs(project: Path) -> None:
    (project / "rows.csv").unlink()
    with pytest.raises(NbprodError, match="is not here any more") as caught:
        api.reproduce("model")
    assert caught.value.where is not None
    assert caught.value.where.path == str(project / "rows.csv")


def test_a_seed_that_is_missing_is_named_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    cells = [cell.replace(", random_state=0)", ")") for cell in SEEDED]
    run = with_run(folder, *cells)
    monkeypatch.chdir(folder)
    report = api.reproduce(run, twice=True)
    assert report["status"] == "different"
    assert report["repeats"]["state"]["equal"] is False
    assert (report["cause"]["kind"], report["cause"]["cell"], report["cause"]["line"]) == ("seed", 3, 1)
    assert {each["cell"] for each in report["unseeded"]} == {3, 4}


def test_the_cause_is_a_seed_on_the_way_to_the_served_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    train = (
        "other = RandomForestClassifier(n_estimators=2)\nother.fit(X_train, y_train)\n"
        "print(other.score(X_test, y_test))\n"
        "model = RandomForestClassifier(n_estimators=trees)\nmodel.fit(X_train, y_train)"
    )
    with_run(folder, *SEEDED[:4], train, SEEDED[5])
    monkeypatch.chdir(folder)
    report = api.reproduce("model.ipynb")
    assert (report["status"], report["cause"]["cell"], report["cause"]["line"]) == ("different", 4, 4)
    assert [each["line"] for each in report["unseeded"]] == [4, 1]


@pytest.mark.parametrize(
    "text, code, word",
    [
        pytest.param("ffff", "no-run", "ffff", id="an id that no run has"),
        pytest.param("modle", "no-package", 'did you mean "model"?', id="a name that is almost a package's"),
        pytest.param("../model", "bad-name", "../model", id="a path"),
    ],
)
def test_what_was_never_run_can_not_be_reproduced(project: Path, text: str, code: str, word: str) -> None:
    with pytest.raises(NbprodError) as caught:
        api.reproduce(text)
    assert caught.value.code == code
    assert word in str(caught.value)


def test_two_at_once_do_not_mix(project: Path) -> None:
    with locked(project / RUNS / AGAIN / "model"), pytest.raises(NbprodError) as caught:
        api.reproduce("model")
    assert caught.value.code == "locked"


@pytest.fixture
def tags(project: Path, seeded: tuple[Path, str]) -> Iterator[Callable[[str, str], None]]:
    """Set a tag of the run in the store; as it was again after the test."""
    store = client(default_uri(project))
    kept = dict(store.get_run(seeded[1]).data.tags)
    yield lambda name, value: store.set_tag(seeded[1], name, value)
    for name in store.get_run(seeded[1]).data.tags:
        if name in kept:
            store.set_tag(seeded[1], name, kept[name])
        else:
            store.delete_tag(seeded[1], name)


def test_it_runs_in_the_kernel_of_the_record(project: Path, tags: Callable[[str, str], None]) -> None:
    tags("nbprod.kernel", "of-the-record")
    with pytest.raises(NbprodError, match="of-the-record") as caught:
        api.reproduce("model")
    assert caught.value.code == "missing-kernel"


def test_a_store_names_libraries_also_where_they_changed_nothing_and_no_notebook_outside_of_the_project(
    project: Path, tags: Callable[[str, str], None], tmp_path: Path
) -> None:
    other = tmp_path / "other.ipynb"
    shutil.copyfile(project / "model.ipynb", other)
    tags("nbprod.notebook", str(other))
    tags("nbprod.versions.pandas", "1.0")
    report = api.reproduce("model")
    assert (report["status"], report["cause"], report["notebook"]) == ("identical", None, "model.ipynb")
    (change,) = report["changes"]
    assert change["kind"] == "library"
    assert change["text"].startswith("pandas was 1.0 then, and is ")


@pytest.mark.parametrize(
    "there, named, found",
    [
        pytest.param("data/rows.csv", "data/rows.csv", "data/rows.csv", id="where it was"),
        pytest.param("data/rows.csv", "elsewhere/clone/data/rows.csv", "data/rows.csv", id="in another clone"),
        pytest.param("rows.csv", "elsewhere/data/raw.csv", "elsewhere/data/raw.csv", id="nowhere"),
    ],
)
def test_a_file_of_the_record_is_found(tmp_path: Path, there: str, named: str, found: str) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("a")
    assert _here(tmp_path / named, (tmp_path,)) == tmp_path / found


def outcome(**said: Any) -> VerifyResult:
    return VerifyResult(
        **{
            "status": "proven", "rows": 9, "rows_equal": 9, "max_abs_error": 0.0, "predictions": 3,
            "predictions_equal": 3, **said,
        }
    )  # fmt: skip


SAME = {"equal": True, "changed": []}
BYTES = {"equal": False, "changed": []}
VALUES = {"equal": False, "changed": [{"name": "mean", "before": "1.0", "after": "2.0"}]}


@pytest.mark.parametrize(
    "proof, state, metric, status",
    [
        pytest.param(outcome(), SAME, (0.5, 0.5), "identical", id="all the same"),
        pytest.param(outcome(max_abs_error=1e-12), SAME, (0.5, 0.5), "within-tolerance", id="last digits of a row"),
        pytest.param(outcome(), SAME, (0.5, 0.5 + 1e-12), "within-tolerance", id="last digits of a metric"),
        pytest.param(outcome(), BYTES, (0.5, 0.5), "within-tolerance", id="a model of other bytes that predicts alike"),
        pytest.param(
            outcome(predictions=0, predictions_equal=0), BYTES, (0.5, 0.5), "different", id="another model, unseen"
        ),
        pytest.param(outcome(), VALUES, (0.5, 0.5), "different", id="another learned value"),
        pytest.param(outcome(rows_equal=8), SAME, (0.5, 0.5), "different", id="another row"),
        pytest.param(outcome(predictions_equal=2), SAME, (0.5, 0.5), "different", id="another prediction"),
        pytest.param(outcome(), SAME, (0.5, 0.501), "different", id="another metric"),
        pytest.param(outcome(), SAME, (0.5, None), "different", id="a metric that is gone"),
    ],
)
def test_the_outcome_is(proof: VerifyResult, state: Any, metric: tuple[float, float | None], status: str) -> None:
    assert _status(proof, state, [{"name": "auc", "before": metric[0], "after": metric[1]}]) == status


def test_a_run_that_failed_gave_nothing_to_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "rows.csv").write_text("age,fare,y\n" + "1,2,0\n3,4,1\n" * 20)
    written(folder, *SEEDED[:-1], "accuracy = model.nothing")
    monkeypatch.chdir(folder)
    with pytest.raises(NbprodError):
        api.run_notebook("model.ipynb")
    (run,) = {path.name for path in (folder / ".nbprod/runs").iterdir() if path.is_dir()}
    with pytest.raises(NbprodError, match="gave no version") as caught:
        api.reproduce(run)
    assert caught.value.code == "no-version"


def test_a_version_that_was_only_exported_has_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "rows.csv").write_text("age,fare,y\n1,2,0\n")
    written(folder, *SEEDED)
    monkeypatch.chdir(folder)
    api.export_notebook("model.ipynb")
    assert json.loads((folder / "pipelines/model/versions.json").read_text())["versions"]
    with pytest.raises(NbprodError) as caught:
        api.reproduce("model@1")
    assert caught.value.code == "no-run"
    assert versions.latest_fitted(folder / "pipelines", "model") is None


@pytest.mark.parametrize(
    "text, why",
    [
        pytest.param("7", None, id="a-value"),
        pytest.param("env:SALES_PASSWORD", None, id="a-reference"),
        pytest.param("***", "as a secret", id="a-mask"),
        pytest.param("x" * 5999 + "…", "being too long", id="a-text-that-was-cut"),
        pytest.param("x…", None, id="a-text-that-ends-so"),
    ],
)
def test_what_a_record_does_not_have_is_not_taken_for_a_value(text: str, why: str | None) -> None:
    assert not_recorded(text) == why


def test_copies_that_killed_reproductions_left_are_removed_and_nothing_else(tmp_path: Path) -> None:
    notebook = tmp_path / "a[1].ipynb"
    kept = {"a[1].ipynb", ".a[1]-notes.ipynb", ".a[1]-0123456.ipynb", ".a1-01234567.ipynb", ".b-01234567.ipynb"}
    for name in (*kept, ".a[1]-01234567.ipynb", ".a[1]-89abcdef.ipynb"):
        (tmp_path / name).write_text("{}")
    remove_copies(notebook)
    assert {path.name for path in tmp_path.iterdir()} == kept
