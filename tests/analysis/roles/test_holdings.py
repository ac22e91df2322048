"""What variables hold statement by statement, and which statements' values are only shown."""

from __future__ import annotations

import ast

import pytest

from nbprod.analysis.roles.holdings import ANSWERS, DATA, SCORES, Block, Holdings, Uses, only_drawn


def block(code: str) -> Block:
    return Block.of(ast.parse(code))


@pytest.mark.parametrize(
    "code, free, binds",
    [
        pytest.param("x = y\nz = x", {"y"}, {"x", "z"}, id="a name that is bound before it is read"),
        pytest.param("x += 1", {"x"}, {"x"}, id="a name that is changed"),
        pytest.param("for a in b:\n    c = a", {"b"}, {"a", "c"}, id="a loop"),
        pytest.param("with f() as g:\n    g.h(k)", {"f", "k"}, {"g"}, id="a context"),
        pytest.param("try:\n    x = a\nexcept E:\n    x = b", {"a", "b"}, {"x"}, id="what may fail"),
        pytest.param(
            "def f(a):\n    b = a + c\n    return b", {"c"}, set(), id="a function takes what it does not bind"
        ),
        pytest.param("x, (y, *z) = a", {"a"}, {"x", "y", "z"}, id="several names"),
        pytest.param("d['k'][i] = v", {"i", "v"}, set(), id="an item that is set"),
    ],
)
def test_names_of_a_cell(code: str, free: set[str], binds: set[str]) -> None:
    found = block(code)
    assert (found.free, found.binds) == (free, binds)


@pytest.mark.parametrize(
    "code, values",
    [
        pytest.param("x = df.a + 1", {"df"}, id="a column"),
        pytest.param("n = len(df)", set(), id="the number of rows"),
        pytest.param("n = df.shape[0]", set(), id="the shape"),
        pytest.param("c = list(df.columns)", {"list"}, id="the names of columns"),
        pytest.param("x = df.a[:len(df)]", {"df"}, id="a column and the number of rows"),
    ],
)
def test_values_are_more_than_the_shape(code: str, values: set[str]) -> None:
    assert block(code).statements[0].values == values


def held(*sources: str, given: dict[int, tuple[tuple[int, int], ...]], fitted: str = "") -> Holdings:
    return Holdings([block(code) for code in sources], given, dict.fromkeys(fitted.split(), 9), frozenset({"m"}))


@pytest.mark.parametrize(
    "code, told",
    [
        pytest.param("q = p.round()", {"p": ANSWERS}, id="answers"),
        pytest.param("print(s)", {"s": SCORES}, id="scores"),
        pytest.param("print(df, m)", {}, id="data, and a model"),
        pytest.param("x = [p, s]", {"p": ANSWERS, "s": SCORES}, id="both"),
    ],
)
def test_what_a_later_cell_reads(code: str, told: dict[str, int]) -> None:
    given = {0: ((1, DATA), (2, ANSWERS), (3, SCORES), (4, SCORES))}
    found = held("df = a()\np = b()\ns = c()\nm = best()", code, given=given)
    assert found.told(1, 1) == told


def test_answers_that_a_model_learns_from_are_data() -> None:
    given = {0: ((1, ANSWERS),)}
    assert held("p = b()\nz = p + 1", "print(z)", given=given).told(1, 1) == {"z": ANSWERS}
    assert held("p = b()\nz = p + 1", "print(z)", given=given, fitted="z").told(1, 1) == {}


def test_a_name_that_is_bound_anew_holds_what_it_is_bound_to() -> None:
    assert held("p = b()", "p = 3", "print(p)", given={0: ((1, ANSWERS),)}).told(2, 1) == {}


def test_a_list_holds_what_is_added_to_it() -> None:
    found = held("s = []\nfor k in r:\n    s.append(f(k))", "print(s)", given={0: ((3, SCORES),)})
    assert found.told(1, 1) == {"s": SCORES}


@pytest.mark.parametrize(
    "sources, leaving",
    [
        pytest.param(("a = 1", "print(a)"), {"a"}, id="a name that the next cell reads"),
        pytest.param(("a = 1", "b = 2", "print(a)"), {"a"}, id="one that a later cell reads"),
        pytest.param(("a = 1", "a = 2", "print(a)"), set(), id="one that is bound anew before"),
        pytest.param(("a = 1", "a = a + 1"), {"a"}, id="one that is bound anew from itself"),
        pytest.param(("a = 1", "def f():\n    return a"), {"a"}, id="one that a function reads"),
    ],
)
def test_names_that_leave_a_cell(sources: tuple[str, ...], leaving: set[str]) -> None:
    assert held(*sources, given={}).leaving(0, {"a"}) == leaving


@pytest.mark.parametrize(
    "code, showing, shown",
    [
        pytest.param("a = df.x\nplot(a)", {1}, {0, 1}, id="a view"),
        pytest.param("a = df.x\nb = a + 1\nplot(b)", {2}, {0, 1, 2}, id="a view of a view"),
        pytest.param("a = df.x\nplot(a)\nuse(a)", {1}, {1}, id="what something else is done with"),
        pytest.param("df = df.x\nplot(df)", {1}, {1}, id="a name that comes from another cell"),
        pytest.param("a = df.x\nif a.any():\n    plot(a)", {2}, {0, 2}, id="a test on the way"),
        pytest.param("for k in ks:\n    a = df[k]\n    plot(a)", {2}, {0, 1, 2}, id="a view in each round"),
        pytest.param("a = df.x\nb = df.y\nplot(a)", {2}, {0, 2}, id="beside what is not shown"),
        pytest.param(
            "def f(df):\n    df = df.x\n    plot(df)", {2}, {0, 1, 2}, id="what a function is given, and names anew"
        ),
        pytest.param("def f(df):\n    df['a'] = 1\n    plot(df)", {2}, {2}, id="what a function is given, and changes"),
        pytest.param("def f(df):\n    a = df.x\n    plot(a)\n    return a", {2}, {2}, id="what a function gives back"),
    ],
)
def test_only_drawn(code: str, showing: set[int], shown: set[int]) -> None:
    assert only_drawn(block(code), Uses(frozenset(showing), frozenset(), frozenset()), frozenset()) == shown


def test_what_leaves_the_cell_or_is_used_is_more_than_drawn() -> None:
    view = block("a = df.x\nb = a + 1\nplot(b)")
    assert only_drawn(view, Uses(frozenset({2}), frozenset(), frozenset()), frozenset({"b"})) == {2}
    assert only_drawn(view, Uses(frozenset({2}), frozenset(), frozenset({1})), frozenset()) == {2}
