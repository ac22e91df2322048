"""The sections of the sidebar on a notebook with a package: what flows, what is learned, what differs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.labextension.conftest import TOKEN
from tests.labextension.test_sidebar import rows_of, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.serial]

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SOURCES = [
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression",
    "rows = pd.read_csv('rows.csv')",
    "rows.describe()",
    "rows['age'] = rows['age'].fillna(rows['age'].median())",
    "rows['band'] = pd.cut(rows['age'], bins=[0, 20, 40, 100], labels=[0, 1, 2]).astype(int)",
    "X, y = rows[['age', 'band']], rows['sick']",
    "model = LogisticRegression(random_state=0).fit(X, y)",
]
SECTIONS = ["Pipeline", "Features", "Divergence", "Readiness", "Runs and versions"]
WITHIN_A_SECOND = 5_000
"""Milliseconds; a machine that runs other things as well takes longer than the second that a person waits."""


@pytest.fixture
def project(lab, request):
    folder = lab.root / re.sub(r"\W+", "-", request.node.name).strip("-")
    folder.mkdir()
    table = "".join(f"{'' if age % 7 == 0 else age},{int(age > 40)}\n" for age in range(1, 90))
    (folder / "rows.csv").write_text("age,sick\n" + table, encoding="utf-8")
    write_notebook(folder / "study.ipynb", SOURCES)
    command = [sys.executable, "-m", "nbprod", "export", "study.ipynb", "--auto", "--name", "study"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def opened(lab, page, folder):
    sidebar = lab.open(page, f"{folder.name}/study.ipynb")
    expect(sidebar).to_contain_text("Same as v1", timeout=60_000)
    return sidebar


def show(page, name):
    """Open one section and close the others."""
    titles = page.locator("#nbprod-sidebar .jp-AccordionPanel-title")
    for number, other in enumerate(SECTIONS):
        is_open = "lm-mod-expanded" in (titles.nth(number).get_attribute("class") or "")
        if is_open != (other == name):
            titles.nth(number).click()


def themed(lab, page, theme):
    """Choose a theme, as the settings do."""
    address = f"{lab.url}/lab/api/settings/@jupyterlab/apputils-extension:themes?token={TOKEN}"
    answer = page.request.put(address, data={"raw": json.dumps({"theme": theme})})
    assert answer.ok, answer.text()


def change(page, before, after):
    """Replace the end of the active cell's first line up to `before`, as a person types."""
    line = page.locator(".jp-Notebook .jp-mod-active .cm-line").first
    line.click()
    page.keyboard.press("Home")
    for _ in range(line.inner_text().index(before) + len(before)):
        page.keyboard.press("ArrowRight")
    for _ in before:
        page.keyboard.press("Backspace")
    page.keyboard.type(after)


def test_an_edit_of_a_feature_diverges_at_its_line_and_undo_takes_it_back(lab, page, project):
    sidebar = opened(lab, page, project)
    rows_of(sidebar).nth(4).get_by_role("button", name="Go to cell").click()
    change(page, "40", "45")
    expect(sidebar).to_contain_text("Diverges from v1", timeout=WITHIN_A_SECOND)

    show(page, "Divergence")
    row = sidebar.get_by_role("list", name="Divergences").get_by_role("listitem")
    expect(row).to_contain_text("band")
    expect(row.get_by_role("button", name="cell 4:1")).to_be_visible()
    expect(row.locator("pre")).to_contain_text(["bins=[0, 20, 40, 100]", "bins=[0, 20, 45, 100]"])

    page.locator(".jp-Notebook .jp-mod-active .cm-content").click()
    for _ in range(20):
        if "Same as v1" in sidebar.inner_text():
            break
        page.keyboard.press("Control+z")
        page.wait_for_timeout(400)
    expect(sidebar).to_contain_text("Same as v1")
    expect(sidebar.get_by_role("list", name="Divergences").get_by_role("listitem")).to_have_count(0)


def test_the_map_says_what_flows_from_cell_to_cell(lab, page, project):
    sidebar = opened(lab, page, project)
    rows = rows_of(sidebar)
    rows.nth(5).get_by_role("button", name="Go to cell").click()
    expect(rows.nth(5)).to_contain_text("Takes")
    expect(rows.nth(5).get_by_role("button", name="cell 4")).to_be_visible()
    expect(rows.nth(6)).to_contain_text("X, y")
    rows.nth(5).get_by_role("button", name="cell 6").click()
    expect(rows.nth(6)).to_have_attribute("aria-current", "true")
    expect(page.locator("#nbprod-sidebar .nbprod-Arcs path[data-near]").first).to_be_attached()


def test_a_feature_shows_what_it_needs_and_learns(lab, page, project):
    sidebar = opened(lab, page, project)
    show(page, "Features")
    feature = sidebar.get_by_role("list", name="Features").get_by_role("listitem").filter(has_text="band")
    feature.locator("summary").click()
    expect(feature).to_contain_text("age")
    expect(feature).to_contain_text("rows['age'].median()")
    feature.get_by_role("button", name="cell 3").click()
    expect(page.locator(".jp-Notebook .jp-mod-active .cm-content")).to_have_text(SOURCES[3])


def test_cells_that_are_left_out_say_why(lab, page, project):
    sidebar = opened(lab, page, project)
    rows_of(sidebar).nth(2).get_by_role("button", name="Go to cell").click()
    expect(rows_of(sidebar).nth(2)).to_contain_text("Left out")


def test_the_sections_that_were_open_are_open_again(lab, page, project):
    sidebar = opened(lab, page, project)
    show(page, "Features")
    page.wait_for_timeout(1_500)  # JupyterLab writes its state a second after the last change.
    page.reload()
    expect(sidebar.get_by_role("list", name="Features")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_nothing_stands_in_the_way_of_a_screen_reader(lab, page, project, theme):
    themed(lab, page, f"JupyterLab {theme.title()}")
    sidebar = opened(lab, page, project)
    expect(page.locator(f"body[data-jp-theme-light='{str(theme == 'light').lower()}']")).to_be_attached()
    rows_of(sidebar).nth(4).get_by_role("button", name="Go to cell").click()
    page.add_script_tag(path=AXE)
    for section in SECTIONS:
        show(page, section)
        page.wait_for_timeout(300)
        for summary in page.locator("#nbprod-sidebar summary:visible").all()[:1]:
            summary.click()
        found = page.evaluate("() => axe.run({include: ['#nbprod-sidebar', '.nbprod-CellChip', '.nbprod-Status']})")
        serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
        assert [(each["id"], each["nodes"][0]["html"]) for each in serious] == []
