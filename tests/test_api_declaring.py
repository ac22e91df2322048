"""Declarations as a person types them: what is written, what is refused, and that the rest of the file stays."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins

from nbprod import api
from nbprod.api.declaring import _hint_of
from nbprod.config import config_of
from nbprod.errors import NbprodError
from nbprod.readiness import CHECKS
from nbprod.readiness.questions import QUESTIONS


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sales.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(project: Path) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((project / "nbprod.toml").read_text())["pipelines"]["sales"]
    return table


@pytest.mark.parametrize(
    "key, typed, value",
    [
        pytest.param("owner", "ada@example.org", "ada@example.org", id="text"),
        pytest.param("success.target", "12.5", 12.5, id="a number"),
        pytest.param("requirements.latency_ms", "50", 50, id="a whole number"),
        pytest.param("success.target", "1e3", 1000.0, id="a number with an exponent"),
        pytest.param("success.higher_is_better", "No", False, id="no"),
        pytest.param("decision.uses_probability", "y", True, id="yes"),
        pytest.param("slices", "region, plan", ["region", "plan"], id="a list"),
        pytest.param("slices", "'price, EUR', it's", ["price, EUR", "it's"], id="a list with a comma in a name"),
        pytest.param("low_confidence.band", "0.4, 0.6", [0.4, 0.6], id="a list of numbers"),
        pytest.param("low_confidence.band", "[0.4, 0.6]", [0.4, 0.6], id="a list in brackets"),
        pytest.param("success.costs", "missed = 120, late=8", {"missed": 120, "late": 8}, id="a table"),
        pytest.param("serve_mode", "batch", "batch", id="one of a few"),
        pytest.param("problem", 'It is "so", they say = why', 'It is "so", they say = why', id="any text"),
    ],
)
def test_what_is_typed_is_written_with_its_type(key: str, typed: str, value: Any, project: Path) -> None:
    api.declare("sales.ipynb", {key: typed})

    found: Any = written(project)
    for name in key.split("."):
        found = found[name]
    assert (found, type(found)) == (value, type(value))
    told = {each.key: each.value for each in api.declarations("sales.ipynb").declarations}
    assert told[key] is not None
    api.declare("sales.ipynb", {key: told[key]})
    assert {each.key: each.value for each in api.declarations("sales.ipynb").declarations} == told


@pytest.mark.parametrize(
    "key, typed, message",
    [
        pytest.param("success.target", "much", "must be a number", id="no number"),
        pytest.param("requirements.latency_ms", "inf", "a finite number", id="no number that can be met"),
        pytest.param("serve_mode", "sometimes", "one of online, batch, stream", id="not one of a few"),
        pytest.param("success.higher_is_better", "perhaps", "yes or no", id="neither yes nor no"),
        pytest.param("success.costs", "120", "pairs such as", id="no pairs"),
        pytest.param("retraining.cadence", "often", "retraining.cadence", id="no cadence"),
        pytest.param("owners.sales", "Ada", 'unknown key "owners.sales"', id="no such key"),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_is_written(key: str, typed: str, message: str, project: Path) -> None:
    api.declare("sales.ipynb", {"owner": "Ada"})
    before = (project / "nbprod.toml").read_bytes()

    with pytest.raises(NbprodError, match=message):
        api.declare("sales.ipynb", {"problem": "x", key: typed})

    assert (project / "nbprod.toml").read_bytes() == before


def test_comments_and_other_tables_stay(project: Path) -> None:
    table = '[pipelines.sales] # the one\nnotebook = "sales.ipynb"\nowner = "Eve" # for now\n'
    text = f'# ours\noutput = "out" # here\n\n{table}'
    (project / "nbprod.toml").write_text(text)

    api.declare("sales.ipynb", {"problem": "Churn", "success.metric": "f1"})

    after = (project / "nbprod.toml").read_text()
    for part in ("# ours", 'output = "out" # here', "[pipelines.sales] # the one", 'owner = "Eve" # for now'):
        assert part in after
    assert written(project)["success"] == {"metric": "f1"}


ANSWERS = {
    "problem": "Why?",
    "success.target": "12",
    "success.costs": "late = 1",
    "low_confidence.action": "flag",
    "max_rollback_seconds": "60",
    "data.versions": "data/sales.csv = 2026-05",
    "allow_names": "spark, display",
    "metric_tolerance": "0.01",
}


@pytest.mark.parametrize(
    "text, kept",
    [
        pytest.param('success = { metric = "f1" }', {"success": {"metric": "f1"}}, id="a table in a line"),
        pytest.param('success.metric = "f1"', {"success": {"metric": "f1"}}, id="dotted keys"),
        pytest.param("low-confidence = { band = [0.4, 0.6] }", {"low_confidence": {"band": (0.4, 0.6)}}, id="dashes"),
        pytest.param("max-rollback-seconds = 5", {}, id="a key with dashes, which is replaced"),
        pytest.param("slices = [\n  'a', # one\n  'b',\n]", {"slices": ("a", "b")}, id="a list over several lines"),
        pytest.param('owner = """Ada\nand Eve"""', {"owner": "Ada\nand Eve"}, id="a text over several lines"),
        pytest.param('[pipelines.sales.success]\nmetric = "f1"', {"success": {"metric": "f1"}}, id="no last newline"),
    ],
)
@pytest.mark.parametrize("head", ['[pipelines.sales]\nnotebook = "sales.ipynb"\n', '[pipelines."sales"]\n'])
def test_answers_join_what_the_file_has_in_any_form(head: str, text: str, kept: dict[str, Any], project: Path) -> None:
    (project / "nbprod.toml").write_text(f"{head}{text}")

    for key, answer in ANSWERS.items():
        api.declare("sales.ipynb", {key: answer})

    given = {each.key: each.value for each in api.declarations("sales.ipynb").declarations}
    assert {key: given[key] for key in ANSWERS} == ANSWERS
    settings = config_of(tomllib.loads((project / "nbprod.toml").read_text()), project).pipelines["sales"]
    for key, value in kept.items():
        found = to_builtins(getattr(settings, key))
        assert found == value or value.items() <= found.items(), key


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('[pipelines]\nsales = { notebook = "sales.ipynb" }\n', id="the pipeline in a line"),
        pytest.param('pipelines = { sales = { notebook = "sales.ipynb" } }\n', id="all pipelines in a line"),
        pytest.param('[pipelines]\nsales.notebook = "sales.ipynb"\n', id="the pipeline by dotted keys"),
        pytest.param('pipelines.sales.notebook = "sales.ipynb"\n', id="all by dotted keys"),
        pytest.param('[pipelines.other]\nnotebook = "o.ipynb"\n\n[pipelines.sales.labels]\nkey = "id"', id="a part"),
    ],
)
def test_a_pipeline_may_be_written_in_any_form(text: str, project: Path) -> None:
    (project / "nbprod.toml").write_text(text)
    before = tomllib.loads(text)["pipelines"]

    for key, answer in ANSWERS.items():
        api.declare("sales.ipynb", {key: answer})

    given = {each.key: each.value for each in api.declarations("sales.ipynb").declarations}
    assert {key: given[key] for key in ANSWERS} == ANSWERS
    after = tomllib.loads((project / "nbprod.toml").read_text())["pipelines"]
    assert after.keys() == before.keys()
    assert before["sales"].items() <= after["sales"].items()


def test_the_file_keeps_its_ends_of_lines_its_rights_and_its_place(project: Path) -> None:
    (project / "shared").mkdir()
    real = project / "shared" / "nbprod.toml"
    real.write_bytes(b'# ours\r\n[pipelines.sales]\r\nowner = "Eve"\r\n')
    real.chmod(0o600)
    (project / "nbprod.toml").symlink_to(real)

    api.declare("sales.ipynb", {"problem": "Why?", "success.metric": "f1"})

    text = real.read_bytes()
    assert text.count(b"\n") == text.count(b"\r\n") > 5
    assert real.stat().st_mode & 0o777 == 0o600
    assert (project / "nbprod.toml").is_symlink()
    assert sorted(each.name for each in (project / "shared").iterdir()) == ["nbprod.toml"]


def test_an_empty_answer_takes_a_key_out_again(project: Path) -> None:
    api.declare("sales.ipynb", {"owner": "Ada", "success.metric": "f1"})
    api.declare("sales.ipynb", {"success.metric": "", "labels.key": ""})

    assert written(project) == {"notebook": "sales.ipynb", "owner": "Ada", "success": {}}


def test_it_goes_where_the_project_is_configured(project: Path) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "x" # ours\n\n[tool.nbprod]\noutput = "pipelines"\n')

    api.declare("sales.ipynb", {"owner": "Ada"})

    table = tomllib.loads((project / "pyproject.toml").read_text())
    assert table["tool"]["nbprod"]["pipelines"]["sales"]["owner"] == "Ada"
    assert not (project / "nbprod.toml").exists()


def test_every_key_that_a_check_goes_by_is_asked_for_or_written_by_hand() -> None:
    asked = {question.key for question in QUESTIONS}
    by_hand = {"gate.min_delta", "monitoring.drift", "monitoring.thresholds", "monitoring.missing", "monitoring.unseen",
               "monitoring.out_of_range", "columns"}  # fmt: skip
    assert {key for check in CHECKS for key in check.keys} - asked == by_hand
    for question in QUESTIONS:
        _hint_of(question.key)
        assert question.items
        assert question.text.endswith("?")
