"""The TypeScript types against the answers that they are made from."""

from __future__ import annotations

import pytest
from msgspec.inspect import type_info

import nbprod
from nbprod.api import answers
from nbprod.server import typescript


def test_the_types_of_the_front_end_are_those_of_the_answers():
    again = "python -m nbprod.server.typescript writes them anew"
    assert typescript.GENERATED.read_text(encoding="utf-8") == typescript.typescript(), again


@pytest.mark.parametrize(
    "kind, text",
    [
        pytest.param(int, "number", id="a whole number"),
        pytest.param(bool, "boolean", id="true or false"),
        pytest.param(tuple[str, ...], "readonly string[]", id="several texts"),
        pytest.param(tuple[str | None, ...], "readonly (string | null)[]", id="several that may be missing"),
        pytest.param(dict[str, float], "Readonly<Record<string, number>>", id="numbers by name"),
        pytest.param(answers.Edge, "IEdge", id="an answer within another"),
    ],
)
def test_a_type_of_python_is_one_of_typescript(kind, text):
    assert typescript._text(type_info(kind)) == text


def test_the_front_end_knows_the_version_of_its_server_part():
    written = typescript.GENERATED.with_name("version.ts").read_text(encoding="utf-8")
    assert f"VERSION = '{nbprod.__version__}'" in written


def test_what_has_no_counterpart_is_refused():
    with pytest.raises(TypeError, match="no TypeScript"):
        typescript._text(type_info(bytes))


def test_a_field_keeps_its_name_on_the_wire():
    assert "readonly from: number;" in typescript._interface(answers.Edge)


def test_a_field_that_may_be_absent_is_optional():
    assert "readonly where?: IPlace | null;" in typescript._interface(answers.Problem)
