import keyword

import pytest

from nbprod.errors import NbprodError
from nbprod.versions import check_name, suggest_name


@pytest.mark.parametrize("name", ["churn", "churn_2024", "Churn", "x", "types_of_houses", "match"])
def test_a_name_that_can_be_imported_is_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name, why, suggestion",
    [
        pytest.param("my model", "identifier", "my_model", id="a space"),
        pytest.param("2024", "identifier", "pipeline_2024", id="a leading digit"),
        pytest.param("", "identifier", "pipeline", id="nothing"),
        pytest.param("../up", "identifier", "up", id="a way out of the folder"),
        pytest.param("a/b", "identifier", "b", id="a path"),
        pytest.param("class", "keyword", "class_pipeline", id="a keyword"),
        pytest.param("json", "standard library", "json_pipeline", id="a standard module"),
        pytest.param("JSON", "standard library", "json_pipeline", id="one on a file system that folds case"),
        pytest.param("pandas", "library", "pandas_pipeline", id="a library that the package imports"),
        pytest.param("_private", "underscore", "private", id="a leading underscore"),
        pytest.param("__init__", "underscore", "init", id="a dunder"),
        pytest.param("été", "ASCII", "ete", id="letters beyond ASCII"),
        pytest.param("Churn (final) v2.ipynb", "identifier", "churn_final_v2", id="a file's name"),
    ],
)
def test_a_name_that_cannot_be_imported_is_refused_with_one_that_can(name: str, why: str, suggestion: str) -> None:
    with pytest.raises(NbprodError, match=why) as caught:
        check_name(name)
    assert caught.value.code == "bad-name"
    assert f'"{suggestion}"' in (caught.value.hint or "")


@pytest.mark.parametrize("text", [*keyword.kwlist, "日本", "...", "os", "01_eda.ipynb", "C:\\notebooks\\A b.py"])
def test_what_is_suggested_is_always_taken(text: str) -> None:
    assert check_name(suggest_name(text))
