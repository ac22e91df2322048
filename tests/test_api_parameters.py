"""A run's parameters: which there are, how values become typed, and the notebook that runs with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nbprod.api.parameters import as_recorded, in_clear, kind_of, parameters_of, read_parameters, typed, with_parameters
from nbprod.errors import NbprodError
from nbprod.model.notebook import Notebook
from nbprod.model.parameter import Made, SecretValue, code_of
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
    assert (found["columns"].default, found["limit"].default) == (["a", "b"], 6)


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


@pytest.mark.parametrize(
    "text",
    ["[1, 2]", "a: [", "1: 2", "a: 2024-13-45", "[" * 3000],
    ids=["a-list", "broken", "a-number-for-a-name", "no-date", "too-deep"],
)
def test_a_file_that_holds_something_else_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "params.yml"
    path.write_text(text)

    with pytest.raises(NbprodError) as raised:
        read_parameters(str(path))

    assert raised.value.code == "bad-parameters-file"


def declared(line: str, imports: str = "") -> Notebook:
    """A notebook whose cell of parameters holds some lines."""
    return read_text(f'# %%\n{imports}\n# %% tags=["parameters"]\n{line}\n# %%\n', "a.py")


IMPORTS = """\
import datetime as dt
import pandas as pd
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Mapping, Optional, Sequence, Union
"""


@pytest.mark.parametrize(
    "line, kind",
    [
        pytest.param("n: int | None = None", "int | None", id="a-union-with-none"),
        pytest.param("n: Optional[int] = 3", "int | None", id="optional"),
        pytest.param("n: Union[int, str] = 3", "int | str", id="a-union"),
        pytest.param("n: int = None", "int | None", id="none-as-the-default-of-another-type"),
        pytest.param('n: Literal["a", "b"] = "a"', "Literal['a', 'b']", id="values-that-are-counted-up"),
        pytest.param('n: list[str] = ["x"]', "list[str]", id="a-list"),
        pytest.param("n: Sequence[str] = ()", "list[str]", id="a-sequence"),
        pytest.param("n: dict[str, list[int]] = {}", "dict[str, list[int]]", id="a-dict-of-lists"),
        pytest.param("n: Mapping[str, float] = {}", "dict[str, float]", id="a-mapping"),
        pytest.param("n: tuple[int, ...] = ()", "tuple[int, ...]", id="a-tuple-of-any-length"),
        pytest.param("n: tuple[int, str] = (1, 'a')", "tuple[int, str]", id="a-tuple-of-two"),
        pytest.param('n: "int | None" = None', "int | None", id="an-annotation-as-text"),
        pytest.param('n: Annotated[float, "share"] = 1', "float", id="annotated"),
        pytest.param("n: Final[int] = 1", "int", id="final"),
        pytest.param("n: Path = Path('data')", "Path", id="a-path"),
        pytest.param("n: dt.date | None = None", "date | None", id="a-date-by-another-name"),
        pytest.param("n = Path('data')", "Path", id="a-call-of-a-path"),
        pytest.param("n = pd.Timestamp('2024-01-01')", "datetime", id="a-timestamp"),
        pytest.param("n: float", "float", id="no-default"),
        pytest.param("n = dict(a=1)", "dict", id="a-call-of-dict"),
        pytest.param("n = set([1, 2])", "set", id="a-call-of-set"),
        pytest.param("n = -1", "int", id="a-negative-number"),
        pytest.param("n = 60 * 60", "int", id="arithmetic"),
        pytest.param("n = 1e-3 / 2", "float", id="arithmetic-with-floats"),
        pytest.param("n: Any = 3", None, id="any"),
        pytest.param("n: pd.DataFrame = 3", "int", id="a-class-that-no-value-is-given-for"),
        pytest.param("n = load()", None, id="a-call"),
        pytest.param("n = None", None, id="none"),
        pytest.param("int = str\nn: int = load()", None, id="a-builtin-name-of-the-notebook's-own"),
        pytest.param("def dict(**k): ...\nn = dict(a=1)", None, id="a-function-named-dict"),
        pytest.param("m, n = 1, 2.0", "float", id="a-tuple-of-targets"),
        pytest.param("n = m = 2", "int", id="two-targets"),
        pytest.param("m, *n = load()", None, id="a-call-that-is-unpacked"),
        pytest.param("n: float\nn = 3", "float", id="an-annotation-and-then-a-value"),
        pytest.param("n = 'a'\nn = 3", "int", id="a-name-that-is-set-twice"),
    ],
)
def test_types_come_from_annotations_and_else_from_defaults(line: str, kind: str | None) -> None:
    assert kind_of(parameters_of(declared(line, IMPORTS))["n"]) == kind


@pytest.mark.parametrize(
    "line, given, value",
    [
        pytest.param("n: int | None = None", "7", 7, id="a-number-for-a-union-with-none"),
        pytest.param("n: int | None = 3", "None", None, id="none-for-a-union-with-none"),
        pytest.param("n: int = 0", str(2**70), 2**70, id="a-large-number"),
        pytest.param("n = 'a'", "x=1=2", "x=1=2", id="a-text-with-equals-signs"),
        pytest.param("n = 'a'", "'q'", "'q'", id="a-text-in-quotes"),
        pytest.param("n: str | None = None", "7", "7", id="a-text-that-looks-like-a-number"),
        pytest.param("n: str | None = 'a'", "None", None, id="none-for-a-text-or-none"),
        pytest.param("n: str | None = 'a'", "'None'", "None", id="the-text-none"),
        pytest.param("n: int | str = 1", "7", 7, id="a-number-for-a-number-or-text"),
        pytest.param("n: int | str = 1", "'7'", "7", id="a-text-for-a-number-or-text"),
        pytest.param("n: int | str = 1", "seven", "seven", id="a-word-for-a-number-or-text"),
        pytest.param("n: bool | None = None", "yes", True, id="a-word-for-a-bool-or-none"),
        pytest.param("n: bool | None = None", "0", False, id="a-zero-for-a-bool-or-none"),
        pytest.param('n: Literal["a", "b"] = "a"', "b", "b", id="a-value-of-those-counted-up"),
        pytest.param("n: Literal[1, 2] = 1", "2", 2, id="a-number-of-those-counted-up"),
        pytest.param("n: dict[str, float] = {}", '{"a": 1}', {"a": 1.0}, id="a-dict"),
        pytest.param("n = dict(a=1)", '{"a": true, "b": null}', {"a": True, "b": None}, id="json"),
        pytest.param("n: tuple[int, ...] = ()", "[1, 2]", (1, 2), id="a-list-for-a-tuple"),
        pytest.param("n = set()", "[1, 2]", {1, 2}, id="a-list-for-a-set"),
        pytest.param("n: float = 0", "inf", float("inf"), id="infinity"),
        pytest.param("n: Path = Path('a')", "in/put", Made("in/put", "Path('in/put')"), id="a-path"),
        pytest.param(
            "n: dt.date = None", "2024-05-01", Made("2024-05-01", "dt.date.fromisoformat('2024-05-01')"), id="a-date"
        ),
        pytest.param(
            "n = pd.Timestamp('2024-01-01')", "2024-05-01T10:00",
            Made("2024-05-01T10:00:00", "pd.Timestamp('2024-05-01T10:00:00')"), id="a-moment",
        ),
        pytest.param("n = load()", "any thing", "any thing", id="a-text-where-nothing-says-the-type"),
        pytest.param("n = load()", "[1]", [1], id="a-literal-where-nothing-says-the-type"),
        pytest.param("n = 'a'", "env::prod", "env:prod", id="a-text-that-begins-as-a-reference"),
    ],
)  # fmt: skip
def test_values_are_read_in_the_type_and_recorded_so_that_they_read_the_same(line: str, given: Any, value: Any) -> None:
    notebook = declared(line, IMPORTS)

    read = typed(notebook, {"n": given})

    assert read == {"n": value}
    assert type(read["n"]) is type(value)
    assert typed(notebook, as_recorded(notebook, read)) == read


@pytest.mark.parametrize(
    "line, given, message",
    [
        pytest.param("n: int | None = None", "1.5", "is int | None, and 1.5 is not", id="decimals-for-an-int"),
        pytest.param("n: int = 0", 7.0, "is int, and 7.0 is not", id="a-whole-float-for-an-int"),
        pytest.param("n: int = 0", "nan", "is int, and 'nan' is not", id="not-a-number-for-an-int"),
        pytest.param("n: int = 0", "2**70", "and '2**70' is not", id="a-power-that-nobody-calculates"),
        pytest.param("n: int = 0", None, "is int, and None is not", id="none-for-an-int"),
        pytest.param("n: float = 0", str(2**53 + 1), "and 9007199254740993 would be rounded", id="a-rounded-float"),
        pytest.param("n: list[float] = []", [1, 2**53 + 1], "993 at n[1] would be rounded", id="a-rounded-element"),
        pytest.param("n: str = ''", 7, "is str, and 7 is not", id="a-number-for-a-text"),
        pytest.param("n: list[str] = []", '["a", 2]', "and 2 at n[1] is no str", id="an-element-of-a-list"),
        pytest.param("n: dict[str, float] = {}", {"a": 1, "b": "x"}, "and 'x' at n['b'] is no float", id="a-value"),
        pytest.param("n: dict[str, float] = {}", {1: 2}, "and 1 at n (a key) is no str", id="a-key"),
        pytest.param(
            "n: dict[str, list[int]] = {}", {"a": [1, "x"]}, "and 'x' at n['a'][1] is no int", id="deep-inside"
        ),
        pytest.param("n: tuple[int, str] = (1, '')", "(1, 2)", "and 2 at n[1] is no str", id="a-part-of-a-tuple"),
        pytest.param("n: tuple[int, str] = (1, '')", "(1,)", "and (1,) is not", id="a-short-tuple"),
        pytest.param("n: dt.date = None", "soon", "is date | None, and 'soon' is not", id="a-word-for-a-date"),
        pytest.param("n: bool | None = None", "2", "and 2 is not", id="a-number-for-a-bool"),
        pytest.param('n: Literal["mean", "median"] = "mean"', "meen", "'meen' is not", id="none-of-those-counted-up"),
        pytest.param("n = ''", "env:a b", "which names no environment variable", id="a-reference-to-nothing"),
    ],
)
def test_what_does_not_fit_is_an_error_with_its_place(line: str, given: Any, message: str) -> None:
    with pytest.raises(NbprodError) as raised:
        typed(declared(line, IMPORTS), {"n": given})

    assert raised.value.code == "bad-parameter"
    assert message in raised.value.message
    assert raised.value.where is not None
    assert (raised.value.where.cell, raised.value.where.line) == (1, 1)


def test_a_value_near_one_that_is_counted_up_names_that() -> None:
    with pytest.raises(NbprodError) as raised:
        typed(declared('n: Literal["mean", "median"] = "mean"', IMPORTS), {"n": "meen"})

    assert raised.value.hint == 'did you mean "mean"?'


def test_a_parameter_without_a_default_must_be_given() -> None:
    notebook = declared("m = 1\nn: int")

    with pytest.raises(NbprodError) as raised:
        typed(notebook, {"m": 2})

    assert (raised.value.code, raised.value.where and raised.value.where.line) == ("missing-parameter", 2)
    assert "-p n VALUE (int)" in (raised.value.hint or "")
    assert typed(notebook, {"n": "3"}) == {"n": 3}


@pytest.mark.parametrize(
    "cell, after",
    [
        pytest.param("n: int", "n: int = 7", id="an-annotation-alone"),
        pytest.param("n: int  # rows", "n: int = 7  # rows", id="an-annotation-with-a-comment"),
        pytest.param("m, n = 1, 2", "m, n = 1, 7", id="one-of-a-tuple"),
        pytest.param("n = 1\nn = 2", "n = 1\nn = 7", id="a-name-that-is-set-twice"),
        pytest.param("m = n = 1", "m = n = 1\nn = 7", id="a-value-that-two-names-share"),
        pytest.param("n = 1\nn += 1  # more", "n = 1\nn += 1  # more\nn = 7", id="a-name-that-is-added-to"),
        pytest.param("n = 1\nm = n * 2", "n = 1\nm = n * 2\nn = 7", id="a-name-that-the-cell-reads"),
        pytest.param("n = 1\ndef f():\n    return n", "n = 7\ndef f():\n    return n", id="read-by-a-function"),
        pytest.param("m, *n = load()", "m, *n = load()\nn = 7", id="a-call-that-is-unpacked"),
        pytest.param("n = load(\n  1,\n)", "n = 7\n\n", id="a-call-over-lines"),
    ],
)
def test_a_value_stands_where_the_run_has_it(cell: str, after: str) -> None:
    """papermill sets it behind the cell: what the cell computes from the default stays as it is."""
    changed = with_parameters(declared(cell), {"n": 7}).cells[1]

    assert changed.source.rstrip("\n") == after.rstrip("\n")
    assert changed.code == changed.source


def test_in_a_notebook_that_papermill_executed_the_values_of_a_run_take_the_place_of_the_last_ones() -> None:
    tags = '# %% tags=["parameters"]\nn = 1\nm = 2\n# %% tags=["injected-parameters"]\nn = 5\nm = 6\n'

    changed = with_parameters(read_text(tags, "a.py"), {"n": 7})

    assert [cell.code for cell in changed.cells] == ["n = 1\nm = 2", "# Parameters\nn = 7"]


@pytest.mark.parametrize(
    "cell, said",
    [
        pytest.param("n = 1  # rows to read", "rows to read", id="behind-it"),
        pytest.param("# rows\n# to read\nn = 1", "rows to read", id="above-it"),
        pytest.param("# heading\n\nn = 1", "", id="above-a-blank-line"),
        pytest.param("m = 1  # other\nn = 1", "", id="of-the-line-above"),
        pytest.param("#| nbprod: parameters\nn = 1  # noqa", "", id="for-tools"),
        pytest.param("n = [\n  1,  # first\n]", "first", id="inside-of-it"),
    ],
)
def test_a_comment_describes_a_parameter(cell: str, said: str) -> None:
    assert parameters_of(declared(cell))["n"].description == said


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SALES_PASSWORD", "hunter22")
    monkeypatch.setenv("SALES_PORT", "5432")
    return "hunter22"


@pytest.mark.parametrize(
    "line, given, value, shown",
    [
        pytest.param("n = ''", "env:SALES_PASSWORD", "hunter22", "env:SALES_PASSWORD", id="a-text"),
        pytest.param("n: int = 0", "env:SALES_PORT", 5432, "env:SALES_PORT", id="a-number"),
        pytest.param("n = load()", "env:SALES_PORT", 5432, "env:SALES_PORT", id="where-nothing-says-the-type"),
        pytest.param(
            "n = dict(user='a')", {"password": "env:SALES_PASSWORD"}, {"password": "hunter22"},
            "{'password': 'env:SALES_PASSWORD'}", id="inside-of-a-dict",
        ),
        pytest.param(
            "n = {}", "{'password': 'env:SALES_PASSWORD', 'api_key': 'in-clear-1'}",
            {"password": "hunter22", "api_key": "in-clear-1"}, "***", id="beside-one-in-clear",
        ),
        pytest.param("API_KEY = ''\nn = 0", "0", 0, None, id="no-secret"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("password")
def test_a_reference_is_looked_up_and_stands_for_the_value_in_all_that_is_written(
    line: str, given: Any, value: Any, shown: str | None
) -> None:
    notebook = declared(line)

    read = typed(notebook, {"n": given})

    if shown is None:
        assert read == {"n": value}
        return
    assert read == {"n": SecretValue(value, shown)}
    assert f"{read} {read['n']}" == f"{{'n': {shown}}} {shown}"
    assert with_parameters(notebook, read) == notebook
    if shown != "***":
        assert not list(in_clear(read))
        assert typed(notebook, {name: str(each) for name, each in as_recorded(notebook, read).items()}) == read


def test_a_secret_that_is_given_in_clear_is_masked_with_a_hint() -> None:
    read = typed(declared("API_KEY = ''"), {"API_KEY": "hunter22"})

    assert (read["API_KEY"].value, str(read["API_KEY"])) == ("hunter22", "***")
    assert [said for said in in_clear(read) if "env:VARIABLE" in said]


@pytest.mark.parametrize(
    "line, given, code, message",
    [
        pytest.param("n = ''", "env:NO_SUCH_ONE", "no-variable", "variable NO_SUCH_ONE, which is not set", id="unset"),
        pytest.param("n = 0", "env:SALES_PASSWORD", "bad-parameter", "value of env:SALES_PASSWORD is not", id="type"),
        pytest.param(
            "password: int = 0", "hunter22", "bad-parameter", "is int, and what is given is not", id="a-type-in-clear"
        ),
    ],
)
def test_no_error_tells_a_secret(password: str, line: str, given: str, code: str, message: str) -> None:
    with pytest.raises(NbprodError) as raised:
        typed(declared(line), {line.partition(" ")[0].rstrip(":"): given})

    assert raised.value.code == code
    assert message in raised.value.message
    assert password not in str(raised.value)


@pytest.mark.parametrize(
    "value, code",
    [
        pytest.param(float("-inf"), 'float("-inf")', id="infinity"),
        pytest.param((1,), "(1,)", id="a-tuple-of-one"),
        pytest.param({"b", "a"}, "{'a', 'b'}", id="a-set-in-order"),
        pytest.param(set(), "set()", id="an-empty-set"),
        pytest.param(frozenset({1}), "frozenset({1})", id="a-frozenset"),
        pytest.param({"a": [None, True]}, "{'a': [None, True]}", id="a-dict"),
    ],
)
def test_a_value_is_written_as_code_that_gives_it(value: Any, code: str) -> None:
    assert code_of(value) == code
    assert eval(code) == value
