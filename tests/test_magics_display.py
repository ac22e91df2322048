"""`%nbprod` in a real IPython shell: what it shows, what it completes, and its help."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

CELLS = (
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression",
    'df = pd.read_csv("rows.csv")',
    'df["age"] = df["age"].fillna(df["age"].median())\ndf["double"] = df["fare"] * 2',
    'model = LogisticRegression().fit(df[["age", "double"]], df["y"])',
    'api_key = "hunter2hunter2hunter2"',
)


def written(folder: Path, *cells: str) -> None:
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(cells)]
    )
    (folder / "model.ipynb").write_text(nbformat.writes(book))


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (tmp_path / "rows.csv").write_text("age,fare,y\n1,2,0\n,3,1\n5,4,0\n7,1,1\n")
    written(tmp_path, *CELLS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "model.ipynb"))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.extension_manager.load_extension("nbprod")
    yield shell
    shell.extension_manager.unload_extension("nbprod")
    InteractiveShell.clear_instance()


def ran(shell: Any, source: str) -> CapturedIO:
    with capture_output() as captured:
        shell.run_cell(source, store_history=True)
    return captured


def shown(captured: CapturedIO) -> dict[str, str]:
    (output,) = captured.outputs
    return dict(output.data)


def test_a_verb_is_shown_once_as_html_markdown_and_text(shell: Any) -> None:
    data = shown(ran(shell, "%nbprod check"))
    assert "not-exported" in data["text/plain"]
    assert set(data) == {"text/plain", "text/markdown", "text/html"}
    assert data["text/html"].startswith("<div")


def test_a_verb_is_shown_also_where_it_is_not_the_cells_last_line(shell: Any) -> None:
    assert "not-exported" in shown(ran(shell, "%nbprod check\nx = 1"))["text/plain"]


def test_a_result_that_is_kept_is_shown_again_when_it_is_asked_for(shell: Any) -> None:
    shown(ran(shell, "found = %nbprod check"))
    assert shell.user_ns["found"].report["verdict"] == "not-exported"
    assert "not-exported" in shown(ran(shell, "found"))["text/plain"]


@pytest.mark.parametrize(
    "line, wanted",
    [
        pytest.param("inspect", ["cells", "steps"], id="inspect"),
        pytest.param("plan", ["LogisticRegression", "age, double", "fillna"], id="plan"),
        pytest.param("explain model", ['df = pd.read_csv("rows.csv")', "cell 3"], id="explain a variable"),
        pytest.param("explain double", ['df["double"] = df["fare"] * 2'], id="explain a feature"),
        pytest.param("tag", ["roles", "[features"], id="tag"),
        pytest.param("export --auto", ["written", "pipelines/model/v0001"], id="export"),
        pytest.param("export --check --auto", ["stale"], id="export --check"),
    ],
)
def test_what_a_verb_shows(shell: Any, line: str, wanted: list[str]) -> None:
    data = shown(ran(shell, f"%nbprod {line}"))
    text = data["text/plain"]
    missing = [word for word in wanted if word not in text]
    assert missing == []


def test_the_ledger_the_difference_and_the_divergence_after_an_edit(shell: Any, tmp_path: Path) -> None:
    ran(shell, "%nbprod export --auto")
    assert "1 version" in shown(ran(shell, "%nbprod versions"))["text/plain"]
    written(tmp_path, *(cell.replace("* 2", "* 3") for cell in CELLS))
    checked = shown(ran(shell, "%nbprod check"))["text/plain"]
    assert "diverges" in checked
    assert "double: changed (cell 2, line 2)" in checked
    assert shell.user_ns["_exit_code"] == 1
    assert "double" in shown(ran(shell, "%nbprod diff model@1 model.ipynb"))["text/plain"]


ASSUMED = (*CELLS[:2], 'import telling\ndf["told"] = telling.of(df["age"])', CELLS[3].replace("double", "told"))


def test_what_an_export_refuses_is_not_called_servable(shell: Any, tmp_path: Path) -> None:
    written(tmp_path, *ASSUMED)
    assert "assumed" in shown(ran(shell, "%nbprod plan"))["text/plain"].splitlines()[0]
    assert "refused" in shown(ran(shell, "%nbprod export --auto"))["text/plain"].splitlines()[0]


def test_the_checklist_tells_each_item_with_its_evidence(shell: Any) -> None:
    ran(shell, "%nbprod export --auto")
    found = ran(shell, "found = %nbprod readiness")
    report, text = shell.user_ns["found"].report, shown(found)["text/plain"]
    assert len(report["items"]) > 20
    assert [each["title"] for each in report["items"] if each["title"] not in text] == []
    assert f"{sum(each['state'] == 'proved' for each in report['items'])} of {len(report['items'])} proved" in text
    assert shell.user_ns["_exit_code"] == int(bool(report["blockers"]))


def test_the_checklist_of_no_notebook_is_an_error(shell: Any) -> None:
    captured = ran(shell, "%nbprod readiness nowhere.ipynb")
    assert "error[not-found]" in captured.stderr
    assert shell.user_ns["_exit_code"] == 2


def test_the_packages_lie_in_the_project_whatever_folder_the_kernel_is_in(
    shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("model.ipynb", "rows.csv"):
        (tmp_path / name).rename(folder / name)
    (tmp_path / "nbprod.toml").write_text('output = "packages"\n')
    monkeypatch.chdir(folder)
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "model.ipynb"))
    assert "written" in shown(ran(shell, "%nbprod export --auto"))["text/plain"]
    assert (tmp_path / "packages" / "model" / "v0001").is_dir()
    assert not (folder / "packages").exists()
    told = {
        line: shown(ran(shell, f"%nbprod {line}"))["text/plain"] for line in ("check", "versions", "versions model")
    }
    assert "same" in told["check"].splitlines()[0]
    assert "1 version" in told["versions"]
    assert "1 version" in told["versions model"]
    assert "same" in shown(ran(shell, "%nbprod diff model@1 model.ipynb"))["text/plain"]
    _, found = shell.Completer.complete(line_buffer="%nbprod explain d", cursor_pos=17)
    assert "double" in found


@pytest.mark.parametrize("line", ["check", "explain api_key", "explain api_key --format text"])
def test_no_secret_is_shown(shell: Any, line: str) -> None:
    captured = ran(shell, f"%nbprod {line}")
    told = captured.stdout + captured.stderr + json.dumps([output.data for output in captured.outputs])
    assert told.strip("[]\n")
    assert "hunter2" not in told


@pytest.mark.parametrize(
    "line, message",
    [
        pytest.param("check nowhere.ipynb", "error[not-found]: there is no such file", id="no notebook"),
        pytest.param("explain modle", 'did you mean "model"?', id="no variable"),
        pytest.param("check --agianst 3", "No such option", id="no option"),
        pytest.param("versions", "error[no-package]", id="no package"),
    ],
)
def test_errors_read_as_in_the_command_line(shell: Any, line: str, message: str) -> None:
    captured = ran(shell, f"%nbprod {line}")
    assert message.lower() in captured.stderr.lower()
    assert "Traceback" not in captured.stdout + captured.stderr
    assert captured.outputs == []
    assert shell.user_ns["_exit_code"] == 2


@pytest.mark.parametrize(
    "line, wanted, unwanted",
    [
        pytest.param("%nbprod ex", {"explain", "export"}, {"check"}, id="verbs"),
        pytest.param("%nbprod check ", {"model.ipynb"}, {"rows.csv"}, id="notebooks"),
        pytest.param("%nbprod check --fail", {"--fail-on"}, set(), id="options"),
        pytest.param("%nbprod check --l", {"--live"}, set(), id="the magic's own options"),
        pytest.param("%nbprod check --live --raw ", {"some_variable"}, {"model.ipynb"}, id="variables"),
        pytest.param("%nbprod check --fail-on ", {"warning", "never"}, {"model.ipynb"}, id="an option's choices"),
        pytest.param("%nbprod versions ", {"model"}, set(), id="packages"),
        pytest.param("%nbprod explain ", {"double", "some_variable"}, {"model.ipynb"}, id="features and variables"),
    ],
)
def test_completion(shell: Any, line: str, wanted: set[str], unwanted: set[str]) -> None:
    ran(shell, "some_variable = 1\n%nbprod export --auto")
    _, found = shell.Completer.complete(line_buffer=line, cursor_pos=len(line))
    assert wanted <= set(found)
    assert unwanted.isdisjoint(found)


@pytest.mark.parametrize(
    "known", [pytest.param(True, id="of this notebook"), pytest.param(False, id="of the current directory")]
)
def test_packages_are_completed_from_the_folder_that_the_configuration_names(
    known: bool, shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nbprod.toml").write_text('output = "packages"\n', "utf-8")
    ran(shell, "%nbprod export --auto")
    if known:
        (tmp_path / "deeper").mkdir()
        monkeypatch.chdir(tmp_path / "deeper")
    else:
        monkeypatch.delenv("JPY_SESSION_NAME")
    _, found = shell.Completer.complete(line_buffer="%nbprod versions ", cursor_pos=17)
    assert "model" in found


@pytest.mark.parametrize(
    "line, wanted",
    [
        pytest.param("%nbprod check?", ["Usage: %nbprod check", "nbprod check sales.ipynb", "--live"], id="a verb"),
        pytest.param("%nbprod explain?", ["Usage: %nbprod inspect", "--slice"], id="a verb that stands for another"),
        pytest.param("%nbprod readiness?", ["%nbprod readiness [NOTEBOOK]"], id="readiness"),
    ],
)
def test_a_question_mark_behind_a_verb_shows_its_help(shell: Any, line: str, wanted: list[str]) -> None:
    printed = ran(shell, line).stdout
    assert [word for word in wanted if word not in printed] == []


@pytest.mark.parametrize(
    "line, wanted",
    [
        pytest.param("%nbprod?", ["%nbprod check --live", "Example"], id="the magic"),
        pytest.param("%%features?", ["fillna", "Example"], id="a role"),
    ],
)
def test_a_question_mark_behind_a_magic_shows_an_example(shell: Any, line: str, wanted: list[str]) -> None:
    captured = ran(shell, line)
    told = captured.stdout + json.dumps([output.data for output in captured.outputs])
    assert [word for word in wanted if word not in told] == []
