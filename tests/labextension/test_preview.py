"""The package beside its notebook: lines that belong together, what changes, and an export with each save."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.labextension.test_pipeline import SOURCES, change, opened, project, show
from tests.labextension.test_sidebar import rows_of

__all__ = ["project"]

pytestmark = [pytest.mark.browser, pytest.mark.serial]


def previewed(lab, page, folder):
    """The preview of the package, beside the notebook."""
    sidebar = opened(lab, page, folder)
    sidebar.get_by_role("button", name="Preview").click()
    body = page.get_by_role("tabpanel", name="features.py")
    expect(body).to_contain_text("median", timeout=30_000)
    return sidebar, body


def test_a_line_of_the_package_leads_to_its_line_of_the_notebook_and_back(lab, page, project):
    sidebar, body = previewed(lab, page, project)
    active = page.locator(".jp-Notebook .jp-mod-active .cm-content")

    body.get_by_role("button", name="Go to cell 4, line 1").first.click()
    expect(active).to_have_text(SOURCES[4])
    marked = body.locator("[data-at-cursor]")
    expect(marked.first).to_contain_text("bins")

    rows_of(sidebar).nth(3).get_by_role("button", name="Go to cell").click()
    active.click()
    expect(active).to_have_text(SOURCES[3])
    expect(marked.first).to_contain_text("fillna")
    expect(marked.filter(has_text="bins")).to_have_count(0)


def test_the_preview_follows_an_edit_and_shows_what_it_changes(lab, page, project):
    sidebar, body = previewed(lab, page, project)
    rows_of(sidebar).nth(4).get_by_role("button", name="Go to cell").click()
    change(page, "40", "45")

    expect(body).to_contain_text("[0, 20, 45, 100]", timeout=30_000)
    page.get_by_label("Changes since version 1").check()
    expect(body.locator("[data-change=removed]")).to_contain_text([re.compile(r"\[0, 20, 40, 100\]")])
    expect(body.locator("[data-change=added]")).to_contain_text([re.compile(r"\[0, 20, 45, 100\]")])

    show(page, "Divergence")
    sidebar.get_by_role("button", name="Update package").click()
    expect(sidebar).to_contain_text(re.compile(r"Same as v\d"), timeout=60_000)
    texts = [path.read_text("utf-8") for path in (project / "pipelines/study").glob("v*/features.py")]
    assert any("[0, 20, 45, 100]" in text for text in texts)


def test_a_save_exports_where_that_is_set(lab, page, project):
    lab.store_settings(page, {"exportOnSave": True})
    try:
        sidebar = opened(lab, page, project)
        rows_of(sidebar).nth(4).get_by_role("button", name="Go to cell").click()
        change(page, "40", "46")
        expect(sidebar).to_contain_text("Diverges from v1", timeout=30_000)
        page.keyboard.press("Control+s")
        expect(sidebar).to_contain_text(re.compile(r"Same as v\d"), timeout=60_000)
    finally:
        lab.store_settings(page, {})

    texts = [path.read_text("utf-8") for path in (project / "pipelines/study").glob("v*/features.py")]
    assert any("[0, 20, 46, 100]" in text for text in texts)
