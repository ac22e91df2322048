"""Notebooks of 500 cells, of which JupyterLab shows only those in sight."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.labextension.conftest import TOKEN
from tests.labextension.test_editor import UNDERLINE, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.serial]

CELLS = 500
HIDES_CELLS = [("full", 440), ("contentVisibility", 90)]
"""JupyterLab's ways (`windowingMode`) not to draw cells out of sight, with a cell that is; the second adds all cells to
the page, some twenty a second."""
ANALYSED = DRAWN = 60_000
"""Milliseconds until the server has answered for the first time, and until JupyterLab has drawn a cell."""


def large(path, name, faulty):
    """A notebook with a role at the second cell, and at another one a name that no cell defines."""
    sources = ["import numpy as np", *(f"{name}_{number} = np.sqrt({number})" for number in range(1, CELLS))]
    sources[faulty] = f"{name}_last = missing_{name}"
    return write_notebook(path, sources)


def with_windowing(lab, page, mode):
    """Choose how JupyterLab treats cells out of sight, for pages that are opened from now on."""
    address = f"{lab.url}/lab/api/settings/@jupyterlab/notebook-extension:tracker?token={TOKEN}"
    answer = page.request.put(address, data={"raw": json.dumps({"windowingMode": mode})})
    assert answer.ok, answer.text()


@pytest.fixture
def lab(lab, page):
    """JupyterLab, with its own windowing again after the test."""
    yield lab
    with_windowing(lab, page, "contentVisibility")


def row(page, number):
    """A line of the map."""
    return page.get_by_role("list", name="Code cells").get_by_role("listitem").nth(number)


def go_to(page, number):
    """Go to a cell by the map, and return it."""
    row(page, number).get_by_role("button", name=f"Go to cell {number}").click()
    cell = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell.jp-mod-active")
    expect(cell).to_be_in_viewport(timeout=DRAWN)
    return cell


@pytest.mark.parametrize("mode, far", HIDES_CELLS)
def test_marks_stay_with_their_cell_when_it_is_scrolled_moved_and_folded(lab, page, mode, far):
    with_windowing(lab, page, mode)
    lab.open(page, large(lab.root / f"large-{mode}.ipynb", "root", far).name)
    expect(row(page, far).get_by_role("img")).to_be_visible(timeout=ANALYSED)

    expect(go_to(page, far).locator(UNDERLINE)).to_have_text("root_last = missing_root")
    expect(go_to(page, 1).get_by_role("button", name="Role of cell 1: features")).to_be_in_viewport()
    expect(page.locator(UNDERLINE).and_(page.locator(":visible"))).not_to_be_in_viewport()
    cell = go_to(page, far)
    expect(cell.locator(UNDERLINE)).to_be_in_viewport()

    cell.locator(".jp-InputPrompt").click()
    page.keyboard.press("Control+Shift+ArrowUp")
    expect(row(page, far - 1)).to_contain_text("missing_root")
    expect(go_to(page, far - 1).locator(UNDERLINE)).to_be_in_viewport()
    expect(row(page, far - 1).get_by_role("img")).to_be_visible()

    cell.locator(".jp-InputCollapser").click()
    expect(cell.locator(UNDERLINE)).not_to_be_visible()
    row(page, far - 1).get_by_role("button", name="explore", exact=True).click()
    expect(cell.get_by_role("button", name=f"Role of cell {far - 1}: explore, 1 finding")).to_be_visible()
    cell.locator(".jp-InputCollapser").click()
    expect(go_to(page, far - 1).locator(UNDERLINE)).to_be_in_viewport()


def test_each_of_several_large_notebooks_has_marks_of_its_own(lab, page):
    near = 9
    for name in ("one", "two"):
        large(lab.root / f"{name}.ipynb", name, near)
    lab.open(page, "one.ipynb")
    page.locator(".jp-DirListing-item", has_text="two.ipynb").dblclick()
    for name in ("two", "one", "two"):
        page.get_by_role("main").get_by_role("tab", name=f"{name}.ipynb").click()
        expect(row(page, near)).to_contain_text(f"missing_{name}", timeout=ANALYSED)
        expect(row(page, near).get_by_role("img")).to_be_visible(timeout=ANALYSED)
        expect(go_to(page, near).locator(UNDERLINE)).to_have_text(f"{name}_last = missing_{name}")
