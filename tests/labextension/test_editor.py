"""What nbprod shows in the cells' editors, and what the keyboard does there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.serial]

SOURCES = ["total = 1", "first = total\n\nlast = totl", "last"]
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
UNDERLINE = ".nbprod-Underline"


def write_notebook(path: Path, sources=SOURCES, *, ids: bool = True) -> Path:
    cells = [
        {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {"tags": ["features"]} if index == 1 else {},
            "outputs": [],
            "source": source,
            **({"id": f"cell-{index}"} if ids else {}),
        }
        for index, source in enumerate(sources)
    ]
    content = {"cells": cells, "metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5 if ids else 4}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def cell(page: Page, index: int) -> Locator:
    return page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-CodeCell").nth(index)


def line(page: Page, index: int, number: int) -> Locator:
    """A line (from 1) of a cell's editor."""
    return cell(page, index).locator(".cm-line").nth(number - 1)


def open_checked(lab, page: Page, path: Path) -> None:
    """Open the notebook, and wait until it was checked for the first time: the server starts to read then."""
    lab.open(page, path.name)
    expect(line(page, 1, 3).locator(UNDERLINE)).to_be_visible(timeout=30_000)


def test_a_finding_is_underlined_at_its_line_and_explained_under_the_pointer(lab, page):
    open_checked(lab, page, write_notebook(lab.root / "finding.ipynb"))
    expect(line(page, 1, 3).locator(UNDERLINE)).to_have_text("last = totl")
    expect(page.locator(UNDERLINE)).to_have_count(1)
    expect(cell(page, 1).locator(".nbprod-Gutter-mark")).to_have_attribute("data-nbprod-kind", "error")
    line(page, 1, 3).locator(UNDERLINE).hover()
    card = page.locator(".nbprod-Card")
    expect(card).to_contain_text("totl")
    expect(card).to_contain_text("undefined-name")
    expect(card).to_contain_text("What to do")


def test_an_underline_moves_with_the_text_and_goes_when_the_code_is_right(lab, page):
    open_checked(lab, page, write_notebook(lab.root / "moved.ipynb"))
    line(page, 1, 1).click()
    page.keyboard.press("Home")
    page.keyboard.type("zero = 0\n")
    expect(line(page, 1, 4).locator(UNDERLINE)).to_have_text("last = totl")
    line(page, 1, 4).click()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("a")
    expect(page.locator(UNDERLINE)).to_have_count(0, timeout=1000)


def test_an_underline_goes_with_its_cell(lab, page):
    open_checked(lab, page, write_notebook(lab.root / "cells.ipynb"))
    cell(page, 1).locator(".jp-InputPrompt").click()
    page.keyboard.press("Control+Shift+ArrowDown")
    expect(line(page, 2, 3).locator(UNDERLINE)).to_have_text("last = totl")
    # The cell that now stands before it reads what it defines.
    expect(line(page, 1, 1).locator(UNDERLINE)).to_have_text("last")


def test_findings_stand_in_notebooks_whose_cells_have_no_ids(lab, page):
    open_checked(lab, page, write_notebook(lab.root / "old.ipynb", ids=False))
    expect(line(page, 1, 3).locator(UNDERLINE)).to_have_text("last = totl")


def test_the_keyboard_goes_to_a_finding_and_back_to_the_text(lab, page):
    open_checked(lab, page, write_notebook(lab.root / "keys.ipynb"))
    cell(page, 0).locator(".jp-InputPrompt").click()
    page.keyboard.press("F8")
    card = page.get_by_role("dialog", name="totl")
    expect(card).to_be_focused()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    expect(cell(page, 1).locator(".cm-content")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type("_")
    expect(line(page, 1, 3)).to_have_text("last = totl_")


def test_two_views_of_a_notebook_show_the_same(lab, page):
    open_checked(lab, page, write_notebook(lab.root / "views.ipynb"))
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_role("menuitem", name="New View for Notebook").click()
    expect(page.locator(".jp-NotebookPanel")).to_have_count(2)
    expect(page.locator(UNDERLINE)).to_have_count(2)


def test_the_keyboard_gives_a_role_from_the_chip(lab, page):
    open_checked(lab, page, write_notebook(lab.root / "chip.ipynb"))
    chip = cell(page, 1).get_by_role("button", name="Role of cell 1: features, 1 finding")
    chip.focus()
    page.keyboard.press("Enter")
    menu = page.locator(".nbprod-Menu")
    expect(menu.get_by_role("menuitemcheckbox", name="features")).to_have_attribute("aria-checked", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(cell(page, 1)).to_have_attribute("data-nbprod-role", "data")
    expect(cell(page, 1).get_by_role("button", name="Role of cell 1: data")).to_be_focused()


def test_a_cell_without_a_role_gets_one_with_keys(lab, page):
    open_checked(lab, page, write_notebook(lab.root / "role.ipynb"))
    cell(page, 0).locator(".jp-InputPrompt").click()
    page.keyboard.press("Alt+r")
    expect(page.locator(".nbprod-Menu")).to_be_visible()
    page.keyboard.press("Enter")
    expect(cell(page, 0)).to_have_attribute("data-nbprod-role", "parameters")


def test_the_status_bar_says_how_the_notebook_stands_and_opens_the_sidebar(lab, page):
    open_checked(lab, page, write_notebook(lab.root / "status.ipynb"))
    item = page.get_by_role("button", name="Production pipeline: nbprod · Not exported yet · 1 finding")
    page.get_by_role("tab", name="Production Pipeline").click()
    expect(page.get_by_role("region", name="Production Pipeline")).to_be_hidden()
    item.click()
    expect(page.get_by_role("region", name="Production Pipeline")).to_be_visible()


def test_one_button_in_the_toolbar_offers_everything(lab, page):
    open_checked(lab, page, write_notebook(lab.root / "toolbar.ipynb"))
    page.locator(".nbprod-ToolbarButton").get_by_role("button", name="Production Pipeline").click()
    menu = page.locator(".nbprod-Menu").first
    for entry in ("Cell Role", "Check Notebook Now", "Export Package", "Run and Prove Pipeline"):
        expect(menu.get_by_text(entry, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    cell(page, 1).click(button="right")
    expect(page.locator(".lm-Menu-item", has_text="Cell Role")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("menuitem", name="Pipeline", exact=True).click()
    expect(page.get_by_role("menuitem", name="Go to Next Finding")).to_be_visible()


def test_findings_in_the_editor_can_be_turned_off(lab, page):
    open_checked(lab, page, write_notebook(lab.root / "off.ipynb"))
    try:
        lab.store_settings(page, {"diagnostics": False})
        lab.open(page, "off.ipynb")
        expect(page.get_by_role("button", name="1 finding")).to_be_visible(timeout=30_000)
        expect(page.locator(UNDERLINE)).to_have_count(0)
    finally:
        lab.store_settings(page, {})
