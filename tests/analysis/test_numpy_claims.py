"""What the tables say of NumPy's and SciPy's functions is what they do to rows: run on all rows, and on each alone."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import numpy as np
import pytest
import scipy
from scipy import cluster, signal, spatial, special, stats  # noqa: F401 - modules that names of the table lie in

from nbprod.analysis.tables import position, table

ROWS = 7
NUMBERS = np.array([0.25, 0.5, 0.125, 0.5, 0.75, 0.625, 0.25])
COUNTS = np.array([3, 1, 2, 1, 5, 4, 3])
TEXTS = np.array(["ab", "Ab", "12", "b a", "ab", "x", "aba"])
DAYS = np.array(["2020-01-01", "2021-02-28", "2020-02-29", "2019-12-31", "NaT", "2022-06-15", "2020-01-01"], "M8[D]")
TABLE = np.column_stack([NUMBERS, NUMBERS[::-1], COUNTS])

Call = Callable[[Any], Any]

OF_COUNTS = (
    "invert bitwise_invert bitwise_not bitwise_count bitwise_and bitwise_or bitwise_xor left_shift right_shift "
    "bitwise_left_shift bitwise_right_shift gcd lcm ldexp"
)
OF_TEXT = {
    "center": (8,), "ljust": (8,), "rjust": (8,), "zfill": (8,), "expandtabs": (), "replace": ("a", "z"),
    "translate": ({97: "z"},), "count": ("a",), "find": ("a",), "rfind": ("a",), "startswith": ("a",),
    "endswith": ("a",), "index": ("",), "rindex": ("",), "join": ("-",), "partition": ("a",), "rpartition": ("a",),
    "multiply": (2,), "add": ("z",), "compare_chararrays": ("ab", "==", True),
    **dict.fromkeys(("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"), ("ab",)),
}  # fmt: skip

CALLS: dict[str, Call] = {
    "astype": lambda x: np.astype(x, np.float32),
    "clip": lambda x: np.clip(x, 0.2, 0.6),
    "isnat": lambda x: np.isnat(DAYS[at(x)]),
    "datetime_as_string": lambda x: np.datetime_as_string(DAYS[at(x)]),
    "is_busday": lambda x: np.is_busday(DAYS[at(x)]),
    "busday_count": lambda x: np.busday_count("2020-01-01", DAYS[at(x)][~np.isnat(DAYS[at(x)])][:1]),
    "busday_offset": lambda x: np.busday_offset(DAYS[at(x)], 1, roll="forward"),
    "matrix": lambda x: np.asarray(np.asmatrix(x).T),
    "asmatrix": lambda x: np.asarray(np.asmatrix(x).T),
    "bytes_": lambda x: np.bytes_(TEXTS[at(x)][0]),
    "where": lambda x: np.where(x > 0.3, x, 0.0),
    "select": lambda x: np.select([x > 0.3, x > 0.2], [x, 1.0], 0.0),
    "piecewise": lambda x: np.piecewise(x, [x > 0.3], [lambda v: v * 2, 0.0]),
    "digitize": lambda x: np.digitize(x, [0.2, 0.4]),
    "isin": lambda x: np.isin(x, [0.25, 0.75]),
    "in1d": lambda x: np.in1d(x, [0.25, 0.75]),
    "choose": lambda x: np.choose((x > 0.3).astype(int), [x, x * 2]),
    "take_along_axis": lambda x: np.take_along_axis(table_of(x), np.zeros((len(x), 1), int), axis=1),
    "interp": lambda x: np.interp(x, [0.0, 0.5, 1.0], [0.0, 2.0, 1.0]),
    "polyval": lambda x: np.polyval([1.0, 2.0], x),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "reshape": lambda x: np.reshape(x, (-1, 1)),
    "atleast_2d": lambda x: np.atleast_2d(table_of(x)),
    "column_stack": lambda x: np.column_stack([x, x]),
    "hstack": lambda x: np.hstack([table_of(x), table_of(x)]),
    "c_": lambda x: np.c_[x, x],
    "cross": lambda x: np.cross(table_of(x), [1.0, 2.0, 3.0]),
    "linalg.cross": lambda x: np.linalg.cross(table_of(x), table_of(x) + 1),
    "vecdot": lambda x: np.vecdot(table_of(x), [1.0, 2.0, 3.0]),
    "linalg.vecdot": lambda x: np.linalg.vecdot(table_of(x), table_of(x) + 1),
    "broadcast_to": lambda x: np.broadcast_to(x, x.shape),
    "vectorize": lambda x: np.vectorize(lambda v: v * 2)(x),
    "frompyfunc": lambda x: np.frompyfunc(lambda v: v * 2, 1, 1)(x),
    "vander": lambda x: np.vander(x, 3),
    "searchsorted": lambda x: np.searchsorted([0.2, 0.4], x),
    "isclose": lambda x: np.isclose(x, 0.25),
    "require": lambda x: np.require(x, requirements="C"),
    "stats.mstats.msign": lambda x: stats.mstats.msign(x),
    "sparse.hstack": lambda x: scipy.sparse.hstack([scipy.sparse.csr_matrix(table_of(x))] * 2).toarray(),
    "spatial.distance.cdist": lambda x: spatial.distance.cdist(table_of(x), [[1.0, 2.0, 3.0]]),
    "spatial.minkowski_distance": lambda x: spatial.minkowski_distance(table_of(x), [[1.0, 2.0, 3.0]]),
    "spatial.minkowski_distance_p": lambda x: spatial.minkowski_distance_p(table_of(x), [[1.0, 2.0, 3.0]]),
    "spatial.tsearch": lambda x: spatial.tsearch(spatial.Delaunay([[0, 0], [0, 9], [9, 0.0]]), table_of(x)[:, 1:]),
    "cluster.vq.vq": lambda x: cluster.vq.vq(table_of(x), np.array([[0.2, 0.5, 1.0], [0.5, 0.5, 4.0]])),
    **{
        "char." + name: lambda x, name=name, extra=extra: getattr(np.char, name)(TEXTS[at(x)], *extra)
        for name, extra in OF_TEXT.items()
    },
    "char.decode": lambda x: np.char.decode(np.char.encode(TEXTS[at(x)])),
    "special.stirling2": lambda x: special.stirling2(COUNTS[at(x)], 2),
    "special.factorial2": lambda x: special.factorial2(COUNTS[at(x)]),
    "char.mod": lambda x: np.char.mod("%.1f", x),
}


def at(x: Any) -> Any:
    """The places of the rows that `x` holds: the whole, or one row that carries its place."""
    return getattr(x, "places", slice(None))


class Piece(np.ndarray):
    """Some rows, that know which."""

    places: Any


def piece(values: np.ndarray, places: Any) -> np.ndarray:
    made = values[places].view(Piece)
    made.places = places
    return made


def table_of(x: Any) -> np.ndarray:
    return TABLE[at(x)]


def found(library: Any, name: str) -> Any:
    """The function of a qualified name, None where the installed version has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return reduce(getattr, name.split("."), library)
        except AttributeError:
            return None


def tabled(library: str, *behaviours: str) -> Iterator[Any]:
    module = {"numpy": np, "scipy": scipy}[library]
    for name, behaviour in table(library)["module"].names.items():
        if behaviour in behaviours and "*" not in name and found(module, name) is not None:
            yield pytest.param(found(module, name), name, id=f"{library}.{name}")


def called(function: Any, name: str, x: np.ndarray) -> Any:
    """The function on some rows: as it is written down, else with as many plain numbers as it takes."""
    if name in CALLS:
        return CALLS[name](x)
    if name.startswith("char."):
        return function(TEXTS[at(x)])
    if name in OF_COUNTS.split():
        return function(*(COUNTS[at(x)], 2)[: getattr(function, "nin", 1)])
    plain = np.asarray(x)
    for extra in ((), (0.4,), (0.4, 0.3), (0.4, 0.3, 0.2), (1,), (1, 2), (1, 1, 1), (1, 1, 0.5, 0.5), (1, 2, 0.5, 0.9)):
        for order in ((plain, *extra), (*extra, plain)):
            try:
                return function(*order)
            except (TypeError, ValueError):
                continue
    return function(plain)


def row(result: Any, place: int) -> Any:
    if isinstance(result, tuple):
        return [row(part, place) for part in result]
    one = np.atleast_1d(result)[place] if np.ndim(result) == 0 else result[place]
    return one.tolist() if hasattr(one, "tolist") else one


def rows_alone(function: Any, name: str) -> list[Any]:
    return [row(called(function, name, piece(NUMBERS, np.array([place]))), 0) for place in range(ROWS)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "function, name",
    [*tabled("numpy", "columnwise", "row-wise", "lookup"), *tabled("scipy", "columnwise", "row-wise", "lookup")],
)
def test_each_row_alone_gives_what_it_gives_among_others(function: Any, name: str) -> None:
    if name in SCALAR:
        pytest.skip("takes one value at a time")
    whole = called(function, name, piece(NUMBERS, np.arange(ROWS)))
    assert repr([row(whole, place) for place in range(ROWS)]) == repr(rows_alone(function, name))


SCALAR = frozenset({"bytes_", "str_", "busday_count", "special.ellip_harm", "special.ellip_harm_2", "special.lmbda"})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name, kind in table("numpy")["module"].names.items() if kind == "reduction"])
def test_a_reduction_gives_no_value_for_each_row(name: str) -> None:
    function = found(np, name)
    if function is None or not callable(function) or name in OF_MATRICES:
        pytest.skip("not in this version, or about matrices and types")
    extra = {"quantile": (0.5,), "percentile": (50,), "nanquantile": (0.5,), "nanpercentile": (50,)}.get(name, ())
    if name in ("intersect1d", "setdiff1d", "setxor1d", "union1d", "array_equal", "array_equiv", "allclose", "isdtype",
                "histogram2d", "corrcoef", "cov", "shares_memory", "may_share_memory"):  # fmt: skip
        extra = (NUMBERS[::2],) if name not in ("histogram2d", "corrcoef", "cov", "allclose") else (COUNTS,)
    subject = COUNTS - 1 if name in ("bincount", "nonzero", "flatnonzero", "argwhere", "count_nonzero") else NUMBERS
    result = function(subject, *extra)
    for part in result if isinstance(result, tuple) else (result,):
        assert np.shape(part)[:1] != (ROWS,) or name in WITH_INVERSE


WITH_INVERSE = frozenset({"unique_all", "unique_inverse"})
OF_MATRICES = frozenset(
    name
    for name in table("numpy")["module"].names
    if name.startswith("linalg.") or name in ("trace", "polyfit", "issubdtype", "dtype", "can_cast", "histogramdd",
                                              "isdtype", "common_type", "einsum_path", "typename")
)  # fmt: skip


@pytest.mark.parametrize("name", table("numpy")["module-axis"].names)
def test_along_the_columns_each_row_stands_alone(name: str) -> None:
    function = found(np, name)
    if function is None:
        pytest.skip(f"no {name} in this version")
    place = position("numpy", "module-axis", name)
    lead = {"percentile": (50,), "nanpercentile": (50,), "quantile": (0.5,), "nanquantile": (0.5,),
            "linalg.norm": (None,), "argpartition": (1,), "diff": (1,)}.get(name, ())  # fmt: skip
    if place == -1:
        whole, alone = function(TABLE, axis=1), [function(TABLE[[at]], axis=1) for at in range(ROWS)]
    else:
        assert place == 1 + len(lead)
        whole, alone = function(TABLE, *lead, 1), [function(TABLE[[at]], *lead, 1) for at in range(ROWS)]
    assert len(whole) == ROWS
    assert [row(whole, at) for at in range(ROWS)] == [row(one, 0) for one in alone]


CROSS: dict[str, Call] = {
    "convolve": lambda x: np.convolve(x, [1, 2], "same"),
    "correlate": lambda x: np.correlate(x, [1, 2], "same"),
    "roll": lambda x: np.roll(x, 1),
    "argpartition": lambda x: np.argpartition(x, 0),
    "lexsort": lambda x: np.lexsort((x,)),
    "unwrap": lambda x: np.unwrap(x * 20),
    "apply_over_axes": lambda x: np.apply_over_axes(np.sum, x, [0]),
    "gradient": lambda x: np.gradient(x),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function, name", list(tabled("numpy", "cross-row")))
def test_a_row_alone_would_give_another_value(function: Any, name: str) -> None:
    asked = CROSS.get(name, function)
    of_tables = (name.startswith("fft.") and name.endswith(("2", "n"))) or name in ("triu", "tril", "diagonal", "diag")
    subject = TABLE[:, :2] if of_tables or name == "linalg.diagonal" else NUMBERS
    whole = asked(subject)
    for place in range(ROWS):
        try:
            alone = asked(subject[[place]])
        except (ValueError, IndexError):
            return
        if len(alone) != 1 or len(whole) != ROWS or row(alone, 0) != row(whole, place):
            return
    pytest.fail("every row alone gives what it gives among others")


PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3}


@pytest.mark.parametrize("name", [name for name, kind in table("numpy")["rng"].names.items() if kind == "random"])
def test_drawing_takes_its_size_where_the_table_says(name: str) -> None:
    """The place is that in the first line of the function's documentation."""
    for owner in (np.random.RandomState, np.random.Generator):
        text = getattr(getattr(owner, name, None), "__doc__", None) or ""
        for parameters in re.findall(rf"^\s*{name}\((.*?)\)\s*$", text, re.MULTILINE)[:1]:
            names = [parameter.strip().partition("=")[0] for parameter in parameters.split(",")]
            names = [one for one in names if one not in ("self", "/")]
            if "size" in names:
                assert table("numpy")["random-size"].names[name] == list(PLACES)[names.index("size")]
