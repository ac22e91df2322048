"""Every public name of the libraries that notebooks use has a row in the tables."""

from __future__ import annotations

import runpy
import tomllib
from importlib import metadata
from importlib.resources import files
from pathlib import Path

import pytest

from nbprod.analysis.tables import (
    EMPTY,
    estimator_kind,
    estimator_method,
    function_behaviour,
    is_gone,
    learning_function,
    library_kind,
    method_behaviour,
    table,
)

TOOL = runpy.run_path(str(Path(__file__).with_name("library_names.py")))
LISTS = sorted((Path(__file__).parent / "library_names").glob("*.txt"))


def lacking(library: str, lines: list[str]) -> list[str]:
    """The names without a row."""
    return [line for line in lines if row_of(library, *line.split()) is None]


def row_of(library: str, section: str, name: str, *abilities: str) -> str | None:
    """What the tables say of a name, as the analysis asks them."""
    match section:
        case _ if library_kind(library) == "sink":
            return "sink"
        case "module" if library in ("pandas", "numpy", "scipy"):
            return function_behaviour(f"{library}.{name}")
        case "function" | "module":
            return learning_function(f"{library}.{name}")
        case "estimator":
            return estimator_kind(name) or learning_function(name)
        case "class":
            return learning_function(name) or estimator_kind(name)
        case "method":
            return estimator_method(f"{library}.", name)
        case "index":
            return method_behaviour("index", name) or method_behaviour("index-attributes", name)
        case _:
            return method_behaviour(section, name)


@pytest.mark.parametrize("path", LISTS, ids=[path.stem for path in LISTS])
def test_every_name_has_a_row(path: Path) -> None:
    assert lacking(path.stem.partition("-")[0], path.read_text(encoding="utf-8").splitlines()) == []


@pytest.mark.parametrize("library", TOOL["LIBRARIES"])
def test_every_name_of_the_installed_version_has_a_row(library: str) -> None:
    distribution, names = TOOL["LIBRARIES"][library]
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{distribution} is not installed")
    assert lacking(library, TOOL["listed"](names)) == []


def rows(prefix: str, section: str) -> list[list[str]]:
    """The lines of a section in all lists of a library."""
    every = [line.split() for path in LISTS if path.stem.startswith(prefix) for line in path.read_text().splitlines()]
    return [line[1:] for line in every if line[0] == section]


NEEDS = {
    "columnwise": {"transform"},
    "mixing": {"transform"},
    "classifiers": {"predict"},
    "regressors": {"predict"},
    "clusterers": {"predict"},
    "detectors": {"predict"},
    "samplers": {"fit_resample"},
    "undersamplers": {"fit_resample"},
    "splitters": {"split"},
}
"""What an estimator of a kind must be able to do."""


@pytest.mark.parametrize("library", ["sklearn", "imblearn", "category_encoders", "xgboost", "lightgbm", "catboost"])
def test_estimators_can_do_what_their_kind_does(library: str) -> None:
    wrong = [
        name
        for name, *abilities in rows(library, "estimator")
        if not NEEDS.get(estimator_kind(name) or "", set()) <= {*abilities}
    ]
    assert wrong == []


def test_what_predicts_is_no_transformer_and_the_other_way_round() -> None:
    kinds = {estimator_kind(name): {*abilities} for name, *abilities in rows("sklearn", "estimator")}
    assert "predict" not in kinds["mixing"] | kinds["columnwise"] | kinds["densities"]


@pytest.mark.parametrize("receiver", ["frame"])
def test_names_that_a_pandas_no_longer_has(receiver: str) -> None:
    newest = {name for (name,) in rows("pandas-3", receiver)}
    older = {name for (name,) in rows("pandas-2", receiver)}

    assert {name for name in older - newest if not is_gone(receiver, name, 3)} == set()
    assert not any(is_gone(receiver, name, 3) for name in newest)
    assert not any(is_gone(receiver, name, 2) for name in older)


def test_no_name_has_two_rows() -> None:
    for file in files("nbprod.analysis").joinpath("libraries").iterdir():
        for section, behaviours in tomllib.loads(file.read_text(encoding="utf-8")).items():
            names = [name for listed in behaviours.values() if isinstance(listed, str) for name in listed.split()]
            twice = {name for name in names if names.count(name) > 1}
            assert (file.name, section, twice) == (file.name, section, set())


def test_a_name_follows_the_longest_pattern_and_its_own_row_first() -> None:
    assert function_behaviour("scipy.linalg.block_diag") == "row-changing"
    assert function_behaviour("scipy.linalg.svd") == "reduction"
    assert function_behaviour("scipy.stats.norm.cdf") == "row-wise"
    assert function_behaviour("scipy.stats.norm.fit") == "reduction"
    assert function_behaviour("pandas.read_parquet") == "read"
    assert learning_function("sklearn.metrics.RocCurveDisplay.from_estimator") is None
    assert table("pandas").get("nothing", EMPTY).get("name") is None
