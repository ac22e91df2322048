"""The sidebar in JupyterLab, with the notebook's file as the witness."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.serial]

SOURCES = ["import pandas as pd", "rows = pd.read_csv('rows.csv')", "rows['a'] = rows['a'].fillna(0)"]
PYTHON = {"name": "python3", "display_name": "Python 3", "language": "python"}


def write_notebook(path: Path, sources=SOURCES, kernel=PYTHON) -> Path:
    code = [
        {
            "cell_type": "code",
            "id": f"cell-{index}",
            "execution_count": None,
            "metadata": {"tags": ["slow"]} if index == 1 else {},
            "outputs": [],
            "source": source,
        }
        for index, source in enumerate(sources)
    ]
    heading = {"cell_type": "markdown", "id": "heading", "metadata": {}, "source": "# Rows"}
    content = {"cells": [heading, *code], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def saved_tags(page, path: Path) -> list[object]:
    """Save, and read the code cells' tags from the file."""
    before = path.read_bytes()
    for turn in range(300):
        if turn % 50 == 0:  # JupyterLab passes over a key that is pressed while the last save is still under way.
            page.keyboard.press("Control+s")
        saved = path.read_bytes()
        if saved != before and saved.endswith(b"}\n"):  # Jupyter writes into the file: its first part may come alone.
            break
        page.wait_for_timeout(100)
    cells = json.loads(saved)["cells"]
    return [cell["metadata"].get("tags") for cell in cells if cell["cell_type"] == "code"]


def rows_of(sidebar):
    return sidebar.get_by_role("list", name="Code cells").get_by_role("listitem")


def test_each_section_that_is_opened_has_room(lab, page):
    """One after the other, beside those that are open; and all of them again after a reload."""
    path = write_notebook(lab.root / "room.ipynb")
    lab.open(page, path.name)
    titles = page.locator("#nbprod-sidebar .jp-AccordionPanel-title")
    sections = page.locator("#nbprod-sidebar .nbprod-Section")

    def heights():
        page.wait_for_timeout(200)
        return [box["height"] if (box := each.bounding_box()) else None for each in sections.all()]

    for number in (3, 1, 4, 2):
        titles.nth(number).click()
        assert all(height is None or height >= 60 for height in heights()), heights()
    assert None not in heights()
    titles.nth(3).click()
    assert heights()[3] is None
    titles.nth(3).click()
    assert min(heights()) >= 60

    page.wait_for_timeout(1_500)  # JupyterLab writes its state a second after the last change.
    page.reload()
    expect(page.locator("#nbprod-sidebar .lm-mod-expanded")).to_have_count(5, timeout=60_000)
    page.wait_for_function(
        "[...document.querySelectorAll('#nbprod-sidebar .nbprod-Section')].every(each => each.offsetHeight >= 60)"
    )


def test_a_click_tags_the_cell_in_the_file(lab, page):
    path = write_notebook(lab.root / "click.ipynb")
    sidebar = lab.open(page, path.name)
    rows = rows_of(sidebar)
    expect(rows.locator("code")).to_have_text(SOURCES)
    expect(sidebar).to_contain_text("0 of 3 cells have a role")

    rows.nth(1).get_by_role("button", name="Go to cell").click()
    expect(page.locator(".jp-Notebook .jp-mod-active .cm-content")).to_have_text(SOURCES[1])
    rows.nth(1).get_by_role("button", name="data", exact=True).click()
    expect(page.locator(".jp-Notebook .jp-CodeCell").nth(1)).to_have_attribute("data-nbprod-role", "data")
    expect(sidebar).to_contain_text("1 of 3 cells have a role")
    assert saved_tags(page, path) == [None, ["slow", "data"], None]

    rows.nth(1).get_by_role("button", name="data", exact=True).click()
    expect(page.locator(".jp-Notebook [data-nbprod-role]")).to_have_count(0)
    assert saved_tags(page, path) == [None, ["slow"], None]


def test_a_cell_under_a_folded_heading_is_gone_to(lab, page):
    sidebar = lab.open(page, write_notebook(lab.root / "folded.ipynb").name)
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    page.locator(".jp-Notebook .jp-MarkdownCell").hover()
    page.locator(".jp-collapseHeadingButton").first.click()
    expect(cells.nth(2)).to_be_hidden()
    rows_of(sidebar).nth(2).get_by_role("button", name="Go to cell").click()
    expect(cells.nth(2)).to_be_in_viewport()
    expect(rows_of(sidebar).nth(2)).to_have_attribute("aria-current", "true")


def test_a_role_is_undone_like_any_edit_of_cells(lab, page):
    path = write_notebook(lab.root / "undo.ipynb")
    sidebar = lab.open(page, path.name)
    rows_of(sidebar).nth(2).get_by_role("button", name="Go to cell").click()
    rows_of(sidebar).nth(2).get_by_role("button", name="features", exact=True).click()
    expect(sidebar).to_contain_text("1 of 3 cells have a role")
    page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").nth(2).click()
    page.keyboard.press("z")
    expect(sidebar).to_contain_text("0 of 3 cells have a role")
    assert saved_tags(page, path) == [None, ["slow"], None]


def test_the_list_follows_the_notebook_as_it_is_edited(lab, page):
    path = write_notebook(lab.root / "live.ipynb")
    sidebar = lab.open(page, path.name)
    rows_of(sidebar).nth(2).get_by_role("button", name="Go to cell").click()
    page.keyboard.press("b")
    page.keyboard.press("Enter")
    page.keyboard.type("model = fit(rows)")
    expect(rows_of(sidebar).locator("code")).to_have_text([*SOURCES, "model = fit(rows)"])
    expect(rows_of(sidebar).nth(3)).to_have_attribute("aria-current", "true")


def test_the_keyboard_reaches_every_cell_and_role(lab, page):
    path = write_notebook(lab.root / "keys.ipynb")
    sidebar = lab.open(page, path.name)
    rows_of(sidebar).nth(0).get_by_role("button", name="Go to cell").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(rows_of(sidebar).nth(2)).to_have_attribute("aria-current", "true")
    rows_of(sidebar).nth(2).get_by_role("button", name="Go to cell").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(sidebar).to_contain_text("1 of 3 cells have a role")
    assert saved_tags(page, path) == [None, ["slow"], ["features"]]


def test_a_suggestion_of_the_server_is_taken_with_one_click(lab, page):
    path = write_notebook(lab.root / "suggested.ipynb")
    sidebar = lab.open(page, path.name)
    suggestion = rows_of(sidebar).nth(1).get_by_role("button", name="Set the suggested role data")
    expect(suggestion).to_be_visible()
    suggestion.click()
    assert saved_tags(page, path)[1] == ["slow", "data"]


def test_says_calmly_what_it_has_nothing_to_show_for(lab, page):
    r_kernel = {"name": "ir", "display_name": "R", "language": "R"}
    write_notebook(lab.root / "other.ipynb", ["x <- 1"], r_kernel)
    sidebar = lab.open(page)
    expect(sidebar).to_contain_text("No notebook is open")
    page.locator(".jp-DirListing-item", has_text=re.compile(r"other\.ipynb")).dblclick()
    expect(sidebar).to_contain_text("This notebook is written in R", timeout=30_000)


def test_the_list_works_without_the_server_part(lab_without_server_part, page):
    lab = lab_without_server_part
    path = write_notebook(lab.root / "alone.ipynb")
    sidebar = lab.open(page, path.name)
    expect(sidebar).to_contain_text("The server part of nbprod is not running")
    rows_of(sidebar).nth(1).get_by_role("button", name="Go to cell").click()
    rows_of(sidebar).nth(1).get_by_role("button", name="data", exact=True).click()
    assert saved_tags(page, path) == [None, ["slow", "data"], None]
