"""Texts of YAML: what they hold, and that nothing which can stand in one is more than an error of one kind."""

from __future__ import annotations

from typing import Any

import pytest

from nbprod.documents import value_of, values_of

BROKEN = [
    pytest.param("a: [", id="not ended"),
    pytest.param("a: 2024-13-45", id="no date"),
    pytest.param("a: 2024-01-01T00:00:00+99:99", id="no time zone"),
    pytest.param("[" * 3000, id="too deep"),
    pytest.param("{a: " * 3000 + "1" + "}" * 3000, id="too deep, and ended"),
    pytest.param("a: !!int x", id="no number"),
    pytest.param("a: !!int ''", id="an empty number"),
    pytest.param("a: !!bool x", id="no truth"),
    pytest.param("a: !!timestamp x", id="no time"),
    pytest.param("a: " + "9" * 5000, id="too many digits"),
    pytest.param("a: !!python/object:os.system x", id="an object"),
    pytest.param("a: \x00", id="no text"),
    pytest.param("? [a]\n: b", id="a list for a name"),
    pytest.param("a: *b", id="nothing to refer to"),
]


@pytest.mark.parametrize(
    "text, values",
    [
        pytest.param("a: 1\n---\n- 2\n", [{"a": 1}, [2]], id="two"),
        pytest.param("a: &x [1]\nb: *x\n", [{"a": [1], "b": [1]}], id="one"),
        pytest.param("", [], id="none"),
    ],
)
def test_the_documents_of_a_text(text: str, values: list[Any]) -> None:
    assert values_of(text) == values


@pytest.mark.parametrize("text, value", [("a: 1", {"a": 1}), ("", None), ("2024-01-31x", "2024-01-31x")])
def test_the_one_value_of_a_text(text: str, value: Any) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("read", [value_of, values_of])
def test_what_is_no_yaml_is_an_error_of_one_line(read: Any, text: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        read(text)


def test_an_error_has_its_place() -> None:
    with pytest.raises(ValueError, match="in line 2, column 4"):
        value_of("a: 1\nb: ]")


def test_two_documents_are_not_one_value() -> None:
    with pytest.raises(ValueError, match="single document"):
        value_of("a: 1\n---\nb: 2\n")
