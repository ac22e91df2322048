"""The checklist in JupyterLab: its filters, the reasons of an item, and the form for what a person declares."""

from __future__ import annotations

import re
import tomllib

import pytest
from playwright.sync_api import expect

from tests.labextension.test_sidebar import write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.serial]


def opened(lab, page, name: str):
    """The section of the checklist of a notebook, the others shut."""
    sidebar = lab.open(page, name)
    for head in sidebar.locator("[aria-expanded]").all():
        is_meant = "readiness" in head.inner_text().lower()
        if (head.get_attribute("aria-expanded") == "true") != is_meant:
            head.click()
    section = sidebar.locator(".nbprod-Readiness")
    expect(section.locator(".nbprod-Item")).to_have_count(43, timeout=60_000)
    return section


def test_what_is_blocking_can_be_shown_alone_and_explained(lab, page):
    write_notebook(lab.root / "checked.ipynb")
    section = opened(lab, page, "checked.ipynb")

    expect(section).to_contain_text("19 blocking items are open")
    section.get_by_role("button", name="Blocking", exact=True).click()
    expect(section.locator(".nbprod-Item")).to_have_count(19)
    section.get_by_role("button", name="Open", exact=True).click()
    item = section.locator(".nbprod-Item", has_text="The notebook runs from top to bottom")
    item.get_by_text("Why, and what next").click()
    expect(item).to_contain_text("Only a run in a fresh kernel shows")
    expect(section.get_by_role("button", name="Gather Evidence")).to_be_disabled()


def test_what_is_declared_in_the_form_is_in_the_configuration(lab, page):
    folder = lab.root / "declaring"
    (folder / ".git").mkdir(parents=True)
    write_notebook(folder / "declared.ipynb")
    section = opened(lab, page, "declaring/declared.ipynb")
    file = folder / "nbprod.toml"

    item = section.locator(".nbprod-Item", has_text="The latency target is met")
    item.get_by_role("button", name="Declare").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Within how many milliseconds must 99 of 100 answers come?")
    expect(dialog).not_to_contain_text("Who answers for the model")
    field = dialog.get_by_placeholder("such as: 50", exact=True)
    field.fill("soon")
    dialog.get_by_role("button", name="Declare", exact=True).click()
    expect(dialog).to_contain_text('"requirements.latency_ms" must be a number, not "soon"')
    assert not file.exists()

    field = dialog.get_by_placeholder("such as: 50", exact=True)
    expect(field).to_have_value("soon")
    field.fill("40")
    dialog.get_by_role("button", name="Declare", exact=True).click()
    expect(dialog).to_have_count(0)
    expect(item).to_contain_text(re.compile("not looked at yet"), timeout=30_000)
    table = tomllib.loads(file.read_text(encoding="utf-8"))["pipelines"]["declared"]
    assert table == {"notebook": "declared.ipynb", "requirements": {"latency_ms": 40}}


def awaited(file, page):
    """The text of a file, which the server writes after the dialog has closed."""
    for _ in range(300):
        if file.is_file():
            break
        page.wait_for_timeout(100)
    return file.read_text(encoding="utf-8")


def test_what_few_pipelines_have_is_folded_away(lab, page):
    folder = lab.root / "rare"
    (folder / ".git").mkdir(parents=True)
    write_notebook(folder / "rare.ipynb")
    section = opened(lab, page, "rare/rare.ipynb")

    section.get_by_role("button", name="Declare…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Who answers for the model")).to_be_visible()
    field = dialog.get_by_label("Which names does the kernel give")
    expect(field).not_to_be_visible()
    dialog.get_by_text("What few pipelines have").click()
    field.fill("spark")
    dialog.get_by_role("button", name="Declare", exact=True).click()
    expect(dialog).to_have_count(0)

    table = tomllib.loads(awaited(folder / "nbprod.toml", page))["pipelines"]["rare"]
    assert table == {"notebook": "rare.ipynb", "allow_names": ["spark"]}
    section.get_by_role("button", name="Declare…").click()
    expect(page.get_by_role("dialog").get_by_label("Which names does the kernel give")).to_have_value("spark")
