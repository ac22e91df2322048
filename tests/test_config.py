"""The configuration: what is read, where it is found, and what is said of a wrong key."""

from __future__ import annotations

from pathlib import Path

import pytest

from nbprod.config import Config, find_project, read_config
from nbprod.errors import NbprodError

FULL = """
output = "packages"
exclude = ["scratch/*"]

[pipelines.churn]
notebook = "notebooks/churn.ipynb"
target = "left"
row-policy = "reject"
owner = "growth team"
problem = "who is about to leave"

[pipelines.churn.requirements]
latency_ms = 20
availability = 0.999

[pipelines.churn.success]
metric = "recall"
target = 0.8
thresholds = { recall = 0.8, precision = 0.3 }

[pipelines.churn.retraining]
cadence = "weekly"

[pipelines.churn.low-confidence]
band = [0.4, 0.6]
action = "abstain"
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_table_becomes_its_value(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, "nbprod.toml", FULL))

    churn = config.pipelines["churn"]
    assert (config.output, config.exclude) == ("packages", ("scratch/*",))
    assert (churn.target, churn.row_policy, churn.owner) == ("left", "reject", "growth team")
    assert (churn.requirements.latency_ms, churn.requirements.volume_rps) == (20.0, None)
    assert churn.success.thresholds == {"recall": 0.8, "precision": 0.3}
    assert (churn.low_confidence.band, churn.low_confidence.action) == ((0.4, 0.6), "abstain")


def test_the_same_tables_stand_below_tool_nbprod_in_pyproject(tmp_path: Path) -> None:
    own = read_config(written(tmp_path, "nbprod.toml", FULL))
    nested = FULL.replace("[pipelines", "[tool.nbprod.pipelines").replace("output", "[tool.nbprod]\noutput", 1)

    assert read_config(written(tmp_path, "pyproject.toml", nested)) == own


@pytest.mark.parametrize(
    "text, code, message, hint, line",
    [
        pytest.param('outputs = "x"', "unknown-key", '"outputs"', 'did you mean "output"?', 1, id="near-a-known-key"),
        pytest.param("colour = 1", "unknown-key", '"colour"', "known keys: output", 1, id="near-to-nothing"),
        pytest.param(
            '[pipelines.churn]\nowner = "me"\nnotebok = "a"',
            "unknown-key",
            '"pipelines.churn.notebok"',
            '"notebook"',
            3,
            id="in-a-pipeline",
        ),
        pytest.param(
            "[pipelines.churn.sucess]\nmetric = 'f1'",
            "unknown-key",
            '"pipelines.churn.sucess"',
            '"success"',
            1,
            id="a-table",
        ),
        pytest.param(
            "output = 3", "bad-config", '"output" must be a string, not 3', None, 1, id="a-number-for-a-string"
        ),
        pytest.param("exclude = 'a'", "bad-config", "a list", None, 1, id="a-string-for-a-list"),
        pytest.param("pipelines = 1", "bad-config", "a table", None, 1, id="a-number-for-a-table"),
        pytest.param(
            "[pipelines.a.requirements]\nlatency_ms = true",
            "bad-config",
            "a number, not True",
            None,
            2,
            id="true-is-no-number",
        ),
        pytest.param(
            "[pipelines.a]\nrow_policy = 'flagg'",
            "bad-config",
            "flag, reject, default",
            'did you mean "flag"?',
            2,
            id="not-one-of-the-choices",
        ),
        pytest.param(
            "[pipelines.a.columns.Age]\non_missing = 'ignore'",
            "bad-config",
            "flag, reject",
            None,
            2,
            id="not-one-of-the-choices-of-a-column",
        ),
        pytest.param(
            "[pipelines.a]\nacknowledged = 'yesterday'", "bad-config", "no day", '"2026-05-31"', 2, id="no-day"
        ),
        pytest.param(
            "[pipelines.a.tolerance]\nratio = 1e-3",
            "bad-config",
            "more than 1e-06 needs a reason",
            "tolerance_reasons = { ratio =",
            2,
            id="a-tolerance-without-a-reason",
        ),
        pytest.param(
            "[pipelines.a.tolerance]\nratio = 2\n[pipelines.a.tolerance_reasons]\nratio = 'it is so'",
            "bad-config",
            "is 2",
            None,
            2,
            id="a-tolerance-of-anything",
        ),
        pytest.param("output = ", "bad-config", "not valid TOML", None, None, id="no-toml"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_key_and_line(
    tmp_path: Path, text: str, code: str, message: str, hint: str | None, line: int | None
) -> None:
    path = written(tmp_path, "nbprod.toml", text)

    with pytest.raises(NbprodError) as raised:
        read_config(path)

    error = raised.value
    assert error.code == code
    assert message in error.message
    assert hint is None or hint in (error.hint or "")
    assert error.where is not None
    assert (error.where.path, error.where.line) == (str(path), line)


@pytest.mark.parametrize(
    "files, found",
    [
        pytest.param({"nbprod.toml": "output = 'a'"}, "a", id="nbprod-toml"),
        pytest.param({"pyproject.toml": "[tool.nbprod]\noutput = 'b'"}, "b", id="pyproject-with-our-table"),
        pytest.param(
            {"pyproject.toml": "[tool.black]\nnbprod = 1", ".git/HEAD": ""}, "pipelines", id="pyproject-without"
        ),
        pytest.param({".git/HEAD": ""}, "pipelines", id="git-alone"),
    ],
)
def test_the_project_is_the_nearest_parent_that_says_so(tmp_path: Path, files: dict[str, str], found: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        written(tmp_path, name, text)
    notebook = tmp_path / "notebooks" / "deep" / "churn.ipynb"
    notebook.parent.mkdir(parents=True)
    notebook.touch()

    project = find_project(notebook)

    assert project.root == tmp_path.resolve()
    assert project.config.output == found


def test_two_configurations_in_one_folder_are_an_error(tmp_path: Path) -> None:
    written(tmp_path, "nbprod.toml", "")
    written(tmp_path, "pyproject.toml", "[tool.nbprod]\n")

    with pytest.raises(NbprodError, match="configure this project"):
        find_project(tmp_path)


def test_nothing_is_needed_to_start(tmp_path: Path) -> None:
    assert find_project(tmp_path).config == Config()


def test_a_pipeline_is_found_by_its_notebook(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, "nbprod.toml", FULL))

    assert config.name_for(tmp_path / "notebooks" / "churn.ipynb", tmp_path) == "churn"
    assert config.name_for(tmp_path / "churn.ipynb", tmp_path) is None
