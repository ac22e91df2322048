"""What the tables say of methods is what they do to rows: each is run on a whole table and on its rows alone."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nbprod.analysis.tables import table

ROWS = 7


def frame() -> pd.DataFrame:
    """Numbers with a gap and with values that occur twice, over labelled rows."""
    return pd.DataFrame(
        {
            "a": [0.25, 0.5, np.nan, 0.5, 0.125, 0.75, 0.0],
            "b": [3.0, 1.0, 2.0, 1.0, 3.0, 3.0, 5.0],
            "c": [1.0, 4.0, 1.0, 4.0, 0.5, 0.25, 2.0],
        }
    )


def texts() -> pd.Series:
    return pd.Series(["ab cd", "Ab", "12", "x y", "ab cd", "", "ärger"])


def dates() -> pd.Series:
    days = ["2020-01-01", "2021-02-28 12:30", "2020-02-29", "2019-12-31", "2020-01-01", "2022-06-15 23:59:59", None]
    return pd.Series(pd.to_datetime(days, format="mixed"))


def kinds() -> pd.Series:
    return pd.Series(["x", "y", "x", "z", "y", "y", "x"]).astype(pd.CategoricalDtype(["x", "y", "z"]))


Subject = pd.DataFrame | pd.Series
Table = Callable[[], Any]

SUBJECTS: dict[str, Table] = {
    "frame": frame,
    "series": lambda: frame()["b"],
    "str": texts,
    "dt": dates,
    "dt-attributes": dates,
    "cat": kinds,
    "array": lambda: frame()[["b", "c"]].to_numpy(),
}

ARITHMETIC = (
    "add sub subtract mul multiply div divide truediv floordiv mod pow radd rsub rmul rdiv rtruediv rfloordiv "
    "rmod rpow divmod rdivmod eq ne lt le gt ge"
)  # fmt: skip

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(ARITHMETIC.split(), (2,)),
    "frame.astype": ("float32",),
    "series.astype": ("int64",),
    "array.astype": ("int64",),
    "clip": (1, 3),
    "replace": (1.0, 9.0),
    "str.replace": ("a", "b"),
    "fillna": (0.5,),
    "map": (lambda value: value * 2,),
    "applymap": (lambda value: value * 2,),
    "apply": (lambda value: value * 2,),
    "transform": (lambda value: value * 2,),
    "where": (lambda x: x > 1,),
    "mask": (lambda x: x > 1,),
    "isin": ([1.0, 2.0],),
    "between": (1, 2),
    "case_when": ([(lambda x: x > 1, 0.0)],),
    "eval": ("a + b",),
    "dot": (np.array([1.0, 2.0, 3.0]),),
    "array.dot": (np.array([1.0, 2.0]),),
    "array.reshape": (-1, 2),
    "add_prefix": ("x",),
    "add_suffix": ("x",),
    **{"str." + name: (8,) for name in ("center", "ljust", "rjust", "pad", "wrap", "zfill")},
    **{
        "str." + name: ("a",)
        for name in ("contains", "count", "endswith", "find", "findall", "fullmatch", "match", "removeprefix",
                     "removesuffix", "rfind", "startswith", "join")
    },
    "str.decode": ("utf-8",),
    "str.encode": ("utf-8",),
    "str.extract": (r"(\w)",),
    "str.get": (0,),
    "str.index": ("",),
    "str.rindex": ("",),
    "str.normalize": ("NFC",),
    "str.repeat": (2,),
    "str.translate": ({97: "z"},),
    **{"dt." + name: ("h",) for name in ("floor", "ceil", "round")},
    "dt.to_period": ("D",),
    "dt.strftime": ("%Y",),
    "dt.tz_localize": ("UTC",),
    "dt.as_unit": ("s",),
    "cat.rename_categories": (["p", "q", "r"],),
    "cat.reorder_categories": (["z", "y", "x"],),
    "cat.set_categories": (["x", "y"],),
    "cat.add_categories": ("w",),
    "cat.remove_categories": ("x",),
    "array.view": ("int64",),
    "array.to_device": ("cpu",),
    "array.getfield": ("float32", 4),
}  # fmt: skip
"""Arguments by method, or by receiver and method; none where nothing is said."""

OTHER: dict[str, Callable[[Any], Any]] = {
    "frame.combine": lambda x: x.combine(x * 2, lambda p, q: p + q),
    "frame.combine_first": lambda x: x.combine_first(x * 0 + 1),
    "series.combine": lambda x: x.combine(x * 2, lambda p, q: p + q),
    "series.combine_first": lambda x: x.combine_first(x * 0 + 1),
    "frame.rename_axis": lambda x: x.rename_axis("row"),
    "series.rename_axis": lambda x: x.rename_axis("row"),
    "series.set_axis": lambda x: x.set_axis(range(len(x))),
    "frame.to_period": lambda x: dated(x).to_period("D"),
    "frame.to_timestamp": lambda x: dated(x).to_period("D").to_timestamp(),
    "frame.tz_localize": lambda x: dated(x).tz_localize("UTC"),
    "frame.tz_convert": lambda x: dated(x).tz_localize("UTC").tz_convert("CET"),
    "frame.swaplevel": lambda x: x.set_index("b", append=True).swaplevel(),
    "frame.reorder_levels": lambda x: x.set_index("b", append=True).reorder_levels([1, 0]),
    "series.to_period": lambda x: dated(x).to_period("D"),
    "series.to_timestamp": lambda x: dated(x).to_period("D").to_timestamp(),
    "series.tz_localize": lambda x: dated(x).tz_localize("UTC"),
    "series.tz_convert": lambda x: dated(x).tz_localize("UTC").tz_convert("CET"),
    "series.swaplevel": lambda x: layered(x).swaplevel(),
    "series.reorder_levels": lambda x: layered(x).reorder_levels([1, 0]),
    "series.droplevel": lambda x: layered(x).droplevel(1),
    "series.clip": lambda x: x.clip(1, 2),
    "dt.tz_convert": lambda x: x.dt.tz_localize("UTC").dt.tz_convert("CET"),
    "dt.to_timestamp": lambda x: x.dt.to_period("D").dt.to_timestamp(),
    "dt.asfreq": lambda x: x.dt.to_period("D").dt.asfreq("M"),
    "dt.total_seconds": lambda x: (x - pd.Timestamp("2020-01-01")).dt.total_seconds(),
    "dt.to_pytimedelta": lambda x: (x - pd.Timestamp("2020-01-01")).dt.to_pytimedelta(),
    "array.ravel": lambda x: x[:, :1].ravel(),
    "array.flatten": lambda x: x[:, :1].flatten(),
    "str.decode": lambda x: x.str.encode("utf-8").str.decode("utf-8"),
    **{
        "dt-attributes." + name: lambda x, name=name: getattr((x - pd.Timestamp("2020-01-01")).dt, name)
        for name in ("days", "seconds", "microseconds", "nanoseconds", "components")
    },
    **{
        "dt-attributes." + name: lambda x, name=name: getattr(x.dt.to_period("D").dt, name)
        for name in ("start_time", "end_time", "qyear")
    },
}
"""Calls that need more than arguments."""


def dated(x: Subject) -> Subject:
    """The table with a date as the label of each row."""
    return x.set_axis(pd.to_datetime("2020-01-01") + pd.to_timedelta(x.index, unit="D"))


def layered(x: pd.Series) -> pd.Series:
    return x.set_axis(pd.MultiIndex.from_arrays([x.index, x.index + 10]))


def call(receiver: str, name: str, subject: Any) -> Any:
    """`subject.name(…)`, through its accessor where the receiver is one."""
    made = OTHER.get(f"{receiver}.{name}")
    if made is not None:
        return made(subject)
    accessor, _, attribute = receiver.partition("-")
    owner = getattr(subject, accessor) if accessor in ("str", "dt", "cat") else subject
    member = getattr(owner, name)
    if not callable(member) or attribute:
        return member
    return member(*ARGUMENTS.get(f"{receiver}.{name}", ARGUMENTS.get(name, ())))


def tabled(receiver: str, *behaviours: str) -> list[str]:
    """The names with these behaviours that the installed library has."""
    subject = SUBJECTS[receiver]()
    accessor = receiver.partition("-")[0]
    owner = getattr(subject, accessor) if accessor in ("str", "dt", "cat") else subject
    section = table({"array": "numpy"}.get(receiver, "pandas"))[receiver]
    names = [name for name, behaviour in section.names.items() if behaviour in behaviours]
    return [name for name in names if f"{receiver}.{name}" in OTHER or has(owner, name)]


def has(owner: Any, name: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return hasattr(owner, name)


def each(receivers: list[str], *behaviours: str) -> Iterator[Any]:
    for receiver in receivers:
        for name in tabled(receiver, *behaviours):
            yield pytest.param(receiver, name, id=f"{receiver}.{name}")


def row(result: Any, place: int) -> Any:
    """One row of a result, as plain values."""
    if isinstance(result, tuple):
        return [row(part, place) for part in result]
    one = result.iloc[place] if isinstance(result, (pd.DataFrame, pd.Series)) else result[place]
    return plain(one)


def plain(value: Any) -> Any:
    if isinstance(value, (pd.Series, np.ndarray, list, tuple, np.void, np.record)):
        return [plain(part) for part in (value.tolist() if hasattr(value, "tolist") else value)]
    return "missing" if np.ndim(value) == 0 and pd.api.types.is_scalar(value) and pd.isna(value) else value


def rows_alone(receiver: str, name: str, subject: Any) -> list[Any]:
    """What each row gives by itself."""
    pieces = [
        subject.iloc[[place]] if hasattr(subject, "iloc") else subject[place : place + 1] for place in range(ROWS)
    ]
    return [row(call(receiver, name, piece), 0) for piece in pieces]


def same_alone(receiver: str, name: str) -> bool:
    """Whether each row alone gives what it gives in the table."""
    subject = SUBJECTS[receiver]()
    whole = call(receiver, name, subject)
    return [row(whole, place) for place in range(ROWS)] == rows_alone(receiver, name, subject)


PANDAS = ["frame", "series", "str", "dt", "dt-attributes", "cat"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("receiver, name", list(each([*PANDAS, "array"], "columnwise", "row-wise")))
def test_row_by_row_gives_what_the_table_gives(receiver: str, name: str) -> None:
    assert same_alone(receiver, name)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", list(tabled("frame", "columnwise")))
def test_a_columns_result_depends_on_that_column_alone(name: str) -> None:
    other = frame().assign(b=[9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0])
    one, two = call("frame", name, frame()), call("frame", name, other)
    assert list(one.columns) == list(two.columns)
    pd.testing.assert_frame_equal(one[["a", "c"]].reset_index(drop=True), two[["a", "c"]].reset_index(drop=True))


REDUCING: dict[str, tuple[Any, ...]] = {
    "agg": ("sum",),
    "aggregate": ("sum",),
    "series.get": (2,),
    "searchsorted": (2,),
    "array.item": (3,),
}

REDUCED_WITH: dict[str, Callable[[Any], Any]] = {
    "frame.corrwith": lambda x: x.corrwith(x["c"]),
    "frame.equals": lambda x: x.equals(frame()),
    "frame.item": lambda x: x.iloc[:1, :1].item(),
    "frame.bool": lambda x: (x.iloc[:1, :1] > 0).bool(),
    "series.bool": lambda x: (x.iloc[:1] > 0).bool(),
    "series.item": lambda x: x.iloc[:1].item(),
    "series.corr": lambda x: x.corr(x * x),
    "series.cov": lambda x: x.cov(x * x),
    "series.dot": lambda x: x.dot(x),
    "series.equals": lambda x: x.equals(frame()["b"]),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("receiver, name", list(each(["frame", "series", "array"], "reduction")))
def test_a_reduction_gives_no_value_for_each_row(receiver: str, name: str) -> None:
    subject = SUBJECTS[receiver]()
    made = REDUCED_WITH.get(f"{receiver}.{name}")
    arguments = REDUCING.get(f"{receiver}.{name}", REDUCING.get(name, ()))
    result = made(subject) if made else getattr(subject, name)(*arguments)
    length = len(result) if np.ndim(result) and not isinstance(result, tuple) else 0
    assert length != ROWS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", table("pandas")["frame-axis"].names)
def test_along_the_columns_each_row_stands_alone(name: str) -> None:
    if not has(frame(), name):
        pytest.skip(f"no {name} in this pandas")
    result = across(name, frame())
    assert len(result) == ROWS
    if name == "mode":  # as many columns as the row with the most needs: the first of them is every row's own
        result = result[0]
        assert [row(result, place) for place in range(ROWS)] == [
            row(across(name, frame().iloc[[place]])[0], 0) for place in range(ROWS)
        ]
        return
    assert [row(result, place) for place in range(ROWS)] == [
        row(across(name, frame().iloc[[place]]), 0) for place in range(ROWS)
    ]


ACROSS: dict[str, tuple[Any, ...]] = {
    "quantile": (0.5, 1), "agg": ("sum", 1), "aggregate": ("sum", 1), "diff": (1, 1), "shift": (1, None, 1),
}  # fmt: skip


def across(name: str, subject: pd.DataFrame) -> Any:
    """`subject.name` with `axis=1`, in the position that the table names."""
    match table("pandas")["frame-axis"].names[name]:
        case "keyword" if name == "corrwith":
            return subject.corrwith(pd.Series([1.0, 2.0, 4.0], index=list("abc")), axis=1)
        case "keyword" if name == "fillna":
            return subject.fillna(0, axis=1)
        case "keyword" if name == "set_axis":
            return subject.set_axis(["x", "y", "z"], axis=1)
        case "keyword":
            return getattr(subject, name)(axis=1)
    parameters = list(inspect.signature(getattr(pd.DataFrame, name)).parameters)
    position = ["first", "second", "third"].index(table("pandas")["frame-axis"].names[name])
    if len(parameters) > position + 1 and parameters[position + 1] == "axis":
        return getattr(subject, name)(*ACROSS.get(name, (1,)))
    return getattr(subject, name)(**{**dict(zip(parameters[1:], ACROSS.get(name, ())[:-1], strict=False)), "axis": 1})


WINDOWED: dict[str, Callable[[Any], Any]] = {
    "rolling": lambda x: x.rolling(2).sum(),
    "expanding": lambda x: x.expanding().sum(),
    "ewm": lambda x: x.ewm(1).mean(),
    "resample": lambda x: dated(x).resample("2D").sum(),
    "asfreq": lambda x: dated(x).asfreq("12h"),
    "asof": lambda x: x.asof(list(range(ROWS))),
    "bfill": lambda x: x.mask(x > 2).bfill(),
    "ffill": lambda x: x.mask(x > 2).ffill(),
    "pad": lambda x: x.mask(x > 2).pad(),
    "backfill": lambda x: x.mask(x > 2).backfill(),
    "interpolate": lambda x: x.mask(x > 2).interpolate(),
    "series.factorize": lambda x: x.factorize()[0],
    "array.argsort": lambda x: x[:, 0].argsort(),
    "array.argpartition": lambda x: x[:, 0].argpartition(0),
    "cat.codes": lambda x: x.astype(str).astype("category").cat.codes,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("receiver, name", list(each([*PANDAS, "array"], "cross-row", "broadcast")))
def test_a_row_alone_would_give_another_value(receiver: str, name: str) -> None:
    subject = SUBJECTS[receiver]()
    asked = WINDOWED.get(f"{receiver}.{name}") or WINDOWED.get(name) or (lambda x: call(receiver, name, x))
    whole = asked(subject)
    for place in range(ROWS):
        try:
            alone = asked(subject.iloc[[place]] if hasattr(subject, "iloc") else subject[place : place + 1])
        except (TypeError, ValueError, IndexError, AttributeError):
            return
        if len(alone) != 1 or len(whole) != ROWS or row(alone, 0) != row(whole, place):
            return
    pytest.fail("every row alone gives what it gives in the table")


CHOSEN: dict[str, tuple[Any, ...]] = {
    "sample": (3,), "head": (2,), "tail": (2,), "nlargest": (2, "b"), "nsmallest": (2, "b"), "query": ("b > 1",),
    "truncate": (2, 4), "take": ([1, 3],), "xs": (2,), "series.nlargest": (2,), "series.nsmallest": (2,),
    "series.drop": ([0, 1],), "series.filter": ([0, 1],), "series.repeat": (2,),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("receiver, name", list(each(["frame", "series"], "row-changing")))
def test_a_choice_of_rows_gives_fewer_or_more(receiver: str, name: str) -> None:
    subject = SUBJECTS[receiver]()
    match name:
        case "first" | "last":
            result = getattr(dated(subject), name)("2D")
        case "between_time":
            result = dated(subject).between_time("01:00", "02:00")
        case "at_time":
            result = dated(subject).at_time("01:00")
        case "dropna":
            result = (subject if receiver == "frame" else subject.mask(subject > 2)).dropna()
        case "drop_duplicates":
            result = (subject[["b"]] if receiver == "frame" else subject).drop_duplicates()
        case _:
            result = getattr(subject, name)(*CHOSEN.get(f"{receiver}.{name}", CHOSEN.get(name, ())))
    assert np.ndim(result) == 0 or len(result) != ROWS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("receiver, name", list(each(["frame", "series"], "row-ordering")))
def test_another_order_keeps_the_rows(receiver: str, name: str) -> None:
    subject = SUBJECTS[receiver]()
    backwards = subject.iloc[::-1]
    match name:
        case "sort_values" if receiver == "frame":
            result = subject.sort_values("b")
        case "reindex":
            result = subject.reindex(backwards.index)
        case "reindex_like":
            result = subject.reindex_like(backwards)
        case _:
            result = getattr(backwards, name)()
    assert len(result) == ROWS
    assert not result.index.equals(subject.index) or not result.index.equals(backwards.index)


def test_what_a_sum_of_text_gives_is_one_text() -> None:
    assert texts().str.cat(sep=",").count(",") == ROWS - 1
