"""`nbprod readiness` on a notebook that was never run: its forms, what it is limited to, and its exit codes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from click.testing import CliRunner

import nbprod as package
from nbprod.api.answers import Readiness
from nbprod.cli.app import app
from nbprod.readiness.questions import QUESTIONS
from tests.cli.conftest import Nbprod, WriteNotebook

LEAKY = [
    "import pandas as pd\nfrom sklearn.linear_model import Ridge\nfrom sklearn.model_selection import train_test_split",
    "df = pd.read_csv('rooms.csv')",
    "df['area'] = df['area'].fillna(df['area'].mean())",
    "X, y = df[['area']], df['price']\nX_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)",
    "model = Ridge().fit(X_train, y_train)\nmodel.score(X_test, y_test)",
]


@pytest.fixture
def leaky(write_notebook: WriteNotebook, tmp_path: Path) -> Path:
    (tmp_path / "rooms.csv").write_text("area,price\n1,2\n,3\n4,5\n6,7\n")
    return write_notebook("rooms.ipynb", LEAKY)


@pytest.fixture
def sound(write_notebook: WriteNotebook) -> Path:
    return write_notebook("sound.ipynb", ["x = 1"])


def test_a_bare_notebook_gets_an_honest_page(leaky: Path, nbprod: Nbprod) -> None:
    done = nbprod("readiness", "rooms.ipynb")

    assert done.exit_code == 1, done.output
    assert done.stdout.startswith("rooms.ipynb: may not go live, contradicted: SK-6\n")
    assert "proved        NB-2  No hidden state" in done.stdout
    assert "missing       NB-1  The notebook runs from top to bottom [blocking]" in done.stdout
    first = done.stdout.partition("what to do first\n")[2].splitlines()
    assert first[0].startswith("  1  look at cell 4: ")
    assert first[2] == "  2  nbprod tag rooms.ipynb --apply && nbprod run rooms.ipynb"


def test_nothing_is_written_by_looking(leaky: Path, nbprod: Nbprod, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.rglob("*"))
    nbprod("readiness", "rooms.ipynb")
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_json_is_as_its_schema_says(leaky: Path, nbprod: Nbprod, valid: Callable[[str, Any], None]) -> None:
    report = json.loads(nbprod("readiness", "rooms.ipynb", "--format", "json").stdout)

    valid("readiness", report)
    assert len(report["items"]) == 43
    assert report["blockers"] == ["SK-6"]


def test_the_schema_is_that_of_the_answer() -> None:
    kept = json.loads((Path(package.__file__).parent / "schemas" / "readiness.json").read_text())
    made = msgspec.json.schema(Readiness, ref_template="#/$defs/{name}")
    assert {key: kept[key] for key in made} == made


def test_tools_get_a_problem_for_what_is_open(leaky: Path, nbprod: Nbprod) -> None:
    sarif = json.loads(nbprod("readiness", "rooms.ipynb", "--format", "sarif").stdout)
    results = {each["ruleId"]: each["level"] for each in sarif["runs"][0]["results"]}
    assert (results["SK-6"], results["NB-1"]) == ("error", "note")
    assert "NB-2" not in results

    suites = ElementTree.fromstring(nbprod("readiness", "rooms.ipynb", "--format", "junit").stdout)
    assert (suites.get("tests"), suites.get("failures")) == ("43", "1")

    lines = nbprod("readiness", "rooms.ipynb", "--format", "github").stdout.splitlines()
    error = next(line for line in lines if line.startswith("::error"))
    assert "title=SK-6" in error
    assert "cell 4" in error


def test_a_report_is_written_beside_the_text(leaky: Path, nbprod: Nbprod, tmp_path: Path) -> None:
    nbprod("readiness", "rooms.ipynb", "--html", "r.html", "--badge", "r.svg", "--report", "r.xml")

    assert "It may not go live" in (tmp_path / "r.html").read_text()
    assert "1 blocking" in (tmp_path / "r.svg").read_text()
    assert ElementTree.fromstring((tmp_path / "r.xml").read_text()).get("failures") == "1"


@pytest.mark.parametrize(
    "words, shown, hidden",
    [
        pytest.param(["--only", "SU"], ["SU-1", "SU-5"], ["NB-1", "what to do first"], id="a section"),
        pytest.param(["--only", "nb-1,sk-2"], ["NB-1", "SK-2"], ["NB-2", "SU-1"], id="items, in any case"),
        pytest.param(["--only", "NB-1", "--only", "TM"], ["NB-1", "TM-3"], ["NB-2"], id="both"),
        pytest.param(["--open"], ["NB-1"], ["NB-2  No hidden"], id="what is open"),
    ],
)
def test_it_can_be_limited(words: list[str], shown: list[str], hidden: list[str], leaky: Path, nbprod: Nbprod) -> None:
    text = nbprod("readiness", "rooms.ipynb", *words).stdout

    assert [each for each in shown if each not in text] == []
    assert [each for each in hidden if each in text] == []


@pytest.mark.parametrize(
    "words, code",
    [
        pytest.param([], 0, id="nothing is contradicted"),
        pytest.param(["--fail-under", "0"], 0, id="a score of nothing is enough"),
        pytest.param(["--fail-under", "1"], 1, id="the score is too low"),
    ],
)
def test_the_exit_code_goes_by_blockers_and_score(words: list[str], code: int, sound: Path, nbprod: Nbprod) -> None:
    assert nbprod("readiness", "sound.ipynb", *words).exit_code == code


@pytest.mark.parametrize("form", ["text", "github", "json"])
def test_why_it_fails_is_said_where_other_items_are_shown(form: str, sound: Path, nbprod: Nbprod) -> None:
    done = nbprod("readiness", "sound.ipynb", "--only", "NB-2", "--fail-under", "1", "--format", form)

    assert done.exit_code == 1
    assert "the score, 0%, is under --fail-under 1 %" in (done.stdout if form == "text" else done.stderr)


@pytest.mark.parametrize(
    "words, told",
    [
        pytest.param(["--explain", "SK9"], 'no item "SK9"', id="no item of that id"),
        pytest.param(["sound.ipynb", "--only", "XX"], 'no item "XX"', id="no section of that id"),
        pytest.param(["sound.ipynb", "--anew"], "--anew goes with --gather", id="anew alone"),
        pytest.param(["nowhere.ipynb"], "not-found", id="no notebook"),
        pytest.param(["sound.ipynb", "--report", "r.txt"], "r.txt", id="a report of no known kind"),
    ],
)
def test_what_can_not_be_meant_is_an_error(words: list[str], told: str, sound: Path, nbprod: Nbprod) -> None:
    done = nbprod("readiness", *words)

    assert (done.exit_code, told in done.output) == (2, True), done.output


def test_an_item_is_explained_without_a_notebook(nbprod: Nbprod) -> None:
    done = nbprod("readiness", "--explain", "su-3")

    assert done.exit_code == 0
    for part in (
        "SU-3",
        "Slices and inclusion",
        "why ",
        "source ",
        "slices, protected",
        'not_applicable."SU-3"',
        "--gather",
    ):
        assert part in done.stdout


@pytest.mark.parametrize(
    "names, configured, code",
    [
        pytest.param(["a.ipynb"], "", 0, id="the only one of the folder"),
        pytest.param(["a.ipynb", "b.ipynb"], '[pipelines.b]\nnotebook = "b.ipynb"\n', 0, id="the one with a pipeline"),
        pytest.param(["a.ipynb", "b.ipynb"], "", 2, id="one of several can't be guessed"),
    ],
)
def test_without_a_notebook_it_is_the_projects(
    names: list[str], configured: str, code: int, write_notebook: WriteNotebook, nbprod: Nbprod, tmp_path: Path
) -> None:
    for name in names:
        write_notebook(name, ["x = 1"])
    (tmp_path / "nbprod.toml").write_text(configured)

    done = nbprod("readiness")

    assert done.exit_code == code, done.output
    if code == 0:
        assert done.stdout.startswith(f"{names[-1]}: ")


@pytest.mark.parametrize(
    "declared, message",
    [
        pytest.param('"SU-3" = "machines"', None, id="with a reason"),
        pytest.param('"SU-3" = ""', "without a reason", id="without one"),
        pytest.param('"NB-1" = "we know"', "NB-1 applies to every model", id="what can't be left out"),
        pytest.param('"SU-33" = "x"', "did you mean SU-3", id="no such item"),
    ],
)
def test_items_are_left_out_with_a_reason(
    declared: str, message: str | None, sound: Path, nbprod: Nbprod, tmp_path: Path
) -> None:
    head = '[pipelines.sound]\nnotebook = "sound.ipynb"\n[pipelines.sound.not_applicable]\n'
    (tmp_path / "nbprod.toml").write_text(head + declared)

    done = nbprod("readiness", "sound.ipynb")

    if message is None:
        assert "not-applicable SU-3" in done.stdout
    else:
        assert (done.exit_code, message in done.output) == (2, True), done.output


def interviewed(*answers: str, only: str) -> Any:
    words = ["readiness", "sound.ipynb", "--interview", "--only", only]
    return CliRunner().invoke(app, words, input="".join(f"{each}\n" for each in answers), prog_name="nbprod")


def test_the_interview_asks_until_an_answer_can_be(sound: Path, nbprod: Nbprod, tmp_path: Path) -> None:
    done = interviewed("soon", "?", "weekly", "", "x", "9", only="RT-1,RT-4")

    assert "none of hourly, daily" in done.stderr
    assert "The world moves away from every model" in done.stderr
    assert '"max_rollback_seconds" must be a number, not "x"' in done.stderr
    table = tomllib.loads((tmp_path / "nbprod.toml").read_text())["pipelines"]["sound"]
    assert table == {"notebook": "sound.ipynb", "retraining": {"cadence": "weekly"}, "max_rollback_seconds": 9}


def test_what_few_pipelines_have_is_asked_for_by_name_alone(sound: Path, nbprod: Nbprod) -> None:
    def asked(*words: str) -> str:
        done = CliRunner().invoke(
            app, ["readiness", "sound.ipynb", "--interview", *words], input="", prog_name="nbprod"
        )
        return done.stderr

    assert "allow_names" in asked("--only", "NB-2")
    first = asked()
    assert "What is the problem" in first
    number = int(first.partition(" questions")[0].split()[-1])
    assert number == sum(not each.is_rare for each in QUESTIONS)


def test_of_items_that_nothing_can_be_declared_of_nothing_is_asked(sound: Path, nbprod: Nbprod) -> None:
    done = nbprod("readiness", "sound.ipynb", "--interview", "--only", "NB-1")

    assert "of these items nothing can be declared" in done.stderr


def test_an_interview_that_ends_early_loses_nothing(sound: Path, nbprod: Nbprod, tmp_path: Path) -> None:
    interviewed("weekly", only="RT-1")

    assert "weekly" in (tmp_path / "nbprod.toml").read_text()
    again = interviewed(only="RT-1")
    assert "retraining.cadence" not in again.stderr
    assert "retraining.trigger" in again.stderr
