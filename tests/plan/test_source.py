"""Positions, headers and indentation of an author's text."""

from __future__ import annotations

import ast

import pytest

from nbprod.plan.source import Edit, Source, dedented, header_end, indented


@pytest.mark.parametrize(
    "text, header",
    [
        pytest.param("if x:\n    pass", "if x:", id="a plain one"),
        pytest.param("for k in {'a': 1}:\n    pass", "for k in {'a': 1}:", id="a dict in it"),
        pytest.param("if x[1:2] == y:\n    pass", "if x[1:2] == y:", id="a slice in it"),
        pytest.param("for f in lambda: 1, 2:\n    pass", "for f in lambda: 1, 2:", id="a lambda in it"),
        pytest.param(
            "def f(\n    a: int = 1,\n) -> int:\n    return a", "def f(\n    a: int = 1,\n) -> int:", id="over lines"
        ),
        pytest.param("if s == ':':\n    pass", "if s == ':':", id="a colon in a string"),
        pytest.param("while True: x = 1", "while True:", id="a body on the same line"),
        pytest.param("for c in cols:  # each: one\n    pass", "for c in cols:", id="a comment behind it"),
    ],
)
def test_header_end(text: str, header: str) -> None:
    assert text[: header_end(text)] == header


def test_positions_count_characters_where_ast_counts_bytes() -> None:
    source = Source("ä = 'ü'; b = 'ö'\n")
    second = ast.parse(source.text).body[1]

    assert source.segment(second) == "b = 'ö'"


def test_edits_are_applied_from_left_to_right() -> None:
    source = Source("df['a'] = df['a'].fillna(0)")

    edits = [Edit(10, 10, "f("), Edit(27, 27, ")"), Edit(25, 26, "1")]
    assert source.rendered(0, len(source.text), edits) == "df['a'] = f(df['a'].fillna(1))"


TEXT = 'x = """a\n  b\n"""\ny = [\n    1,\n]'


def test_indentation_leaves_strings_that_span_lines_alone() -> None:
    moved = indented(TEXT, "    ")

    assert moved == '    x = """a\n  b\n"""\n    y = [\n        1,\n    ]'
    assert dedented(moved[4:], 4) == TEXT


def test_comments_around_a_statement() -> None:
    source = Source("a = 1\n\n# why\n# and how\nb = 2  # two\n")

    assert source.leading_comments(source.text.index("b")) == [(3, "# why"), (4, "# and how")]
    assert source.trailing_comment(source.text.index("2") + 1) == "  # two"
