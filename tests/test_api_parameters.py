"""A run's parameters: which there are, how values become typed, and the notebook that runs with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nbprod.api.parameters import parameters_of, read_parameters, typed, with_parameters
from nbprod.errors import NbprodError
from nbprod.notebook import read_text

CELL = """\
TEST_SIZE = 0.2
SEED: int = 42
name = 'Ünï'; verbose = False
columns = [
    'a',
    'b',
]
folder = None
limit = 2 * 3
after = 1
"""
NOTEBOOK = read_text(f'# %% tags=["parameters"]\n{CELL}\n# %%\nx = SEED\n', "a.py")


def test_the_parameters_are_what_the_cell_assigns() -> None:
    found = parameters_of(NOTEBOOK)

    assert list(found) == ["TEST_SIZE", "SEED", "name", "verbose", "columns", "folder", "limit", "after"]
    assert (found["columns"].default, found["limit"].literal) == (["a", "b"], False)


@pytest.mark.parametrize(
    "name, given, value",
    [
        pytest.param("TEST_SIZE", "0.3", 0.3, id="a-float"),
        pytest.param("TEST_SIZE", "1", 1.0, id="a-whole-number-for-a-float"),
        pytest.param("SEED", "7", 7, id="an-int"),
        pytest.param("SEED", "-7", -7, id="a-negative-int"),
        pytest.param("name", "7", "7", id="a-string-that-looks-like-a-number"),
        pytest.param("verbose", "true", True, id="a-word-for-a-bool"),
        pytest.param("verbose", "No", False, id="another-word-for-a-bool"),
        pytest.param("columns", "['c']", ["c"], id="a-list"),
        pytest.param("columns", ("c", "d"), ["c", "d"], id="a-tuple-from-a-caller"),
        pytest.param("folder", "data", "data", id="a-text-where-the-default-says-nothing"),
        pytest.param("folder", "3", 3, id="a-number-where-the-default-says-nothing"),
        pytest.param("limit", "9", 9, id="a-default-that-is-computed"),
    ],
)
def test_values_get_the_type_of_the_default(name: str, given: Any, value: Any) -> None:
    assert typed(NOTEBOOK, {name: given}) == {name: value}
    assert type(typed(NOTEBOOK, {name: given})[name]) is type(value)


@pytest.mark.parametrize(
    "name, given, code, hint",
    [
        pytest.param("SEDE", "7", "unknown-parameter", 'did you mean "SEED"?', id="a-name-mistyped"),
        pytest.param("zzz", "7", "unknown-parameter", "there are: TEST_SIZE, SEED", id="a-name-like-no-other"),
        pytest.param("SEED", "7.5", "bad-parameter", "its default is 42", id="a-float-for-an-int"),
        pytest.param("SEED", "seven", "bad-parameter", "its default is 42", id="a-word-for-an-int"),
        pytest.param("SEED", True, "bad-parameter", "its default is 42", id="a-bool-for-an-int"),
        pytest.param("verbose", "2", "bad-parameter", "its default is False", id="a-number-for-a-bool"),
        pytest.param("name", 7, "bad-parameter", "its default is 'Ünï'", id="a-number-for-a-string"),
        pytest.param("columns", "{'a': 1}", "bad-parameter", "its default is ['a', 'b']", id="a-dict-for-a-list"),
    ],
)
def test_a_wrong_value_is_an_error_at_the_parameter(name: str, given: Any, code: str, hint: str) -> None:
    with pytest.raises(NbprodError) as raised:
        typed(NOTEBOOK, {name: given})

    assert raised.value.code == code
    assert hint in (raised.value.hint or "")
    assert raised.value.where is not None
    assert raised.value.where.cell == 0


def test_parameters_without_a_cell_for_them_are_an_error() -> None:
    with pytest.raises(NbprodError, match="no parameters cell"):
        typed(read_text("# %%\nx = 1\n", "a.py"), {"x": 2})


def test_the_notebook_with_values_keeps_every_other_line_in_place() -> None:
    values = {"TEST_SIZE": 0.25, "name": "Ä", "verbose": True, "columns": ["c"], "after": 2}

    changed = with_parameters(NOTEBOOK, values).cells[0]

    before, after = NOTEBOOK.cells[0].source.splitlines(), changed.source.splitlines()
    assert len(before) == len(after)
    assert after[0] == "TEST_SIZE = 0.25"
    assert after[2] == "name = 'Ä'; verbose = True"
    assert after[3] == "columns = ['c']"
    assert after[7:] == ["folder = None", "limit = 2 * 3", "after = 2"]
    namespace: dict[str, Any] = {}
    exec(changed.code, namespace)
    assert {name: namespace[name] for name in values} == values
    assert with_parameters(NOTEBOOK, {}) == NOTEBOOK


@pytest.mark.parametrize(
    "text, value",
    [("a: 1\nb: [x]\n", {"a": 1, "b": ["x"]}), ('{"a": 1.5}', {"a": 1.5}), ("", {})],
    ids=["yaml", "json", "nothing"],
)
def test_a_file_gives_parameters(tmp_path: Path, text: str, value: Any) -> None:
    path = tmp_path / "params.yml"
    path.write_text(text)

    assert read_parameters(str(path)) == value


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "1: 2"], ids=["a-list", "broken", "a-number-for-a-name"])
def test_a_file_that_holds_something_else_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yml"
    path.write_text(text)

    with pytest.raises(NbprodError) as raised:
        read_parameters(str(path))

    assert raised.value.code == "bad-parameters-file"
