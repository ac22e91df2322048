"""`nbprod.panel()`: what it shows, a run with its progress, and the places where there are no widgets."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

import nbprod
from nbprod import api
from nbprod.display import html, plain
from nbprod.display.document import Items
from nbprod.widgets import SECTIONS, STAGES, Panel, PanelError, PlainPanel, panel

ROOT = Path(__file__).parent.parent
CELLS = (
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression",
    'df = pd.read_csv("rows.csv")',
    'df["double"] = df["fare"] * 2',
    'model = LogisticRegression().fit(df[["age", "double"]], df["y"])',
)


def written(path: Path, *cells: str) -> None:
    made = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(cells)]
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=made)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a notebook, which is the current one, in a project that keeps its packages above it."""
    (tmp_path / "nbprod.toml").write_text('output = "packages"\n')
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / "rows.csv").write_text("age,fare,y\n" + "".join(f"{n},{n * 3 % 11},{n % 2}\n" for n in range(40)))
    written(folder / "model.ipynb", *CELLS)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return folder


def shown(made: Any) -> str:
    return "\n".join(map(plain, made.documents))


def test_the_sections_tell_divergence_features_and_readiness(folder: Path) -> None:
    made = panel("model.ipynb")
    assert isinstance(made, Panel)
    assert "not-exported" in shown(made)
    assert "double" in shown(made)
    assert [section.value for section in made.sections] == [html(each) for each in made.documents]


def test_what_is_shown_and_so_saved_with_the_notebook_names_no_folder_of_the_machine(folder: Path) -> None:
    made = panel(str(folder / "model.ipynb"))
    assert "model.ipynb" in shown(made)
    assert str(folder) not in shown(made)
    (folder / "model.ipynb").write_text("{")
    made.refresh()
    assert "model.ipynb" in shown(made)
    assert str(folder) not in shown(made)


def test_refresh_reads_the_notebook_again(folder: Path) -> None:
    made = panel("model.ipynb")
    assert isinstance(made, Panel)
    written(folder / "model.ipynb", *(cell.replace("double", "triple") for cell in CELLS))
    assert "triple" not in shown(made)
    made.refresh_button.click()
    assert "triple" in made.sections[1].value


def test_a_notebook_that_breaks_while_the_panel_is_open_is_a_message(folder: Path) -> None:
    made = panel("model.ipynb")
    (folder / "model.ipynb").write_text("{")
    made.refresh()  # type: ignore[attr-defined]
    assert "error[" in shown(made)
    assert "Traceback" not in shown(made)


def test_the_checklist_is_what_the_api_gives(folder: Path) -> None:
    made = panel("model.ipynb")
    items = api.readiness("model.ipynb").items
    checklist = made.documents[SECTIONS.index("Readiness")]
    told = [(item.label, item.place) for block in checklist.blocks if isinstance(block, Items) for item in block.items]
    assert sorted(each for each in told if each[1]) == sorted((each.state.value, each.id) for each in items)
    assert {"missing", "contradicted"} & {label for label, _ in told}
    assert checklist.tone != "good"


def test_a_checklist_that_cannot_be_made_is_a_message(folder: Path) -> None:
    made = panel("model.ipynb")
    (folder / "model.ipynb").write_text("{")
    made.refresh()
    checklist = made.documents[SECTIONS.index("Readiness")]
    assert (checklist.word, checklist.tone) == ("unknown", "warning")
    assert checklist.meaning


def test_without_ipywidgets_it_is_text(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    made = panel("model.ipynb")
    assert isinstance(made, PlainPanel)
    assert "not-exported" in repr(made)
    assert "nbprod run model.ipynb" in repr(made)


def test_a_front_end_without_widgets_gets_the_text(folder: Path) -> None:
    bundle = panel("model.ipynb")._repr_mimebundle_()  # type: ignore[attr-defined]
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "not-exported" in bundle["text/plain"]


@pytest.mark.parametrize(
    "notebook, told",
    [
        pytest.param(None, 'nbprod.panel(notebook="sales.ipynb")', id="nobody tells which"),
        pytest.param("gone.ipynb", "--> gone.ipynb", id="a file that is not there"),
    ],
)
def test_a_notebook_that_is_not_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch, notebook: str | None, told: str
) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    with pytest.raises(PanelError) as raised:
        nbprod.panel(notebook)
    lines = "\n".join(raised.value._render_traceback_())
    assert "error[not-found]" in lines
    assert told in lines


def test_the_session_tells_the_notebook(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "model.ipynb"))
    assert "not-exported" in shown(panel())


@pytest.mark.slow
def test_a_run_shows_its_stages_and_then_its_proof(folder: Path) -> None:
    made = panel("model.ipynb")
    assert isinstance(made, Panel)
    seen: list[str] = []
    made.stages.observe(lambda _: seen.append(made.state), "value")
    made.run_button.click()
    assert (made.run_button.disabled, made.cancel_button.disabled) == (True, False)
    assert made.wait(300)
    assert "run: proven" in made.state
    told = [f"{stage}: {number} of {len(STAGES)}" for number, stage in enumerate(STAGES, 1)]
    assert [each for each in told if not any(state.startswith(each) for state in seen)] == []
    assert (made.run_button.disabled, made.cancel_button.disabled) == (False, True)
    assert "same" in shown(made)
    assert (folder.parent / "packages" / "model" / "v0001").is_dir()


@pytest.mark.slow
def test_a_run_can_be_cancelled_and_its_kernel_ends(folder: Path) -> None:
    slow = "import os, time\nopen('kernel.pid', 'w').write(str(os.getpid()))\ntime.sleep(600)"
    written(folder / "model.ipynb", slow, *CELLS)
    made = panel("model.ipynb")
    assert isinstance(made, Panel)
    made.run()
    until = time.monotonic() + 120
    noted = folder / "kernel.pid"
    while not (noted.exists() and noted.read_text()) and time.monotonic() < until:
        time.sleep(0.2)
    kernel = Path("/proc", noted.read_text() or "none")
    assert kernel.exists()
    made.cancel_button.click()
    assert made.wait(120)
    assert "cancelled" in made.state
    until = time.monotonic() + 30
    while kernel.exists() and time.monotonic() < until:  # its parent has still to see that it has ended
        time.sleep(0.1)
    assert not kernel.exists() or "\nState:\tZ" in (kernel / "status").read_text()
    assert made.run_button.disabled is False


@pytest.mark.slow
def test_a_cell_that_fails_is_told_with_its_place(folder: Path) -> None:
    written(folder / "model.ipynb", *CELLS, "1 / 0")
    made = panel(str(folder / "model.ipynb"))
    assert isinstance(made, Panel)
    made.run()
    assert made.wait(300)
    assert "run: failed" in made.state
    assert str(folder / "model.ipynb") not in made.state
    assert "cell 4" in made.state
    assert "Traceback" not in made.state


@pytest.mark.slow
def test_in_a_kernel_the_panel_is_a_widget_view(folder: Path) -> None:
    manager, client = start_new_kernel(cwd=str(folder))
    try:
        told: list[dict[str, Any]] = []
        client.execute_interactive(
            "import nbprod\nnbprod.panel('model.ipynb')",
            timeout=120,
            output_hook=lambda each: told.append(each["content"]),
        )
        data = [each["data"] for each in told if "data" in each and "text/plain" in each["data"]]
        assert any("application/vnd.jupyter.widget-view+json" in each for each in data)
        told.clear()
        client.execute_interactive("nbprod.panel()", timeout=120, output_hook=lambda each: told.append(each["content"]))
        (lines,) = (each["traceback"] for each in told if "traceback" in each)
        assert lines[0].startswith("error[not-found]")
        assert not any("Traceback" in line for line in lines)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_importing_nbprod_imports_no_widgets() -> None:
    code = "import sys, nbprod; print([name for name in ('ipywidgets', 'nbprod.widgets') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
