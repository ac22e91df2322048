"""Work on a notebook from the sidebar: runs with progress, other parameters, promotion and the way back."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.labextension.test_pipeline import show
from tests.labextension.test_sidebar import write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.serial]

SOURCES = [
    "import time\nimport pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    "#| nbprod: parameters\nshare = 0.5\nname = 'all'\nfast = True",
    "rows = pd.read_csv('rows.csv')",
    "while not fast and pd.read_csv('go.csv').empty:\n    time.sleep(0.1)\n"
    "rows['age'] = rows['age'] * (1 if fast else 1.0)",
    "rows['age'] = rows['age'].fillna(rows['age'].quantile(share))",
    "X, y = rows[['age']], rows['cost']",
    "model = LinearRegression().fit(X, y)",
]
A_RUN = 240_000
"""Milliseconds in which the notebook is run, its package fitted and proven, on a machine that does other things too."""


def write_project(folder):
    """A notebook with its tables, which waits in its third cell where it is told to."""
    folder.mkdir()
    table = "".join(f"{'' if age % 7 == 0 else age},{age % 5 + 2 * age}\n" for age in range(1, 60))
    (folder / "rows.csv").write_text("age,cost\n" + table, encoding="utf-8")
    (folder / "go.csv").write_text("go\n", encoding="utf-8")
    write_notebook(folder / "study.ipynb", SOURCES)


@pytest.fixture(scope="module")
def project(lab):
    """A notebook with a version that is fitted and proven."""
    folder = lab.root / "runs"
    write_project(folder)
    command = [sys.executable, "-m", "nbprod", "run", "study.ipynb", "--auto", "--name", "study"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def opened(lab, page):
    sidebar = lab.open(page, "runs/study.ipynb")
    expect(sidebar.get_by_role("status").first).to_contain_text(re.compile(r"\bv\d"), timeout=60_000)
    return sidebar


def menu(page, command):
    """Choose a command of the menu of pipelines."""
    page.locator(".lm-MenuBar-itemLabel", has_text="Pipeline").click()
    page.get_by_role("menuitem", name=command, exact=True).click()


def champions(sidebar):
    """The versions that `champion` stands for."""
    return sidebar.locator(".nbprod-Version", has=sidebar.page.get_by_text("champion", exact=True))


def put(path, text):
    """Write a file in one step: the notebook that waits for it reads it as soon as it is there."""
    whole = path.with_name(f"{path.name}.part")
    whole.write_text(text, encoding="utf-8")
    whole.replace(path)


def test_what_was_learned_stands_behind_the_line_that_learned_it(lab, page, project):
    opened(lab, page)
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(4)
    expect(cell.locator(".cm-content")).to_contain_text(re.compile(r"learned: \d"), timeout=30_000)


def test_a_run_with_other_parameters_goes_on_while_the_page_is_loaded_anew(lab, page, project):
    sidebar = opened(lab, page)
    menu(page, "Run with Parameters…")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("share")).to_be_focused(timeout=30_000)
    dialog.get_by_label("share").fill("0.9")
    assert dialog.get_by_label("name").input_value() == "all"
    dialog.get_by_label("fast").select_option("False")
    dialog.get_by_role("button", name="Run").click()

    job = sidebar.locator(".nbprod-Job")
    expect(job).to_contain_text("Running", timeout=60_000)
    page.reload()
    job = page.locator("#nbprod-sidebar .nbprod-Job")
    expect(job).to_contain_text("Running", timeout=60_000)
    expect(job.get_by_role("progressbar")).to_be_visible()
    row = page.locator("#nbprod-sidebar .nbprod-CellRow", has_text="while not fast")
    expect(row.get_by_role("img", name="The run is at this cell")).to_be_visible(timeout=60_000)

    put(project / "go.csv", "go\n1\n")
    expect(job).to_contain_text("v2 proven", timeout=A_RUN)
    expect(job).to_contain_text("59 of 59 rows are equal")
    job.get_by_role("button", name="Dismiss").click()
    expect(job).to_have_count(0)

    sidebar = page.get_by_role("region", name="Production Pipeline")
    show(page, "Runs and versions")
    run = sidebar.locator(".nbprod-Run", has_text=re.compile("share\\s*0.9"))
    run.locator("summary").click()
    run.get_by_role("button", name="Run again…").click()
    assert page.get_by_role("dialog").get_by_label("share").input_value() == "0.9"
    page.get_by_role("button", name="Cancel").click()

    run.get_by_role("button", name="Executed notebook").click()
    expect(page.get_by_role("main")).to_contain_text("share = 0.9", timeout=60_000)
    (copy,) = project.glob("study-executed-*.ipynb")
    assert "share = 0.9" in json.dumps(json.loads(copy.read_text("utf-8"))["cells"])


def test_a_run_is_reproduced(lab, page, project):
    sidebar = opened(lab, page)
    show(page, "Runs and versions")
    run = sidebar.locator(".nbprod-Run").last
    run.locator("summary").click()
    run.get_by_role("button", name="Reproduce").click()
    job = sidebar.locator(".nbprod-Job")
    expect(job).to_contain_text("Reproduced, to the last bit", timeout=A_RUN)
    expect(job).to_contain_text("Learned state, predictions and metrics are the same")


def test_stages_are_restored_unless_all_of_them_are_to_run_anew(lab, page, project):
    sidebar = opened(lab, page)
    job = sidebar.locator(".nbprod-Job")
    menu(page, "Run All Stages Anew")
    expect(job).to_contain_text("59 of 59 rows are equal", timeout=A_RUN)
    expect(job).not_to_contain_text("restored")
    job.get_by_role("button", name="Dismiss").click()

    menu(page, "Run and Prove Pipeline")
    expect(job).to_contain_text(re.compile("restored: parameters, data, features, train"), timeout=A_RUN)
    job.get_by_role("button", name="Dismiss").click()


def test_a_version_is_promoted_refused_by_the_gates_and_rolled_back(lab, page, project):
    sidebar = opened(lab, page)
    show(page, "Runs and versions")
    rows = sidebar.locator(".nbprod-Version")
    other, first = (rows.filter(has=page.get_by_text(name, exact=True)) for name in ("v2", "v1"))
    for row in (first, other):
        row.locator("summary").click()
        row.get_by_role("button", name="Promote").click()
        expect(champions(sidebar)).to_have_count(1, timeout=A_RUN)
        expect(first).to_contain_text("champion")
        expect(row).to_contain_text("without pandas, equal on 59 rows")
    expect(sidebar).to_contain_text("version 2 of study is not promoted. no-worse-than-champion", timeout=A_RUN)

    force = ["promote", "2", "--force", "--why", "a rehearsal"]
    subprocess.run([sys.executable, "-m", "nbprod", "versions", "study", *force], cwd=project, check=True)
    sidebar = opened(lab, page)
    show(page, "Runs and versions")
    expect(other).to_contain_text("champion", timeout=30_000)
    other.locator("summary").click()
    other.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll Back").click()
    expect(first).to_contain_text("champion", timeout=30_000)
    ledger = json.loads((project / "pipelines/study/versions.json").read_text("utf-8"))
    aliases = {each["number"]: each["aliases"] for each in ledger["versions"]}
    assert (aliases[1], aliases[2]) == (["champion"], [])


def begin_to_wait(page, sidebar):
    """Begin a run that waits, and return its line in the head of the sidebar."""
    menu(page, "Run with Parameters…")
    page.get_by_role("dialog").get_by_label("fast").select_option("False")
    page.get_by_role("dialog").get_by_role("button", name="Run").click()
    job = sidebar.locator(".nbprod-Job")
    expect(job).to_contain_text("cell 3", timeout=60_000)
    return job


def test_a_run_that_is_cancelled_says_so(lab, page, project):
    put(project / "go.csv", "go\n")
    job = begin_to_wait(page, opened(lab, page))
    job.get_by_role("button", name="Cancel").click()
    expect(job).to_contain_text("Cancelled", timeout=60_000)


def test_a_page_goes_on_when_its_server_is_started_again_in_the_middle_of_a_run(server, page):
    write_project(server.lab.root / "runs")
    sidebar = server.lab.open(page, "runs/study.ipynb")
    expect(sidebar).to_contain_text("Not exported yet", timeout=60_000)
    job = begin_to_wait(page, sidebar)

    server.end()
    expect(sidebar).to_contain_text("The Jupyter server does not answer", timeout=60_000)
    server.start()
    expect(sidebar).to_contain_text("The work ended with the Jupyter server", timeout=60_000)
    expect(job).to_have_count(0)
    expect(sidebar).not_to_contain_text("does not answer")

    dialog = page.get_by_role("dialog", name="Server Connection Error")
    if dialog.count() > 0:  # JupyterLab's own, which comes if it asked while there was no server.
        dialog.get_by_role("button").first.click()
    rows = sidebar.get_by_role("list", name="Code cells").get_by_role("listitem")
    rows.last.get_by_role("button", name="Set the suggested role").click()
    expect(sidebar).to_contain_text("2 of 7 cells have a role")
    begin_to_wait(page, sidebar).get_by_role("button", name="Cancel").click()
    expect(job).to_contain_text("Cancelled", timeout=60_000)


def test_a_run_that_fails_leads_to_the_cell_and_to_its_executed_notebook(lab, page, project):
    sidebar = opened(lab, page)
    menu(page, "Run with Parameters…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("share").fill("7")
    dialog.get_by_role("button", name="Run").click()
    job = sidebar.locator(".nbprod-Job")
    expect(job).to_contain_text("ValueError", timeout=A_RUN)
    row = sidebar.locator(".nbprod-CellRow", has_text="fillna")
    expect(row.get_by_role("img", name="The run failed here")).to_be_visible()
    job.get_by_role("button", name="cell 4:1").click()
    expect(row).to_have_attribute("aria-current", "true")
    job.get_by_role("button", name="Open").click()
    expect(page.get_by_role("main")).to_contain_text("share = 7", timeout=60_000)


def test_a_hook_is_added_to_the_project(lab, page, project):
    opened(lab, page)
    menu(page, "Add Pre-Commit Hook")
    expect(page.get_by_role("alert").first).to_contain_text("pre-commit install", timeout=30_000)
    assert "nbprod check" in (project / ".pre-commit-config.yaml").read_text("utf-8")


def test_a_workflow_is_added_to_the_project(lab, page, project):
    opened(lab, page)
    menu(page, "Add GitHub Workflow")
    expect(page.get_by_role("alert").first).to_contain_text(".github/workflows", timeout=30_000)
    (written,) = (project / ".github" / "workflows").glob("*.y*ml")
    assert "nbprod" in written.read_text("utf-8")


def test_two_runs_are_compared_side_by_side(lab, page, project):
    command = [sys.executable, "-m", "nbprod", "run", "study.ipynb", "--auto", "--name", "study", "-p", "share=0.25"]
    done = subprocess.run([*command, "--no-verify"], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    sidebar = opened(lab, page)
    show(page, "Runs and versions")
    runs = sidebar.get_by_role("list", name="Runs").get_by_role("checkbox")
    runs.nth(0).check()
    expect(sidebar.get_by_role("table", name="The two runs compared")).to_have_count(0)
    runs.nth(1).check()

    compared = sidebar.get_by_role("table", name="The two runs compared")
    expect(compared.get_by_role("row").filter(has_text="share")).to_contain_text("0.25")
