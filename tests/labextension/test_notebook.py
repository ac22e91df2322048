"""Jupyter Notebook 7, which runs the extension of JupyterLab, and the panel of widgets in a page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.labextension.conftest import TOKEN
from tests.labextension.test_editor import UNDERLINE, cell, line
from tests.labextension.test_editor import write_notebook as write_faulty
from tests.labextension.test_runs import A_RUN, SOURCES, write_project
from tests.labextension.test_sidebar import rows_of, saved_tags, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.serial]

SHOWN = 60_000
"""Milliseconds until a page, its kernel and the server have started."""


def test_notebook_7_has_the_sidebar_the_marks_and_the_roles(notebook_server, page):
    path = write_faulty(notebook_server.root / "faulty.ipynb")
    page.goto(f"{notebook_server.url}/notebooks/{path.name}?token={TOKEN}")
    expect(line(page, 1, 3).locator(UNDERLINE)).to_have_text("last = totl", timeout=SHOWN)
    expect(cell(page, 1).get_by_role("button", name="Role of cell 1: features, 1 finding")).to_be_visible()

    page.get_by_role("menuitem", name="Pipeline").click()
    page.get_by_role("menuitem", name="Show Production Pipeline").click()
    sidebar = page.get_by_role("region", name="Production Pipeline")
    expect(sidebar).to_contain_text("1 of 3 cells have a role")
    expect(sidebar).to_contain_text("Not exported yet")
    row = rows_of(sidebar).nth(2)
    row.get_by_role("button", name="Go to cell").click()
    row.get_by_role("button", name="evaluate", exact=True).click()
    expect(cell(page, 2)).to_have_attribute("data-nbprod-role", "evaluate")
    assert saved_tags(page, path) == [None, ["features"], ["evaluate"]]


def test_the_panel_of_widgets_shows_the_notebook_and_runs_it(lab, page):
    folder = lab.root / "widgets"
    write_project(folder)
    write_notebook(folder / "study.ipynb", ["import nbprod\nnbprod.panel()", *SOURCES])
    lab.open(page, "widgets/study.ipynb")
    expect(page.get_by_role("button", name="Python 3 (ipykernel) | Idle")).to_be_visible(timeout=SHOWN)
    cell(page, 0).locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    panel = cell(page, 0).locator(".jp-OutputArea")
    expect(panel.get_by_role("button", name="Run")).to_be_visible(timeout=SHOWN)
    expect(panel).to_contain_text("not-exported")
    expect(panel).not_to_contain_text(str(lab.root))
    for name, shown in (("Features", "quantile"), ("Readiness", "missing"), ("Divergence", "not-exported")):
        panel.locator(".lm-TabBar-tab", has_text=name).click()
        expect(panel.locator(".widget-html:visible").last).to_contain_text(shown)

    panel.get_by_role("button", name="Run").click()
    expect(panel).to_contain_text("of 5", timeout=SHOWN)
    expect(panel.get_by_role("button", name="Cancel")).to_be_enabled()
    expect(panel.get_by_role("button", name="Run")).to_be_enabled(timeout=A_RUN)
    expect(panel).to_contain_text("run proven version 1")
    expect(panel).to_contain_text("the package is what the notebook says")
