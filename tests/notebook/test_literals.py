"""The value of an expression by its syntax alone."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from nbprod.notebook.literals import literal_value


def value_of(code: str) -> Any:
    return literal_value(ast.parse(code, mode="eval").body, {"own"})


@pytest.mark.parametrize(
    "code, value",
    [
        pytest.param("'a' 'b'", "ab", id="a-text"),
        pytest.param("-1", -1, id="a-negative-number"),
        pytest.param("60 * 60 * 24", 86400, id="a-product"),
        pytest.param("1e-3 + 2 ** -1", 0.501, id="a-sum-of-floats"),
        pytest.param("2 ** 70", 2**70, id="a-power"),
        pytest.param("not True", False, id="a-negation"),
        pytest.param("{'a': [1, (2,)], 'b': {3}}", {"a": [1, (2,)], "b": {3}}, id="containers"),
        pytest.param("dict(a=1, b=dict())", {"a": 1, "b": {}}, id="calls-of-dict"),
        pytest.param("dict([('a', 1)], b=2)", {"a": 1, "b": 2}, id="a-dict-of-pairs"),
        pytest.param("tuple([1]) ", (1,), id="a-call-of-tuple"),
        pytest.param("list()", [], id="an-empty-list"),
        pytest.param("frozenset({1})", frozenset({1}), id="a-frozenset"),
    ],
)
def test_literals_have_values(code: str, value: Any) -> None:
    found = value_of(code)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("n", id="a-name"),
        pytest.param("load()", id="a-call"),
        pytest.param("own(a=1)", id="a-call-of-the-notebook's-own"),
        pytest.param("dict(**other)", id="a-dict-of-another"),
        pytest.param("{**other}", id="a-display-of-another"),
        pytest.param("[*other]", id="a-list-of-another"),
        pytest.param("list(a=1)", id="a-keyword-for-a-list"),
        pytest.param("f'{n}'", id="a-formatted-text"),
        pytest.param("1 / 0", id="a-division-by-zero"),
        pytest.param("9 ** 9 ** 9", id="a-power-beyond-all-measure"),
        pytest.param("'a' * 10 ** 10", id="a-text-many-times"),
        pytest.param("[1] * 10", id="a-list-many-times"),
        pytest.param("{[]: 1}", id="a-key-that-is-none"),
        pytest.param("...", id="an-ellipsis"),
    ],
)
def test_all_else_has_none(code: str) -> None:
    with pytest.raises(ValueError, match=r"no|too large"):
        value_of(code)


def test_an_expression_that_is_nested_beyond_measure_has_none() -> None:
    node: ast.expr = ast.Constant(1)
    for _ in range(5000):
        node = ast.UnaryOp(ast.USub(), node)

    with pytest.raises(ValueError, match="no literal"):
        literal_value(node)
