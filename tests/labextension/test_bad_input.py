"""Notebooks and servers that are not as one would wish: the panel says so, and JupyterLab goes on undisturbed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.labextension.conftest import TOKEN
from tests.labextension.test_sidebar import rows_of, write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.serial]

DIALOG = ".jp-Dialog"
EXPORT = "Export"
SOUND = (
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    "rows = pd.read_csv('patients.csv')",
    "model = LinearRegression().fit(rows[['age']], rows['sick'])",
)


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page in which no error of the extension goes uncaught; JupyterLab has some of its own where files are gone."""
    uncaught: list[str] = []
    page.on("pageerror", lambda error: uncaught.append(error.stack or str(error)))
    yield page
    assert not [each for each in uncaught if "/extensions/nbprod/" in each]


def opened(lab, page: Page, name: str, *cells: str) -> Locator:
    """The sidebar of a new notebook, once the server has said what it makes of it."""
    (lab.root / "patients.csv").write_text("age,sick\n1,0\n2,1\n3,1\n", encoding="utf-8")
    write_notebook(lab.root / name, cells or SOUND)
    sidebar = lab.open(page, name)
    expect(sidebar).to_contain_text("Not exported yet", timeout=30_000)
    return sidebar


def set_role(sidebar: Locator, index: int, role: str) -> None:
    row = rows_of(sidebar).nth(index)
    row.get_by_role("button", name="Go to cell").click()
    row.get_by_role("button", name=role, exact=True).click()


def save(page: Page) -> None:
    # What a kernel tells of its language goes into the notebook, which has to be saved once more then.
    expect(page.get_by_text("| Idle")).to_be_visible(timeout=60_000)
    with page.expect_response("**/checkpoints*"):  # The last that JupyterLab does when it saves.
        page.keyboard.press("Control+s")


def test_a_cell_that_is_no_python_is_marked_and_the_others_are_read(lab, page):
    sidebar = opened(lab, page, "broken.ipynb", "import pandas as pd", "rows = pd.read_csv('a.csv'", "rows.head()")
    expect(page.locator(".jp-CodeCell").nth(1).locator(".nbprod-Underline")).to_have_text("rows = pd.read_csv('a.csv'")
    expect(rows_of(sidebar)).to_have_count(3)
    expect(page.locator(DIALOG)).to_have_count(0)


def test_a_notebook_that_names_no_kernel_is_read_as_python(lab, page):
    path = write_notebook(lab.root / "bare.ipynb")
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "metadata": {}}), encoding="utf-8")
    page.goto(f"{lab.url}/lab/tree/bare.ipynb?token={TOKEN}&reset")
    page.locator('.jp-SideBar [data-id="nbprod-sidebar"]').click(timeout=60_000)
    sidebar = page.locator("#nbprod-sidebar")
    expect(sidebar).to_contain_text("Not exported yet", timeout=30_000)
    expect(rows_of(sidebar)).to_have_count(3)


def test_a_file_that_jupyterlab_can_not_read_is_waited_for(lab, page):
    write_notebook(lab.root / "sound.ipynb")
    path = write_notebook(lab.root / "newer.ipynb")
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "nbformat": 5}), encoding="utf-8")
    sidebar = lab.open(page, "sound.ipynb")
    expect(sidebar).to_contain_text("Not exported yet", timeout=30_000)
    page.locator(".jp-DirListing-item", has_text="newer.ipynb").dblclick()
    expect(page.locator(DIALOG)).to_contain_text("File Load Error for newer.ipynb")
    expect(page.locator("#nbprod-sidebar")).to_contain_text("newer.ipynb is not read yet")
    page.locator(DIALOG).get_by_role("button", name="Close").click()
    page.locator(DIALOG).get_by_role("button", name="Discard").click()
    expect(sidebar).to_contain_text("sound.ipynb")
    expect(sidebar).to_contain_text("Not exported yet")


def test_a_notebook_that_is_renamed_is_followed_and_one_that_is_deleted_is_let_go(lab, page):
    sidebar = opened(lab, page, "before.ipynb")
    save(page)
    page.locator(".jp-DirListing-item", has_text="before.ipynb").click()
    page.keyboard.press("F2")
    page.keyboard.press("Control+a")
    page.keyboard.type("after.ipynb")
    page.keyboard.press("Enter")
    expect(sidebar.get_by_role("heading", name="after.ipynb")).to_be_visible()
    sidebar.get_by_role("button", name=EXPORT).click()
    expect(sidebar).to_contain_text("Wrote v1", timeout=60_000)
    page.locator(".jp-DirListing-item", has_text="after.ipynb").click(button="right")
    page.locator(".lm-Menu-item", has_text=re.compile("Delete|Trash")).first.click()
    page.locator(DIALOG).get_by_role("button", name=re.compile("Delete|Trash")).click()
    expect(sidebar.get_by_text("Open a notebook to see its cells and their roles here.")).to_be_visible()


def test_a_file_that_is_gone_is_named_and_written_again_by_saving(lab, page):
    sidebar = opened(lab, page, "gone.ipynb")
    save(page)
    (lab.root / "gone.ipynb").unlink()
    sidebar.get_by_role("button", name=EXPORT).click()
    expect(sidebar).to_contain_text("The notebook’s file is not there any more")
    set_role(sidebar, 0, "explore")
    sidebar.get_by_role("button", name=EXPORT).click()
    expect(sidebar).to_contain_text("Wrote v1", timeout=60_000)
    expect(page.locator(DIALOG)).to_have_count(0)


def test_a_read_only_notebook_shows_its_roles_and_takes_none(lab, page):
    def read_only(route):
        answer = route.fetch()
        is_read = route.request.method == "GET"
        route.fulfill(response=answer, **({"json": {**answer.json(), "writable": False}} if is_read else {}))

    page.route("**/api/contents/locked.ipynb*", read_only)
    sidebar = opened(lab, page, "locked.ipynb")
    rows_of(sidebar).nth(0).get_by_role("button", name="Go to cell").click()
    expect(sidebar).to_contain_text("The file is read-only: roles can’t be set.")
    expect(rows_of(sidebar).nth(1).get_by_role("button", name="Set the suggested role data")).to_be_disabled()
    expect(sidebar.get_by_role("button", name=re.compile("Apply .* suggestion"))).to_have_count(0)
    page.locator(".jp-CodeCell .jp-InputPrompt").first.click()
    page.keyboard.press("Alt+r")
    expect(page.locator(".nbprod-Menu .lm-mod-disabled", has_text="data")).to_be_visible()


def test_work_is_left_alone_where_a_person_does_not_save(lab, page):
    sidebar = opened(lab, page, "conflict.ipynb")
    save(page)
    write_notebook(lab.root / "conflict.ipynb", ["total = 2"])
    set_role(sidebar, 0, "explore")
    sidebar.get_by_role("button", name=EXPORT).click()
    expect(page.locator(DIALOG)).to_contain_text("File Changed")
    page.locator(DIALOG).get_by_role("button", name="Cancel").click()
    page.wait_for_timeout(500)
    expect(page.locator(DIALOG)).to_have_count(0)
    expect(sidebar).to_contain_text("Not exported yet")


def test_a_server_part_of_another_version_is_named_and_asked_nothing(lab, page):
    page.route("**/nbprod/api/v1/status*", lambda route: route.fulfill(json={"version": "0.0.1", "api": 1}))
    path = write_notebook(lab.root / "older.ipynb")
    sidebar = lab.open(page, path.name)
    expect(sidebar).to_contain_text("The server part of nbprod is another version", timeout=30_000)
    expect(sidebar).to_contain_text("nbprod 0.0.1 runs in Jupyter")
    set_role(sidebar, 1, "data")
    expect(page.locator(".jp-CodeCell").nth(1)).to_have_attribute("data-nbprod-role", "data")
    expect(page.locator(DIALOG)).to_have_count(0)
