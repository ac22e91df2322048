"""Fitting on more rows than memory holds: the notebook's feature code runs on parts, and what it learns is merged.

A round runs `prepare` on every part up to the first learned value that is not known yet, and merges what the parts give
(`reductions.py`). Each part is taken as two of different lengths, and a value counts as learned only where all of them
come to the same one: what depends on the rows at hand in any other way is told by its place in the notebook, and
refused. A split into training and test rows is drawn for all rows at once, as scikit-learn draws it, and each part
takes its share.
"""

from __future__ import annotations

import ast
import importlib
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from .asking import Asked, Asking, Refused, canonical, merged, standing_in
from .learned import FittedRows, LearnedTransformer
from .observing import MOST_CATEGORIES, choices, observe
from .partials import Known
from .pipeline import HERE
from .reductions import asked
from .schema import kind_of
from .sites import Learned, Values, canonical_key, column_names, own
from .tables import kind_of as kind_of_file

SAMPLE = 20_000
"""Rows from the beginning that are kept in memory, for the schema, the template and the baseline."""
SHARE = 3
"""The first of two parts of a part has one row of so many."""
MOST_BYTES = 4 << 30
"""What matrix and labels of all rows may take, for a model that is fitted in memory."""

_ROW_WISE = frozenset(
    {"abs", "assign", "astype", "between", "contains", "copy", "drop", "dropna", "endswith", "eq", "ge", "gt", "isin"}
    | {
        "isna",
        "isnull",
        "le",
        "lower",
        "lt",
        "ne",
        "notna",
        "notnull",
        "query",
        "rename",
        "startswith",
        "strip",
        "upper",
    }
    | {"to_numpy"}
)
"""Methods that, in the steps that only training rows go through, look at one row at a time."""

Each = Callable[[Callable[[int, Any], Any]], list[Any]]
"""What an engine gives: a function of a part's number and its frame, done for all parts; the results in their order."""


class FitError(ValueError):
    """What cannot be fitted on parts; `hint` says what can be done."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Site:
    """A learned value by name and key, and which time it is learned."""

    name: str
    key: Any
    run: int


@dataclass
class Progress:
    """What is known of all rows so far.

    `starts` are the places of the parts' first rows by the parts' numbers, `known` the answers for the first value that
    is not known, `split` says of each part as bits which rows are for training, and `order` in which order those of all
    parts stand.
    """

    dtypes: dict[Any, Any] = field(default_factory=dict)
    starts: dict[int, int] = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    known: list[Known] = field(default_factory=list)
    split: dict[int, Any] | None = None
    order: Any = None


class _Found(BaseException):
    """A part has come to a value of the first site that is not known."""

    def __init__(self, site: Site, value: Any) -> None:
        self.site, self.value = site, value


class _Split(BaseException):
    """A part has come to the split: how many rows it has there, by what they are stratified, and with which options."""

    def __init__(self, rows: int, strata: Any, options: dict[str, Any]) -> None:
        self.rows, self.strata, self.options = rows, strata, options


class Probing(Learned):
    """Values that are known are handed out, as in replay; the first one that is not is asked for.

    The notebook's own text sees that it is fitting, for the steps that only training rows go through; the functions of
    idioms see a replay, for what they make of all rows at once is learned by then.
    """

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._values, self._ask = progress.values, Asking(progress.known)
        del self.fitting

    def __getattr__(self, name: str) -> Any:
        if name != "fitting":
            raise AttributeError(name)
        return not sys._getframe(1).f_globals.get("__name__", "").endswith(".idioms")

    def __call__(self, name: str, compute: Callable[[], Any], key: Any = None) -> Any:
        if self._is_known(name, key):
            return own(self._take(name, key))
        raise self._computed(name, key, compute)

    def fit(self, name: str, estimator: Any, *args: Any, key: Any = None, **kwargs: Any) -> Any:
        if self._is_known(name, key):
            return self._restore(name, key, estimator)
        raise self._computed(name, key, lambda: estimator.fit(*args, **kwargs))

    def fit_transform(self, name: str, estimator: Any, X: Any, *args: Any, key: Any = None, **kwargs: Any) -> Any:
        if not self._is_known(name, key):

            def compute() -> Any:
                estimator.fit_transform(X, *args, **kwargs)
                return estimator

            raise self._computed(name, key, compute)
        self.columns.extend(column_names(self._restore(name, key, estimator), X))
        return estimator.transform(X)

    def fit_predict(self, name: str, estimator: Any, *_args: Any, key: Any = None, **_kwargs: Any) -> Any:
        self.site = Site(name, key, 0)
        raise Refused(f"a {type(estimator).__name__} is fitted on all rows at once")

    def hand_over(self, **values: Any) -> None:
        raise Refused(f"training takes {', '.join(values)} of all rows besides the features")

    def _is_known(self, name: str, key: Any) -> bool:
        key = canonical_key(key)
        return self._taken.get((name, key), 0) < len(self._values.get(name, {}).get(key, ()))

    def _computed(self, name: str, key: Any, compute: Callable[[], Any]) -> BaseException:
        self.site = Site(name, key, self._taken.get((name, canonical_key(key)), 0))
        with asked(self._ask):
            value = compute()
        return _Found(self.site, value)


def fit(
    each: Each, features: type[LearnedTransformer], manifest: Mapping[str, Any]
) -> tuple[LearnedTransformer, Any, Any, Any]:
    """Fit the features on the parts of `each`; returns them with matrix, labels, and the first raw rows.

    Raises FitError with cell and line of what does not merge.
    """
    hold_to_rows(features, manifest)
    progress = Progress()
    sample, observed = _surveyed(each, progress)
    while True:
        probe = _Probe(features, replace(progress, order=None))
        answers = each(probe)
        kinds = {answer[0] for answer in answers}
        if kinds == {"done"}:
            break
        _take(answers, kinds, progress, manifest)
    matrix, labels = _assembled(each, features, progress)
    fitted = features()
    learned = Learned.replaying(progress.values)
    first, _, learned.columns = probe.on(sample)
    lookups: dict[str, float] = {}
    fitted.settle(sample, first, None, learned, {**observed, "lookups": lookups}, whole=matrix)
    return fitted, matrix, labels, sample


@dataclass(frozen=True)
class _Probe:
    """What a part is asked in a round: up to the first thing that is not known, or for its matrix and labels."""

    features: type[LearnedTransformer]
    progress: Progress
    matrix: bool = False

    def __call__(self, number: int, frame: Any) -> tuple[Any, ...]:
        frame = conformed(frame, self.progress, number)
        learned = Probing(self.progress)
        learned.rows = frame
        try:
            with splitting(self.features, self.progress, number):
                matrix, labels = self.features.prepare(frame, learned)
        except Asked as question:
            return ("asked", learned.site, (question.kind, question.options), question.partial, question.digest)
        except _Found as found:
            return ("found", found.site, canonical(found.value), found.value)
        except _Split as split:
            return ("split", split.options, split.rows, split.strata)
        except Refused as refusal:
            return ("refused", getattr(learned, "site", None), str(refusal))
        if learned.moved or learned.without_partner:
            return ("refused", None, "rows are put in order, or looked up in a table, over all of them")
        return ("done", matrix, labels) if self.matrix else ("done",)

    def on(self, frame: Any) -> tuple[Any, Any, list[list[str]]]:
        """Matrix and labels of the first rows, all of them, with the names that estimators met."""
        learned = Probing(self.progress)
        learned.rows = frame
        with splitting(self.features, Progress(split={0: None}), 0):
            matrix, labels = self.features.prepare(frame.copy(), learned)
        return matrix, labels, learned.columns


def hold_to_rows(features: type[LearnedTransformer], manifest: Mapping[str, Any]) -> None:
    """Raise FitError where rows belong together, or a step of training rows looks at more than one of them."""
    if features.around:
        raise FitError("features are made of the rows around a row, so they cannot be fitted on parts")
    for step in manifest.get("steps", ()):
        if step["binding"] != "train-only":
            continue
        for call in (node for node in ast.walk(ast.parse(step["code"])) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name not in _ROW_WISE and not _is_split(features, name):
                raise FitError(
                    f"cell {step['cell']}, line {step['line']}: {ast.unparse(call)} may look at all training rows",
                    _way_out(),
                )


def _is_split(features: type[LearnedTransformer], name: str) -> bool:
    return vars(_module_of(features)).get(name) is train_test_split


def _module_of(features: type[LearnedTransformer]) -> ModuleType:
    return sys.modules[features.__module__]


def _surveyed(each: Each, progress: Progress) -> tuple[Any, dict[str, Any]]:
    """The first rows, and what is observed of all: dtypes and places of the rows of each part are known then."""
    heads = each(_head)
    rows = [count for _, count, _ in heads]
    if not sum(rows):
        raise FitError("there are no rows to fit on")
    progress.dtypes.update(_dtypes([head for _, count, head in heads if count]))
    progress.starts.update(zip((number for number, _, _ in heads), np.cumsum([0, *rows[:-1]]).tolist()))
    sample = [part for part in each(_First(progress)) if part is not None]
    return pd.concat(sample), _observed(each(_Observe(progress)), sum(rows))


def _dtypes(heads: Sequence[Any]) -> dict[Any, Any]:
    """The dtypes that a table of all rows has, by column; a column without a value has that of the others."""
    for label in heads[0].columns:
        if any(label not in head.columns for head in heads):
            raise FitError(f"a part has no column {label}, which another one has")
    return {label: _dtype_of(label, [head[label] for head in heads]) for label in heads[0].columns}


def _dtype_of(label: Any, columns: Sequence[Any]) -> Any:
    some = [column for column in columns if column.notna().any()] or columns[:1]
    dtypes = list(dict.fromkeys(column.dtype for column in some))
    if len(dtypes) == 1 and all(column.dtype.kind not in "iu" for column in some):
        return dtypes[0]
    if all(dtype.kind in "iuf" for dtype in dtypes):
        # a part without a value has floats, which whole numbers become among missing ones
        return pd.concat([column.iloc[:1] for column in columns if column.dtype.kind in "iuf"]).dtype
    if {pd.api.types.infer_dtype(column, skipna=True) for column in some} == {"boolean"}:
        return np.dtype(object)
    raise FitError(
        f"{label} is {' in some parts and '.join(map(str, dtypes))} in others", "write the parts alike, as Parquet"
    )


def _head(number: int, frame: Any) -> tuple[int, int, Any]:
    """A part's number, how many rows it has, and some of them: among those is a value of each column that has one."""
    present = frame.notna().to_numpy()
    return number, len(frame), frame.iloc[sorted({0, *present.argmax(axis=0).tolist()})]


@dataclass(frozen=True)
class _First:
    """The rows of a part that are among the first of all."""

    progress: Progress

    def __call__(self, number: int, frame: Any) -> Any:
        left = SAMPLE - self.progress.starts[number]
        return conformed(frame.iloc[:left], self.progress, number) if left > 0 else None


@dataclass(frozen=True)
class _Observe:
    """What is observed of a part: kind, extremes and few distinct values of each column."""

    progress: Progress

    def __call__(self, number: int, frame: Any) -> Any:
        frame = conformed(frame, self.progress, number)
        seen = observe(frame)
        kinds = [kind_of(frame.iloc[:, at]) for at in range(frame.shape[1])]
        return [
            (column, int(frame.iloc[:, at].isna().sum()), choices_of(frame.iloc[:, at], kind))
            for at, (column, kind) in enumerate(zip(seen["columns"], kinds))
        ]


def choices_of(series: Any, kind: str) -> Any:
    """Distinct values, where they are few, and the categories of a category."""
    if kind == "category":
        return series.cat.categories.tolist()
    values = series.dropna().unique() if kind in ("text", "boolean", "integer") else None
    return None if values is None or len(values) > MOST_CATEGORIES else values.tolist()


def _observed(parts: Sequence[Any], rows: int) -> dict[str, Any]:
    columns = []
    for each in zip(*parts):
        first = dict(each[0][0])
        missing = sum(count for _, count, _ in each)
        kinds = [column["kind"] for column, count, _ in each if column["kind"] != "any"]
        first["kind"] = kinds[0] if kinds else first["kind"]
        first["nullable"], first["missing"] = missing > 0, missing / rows
        for name, pick in (("min", min), ("max", max)):
            found = [column[name] for column, _, _ in each if column[name] is not None]
            first[name] = pick(found) if found else None
        values = [value for _, _, some in each for value in some or ()]
        is_free = any(some is None and column["kind"] == first["kind"] for column, _, some in each)
        first["categories"] = None if is_free else choices(list(dict.fromkeys(values)), first["kind"], rows)
        columns.append(first)
    return {"rows": rows, "columns": columns}


def conformed(frame: Any, progress: Progress, number: int) -> Any:
    """A part with the dtypes of all rows, its rows numbered as they are among all."""
    odd = {label: dtype for label, dtype in progress.dtypes.items() if frame[label].dtype != dtype}
    start = progress.starts[number]
    return (frame.astype(odd) if odd else frame.copy()).set_axis(pd.RangeIndex(start, start + len(frame)))


def splitting(features: type[LearnedTransformer], progress: Progress, number: int) -> Any:
    """Within, the split of the notebook's own module is that of all rows."""
    module = _module_of(features)
    names = [name for name, value in vars(module).items() if value is train_test_split]
    seen: list[bool] = []

    def split(*arrays: Any, stratify: Any = None, **options: Any) -> list[Any]:
        if seen:
            raise Refused("rows are split twice")
        seen.append(True)
        rows = len(arrays[0])
        if progress.split is None:
            raise _Split(rows, None if stratify is None else np.asarray(stratify), options)
        bits = progress.split[number]
        mask = np.ones(rows, dtype=bool) if bits is None else np.unpackbits(bits, count=rows).astype(bool)
        return [_rows(each, kept) for each in arrays for kept in (mask, ~mask)]

    return standing_in(module, dict.fromkeys(names, split))


def _rows(data: Any, mask: Any) -> Any:
    return data[mask] if isinstance(data, np.ndarray) else data.loc[mask] if hasattr(data, "loc") else data[mask]


def _take(answers: Sequence[Any], kinds: set[str], progress: Progress, manifest: Mapping[str, Any]) -> None:
    """Take what a round has given. Raises FitError where it is not the same for all parts."""
    refusal = next((answer for answer in answers if answer[0] == "refused"), None)
    if refusal is not None:
        raise FitError(f"{_place(refusal[1], manifest)}{refusal[2]}", _way_out())
    if len(kinds) > 1 or len({canonical(answer[1]) for answer in answers}) > 1:
        site = next((answer[1] for answer in answers if isinstance(answer[1], Site)), None)
        raise FitError(f"{_place(site, manifest)}the code goes another way for other rows", _way_out())
    kind, subject = answers[0][0], answers[0][1]
    if kind == "split":
        progress.split, progress.order = _drawn(subject, answers, progress.starts)
    elif kind == "found":
        if len({answer[2] for answer in answers}) > 1:
            raise FitError(f"{_place(subject, manifest)}it is not learned by reductions that merge", _way_out())
        progress.values.setdefault(subject.name, {}).setdefault(canonical_key(subject.key), []).append(answers[0][3])
        progress.known.clear()
    else:
        questions = {canonical(answer[2][0]) for answer in answers}
        if len(questions) > 1:
            raise FitError(f"{_place(subject, manifest)}the code goes another way for other rows", _way_out())
        question, options = answers[0][2]
        try:
            known = merged(question, options, [a[3] for a in answers], [a[4] for a in answers])
        except Refused as refusal:
            raise FitError(f"{_place(subject, manifest)}{refusal}", _way_out()) from refusal
        if progress.known and progress.known[-1].again is not None:
            progress.known.pop()
        progress.known.append(known)


def _drawn(options: Mapping[str, Any], answers: Sequence[Any], numbers: Iterable[int]) -> tuple[dict[int, Any], Any]:
    """Which rows of each part are for training, and the order in which scikit-learn gives them."""
    rows, strata = [answer[2] for answer in answers], [answer[3] for answer in answers]
    if options.get("random_state") is None and options.get("shuffle", True):
        raise FitError("the split has no random_state, so it is another one each time", "give it one in the notebook")
    stratify = None if strata[0] is None else np.concatenate(strata)
    train, _ = train_test_split(np.arange(sum(rows)), **options, stratify=stratify)
    mask = np.zeros(sum(rows), dtype=bool)
    mask[train] = True
    ends = np.cumsum(rows)
    return dict(zip(numbers, map(np.packbits, np.split(mask, ends[:-1])))), train


def _assembled(each: Each, features: type[LearnedTransformer], progress: Progress) -> tuple[Any, Any]:
    """Matrix and labels of the training rows, in the order in which the notebook's own split gives them."""
    parts = each(_Probe(features, replace(progress, order=None), matrix=True))
    matrix, labels = _stacked([part[1] for part in parts]), _stacked([part[2] for part in parts])
    train = progress.order
    if train is None:
        return matrix, labels
    if matrix.shape[0] != len(train):
        return matrix, labels  # rows are dropped behind the split: then they stay in the order of the parts
    order = np.argsort(np.argsort(train, kind="stable"), kind="stable")
    return tuple(each.iloc[order] if hasattr(each, "iloc") else each[order] for each in (matrix, labels))


def _stacked(parts: Sequence[Any]) -> Any:
    size = sum(getattr(part, "nbytes", 0) if isinstance(part, np.ndarray) else _bytes(part) for part in parts)
    if size > MOST_BYTES:
        raise FitError(
            f"features of the training rows take {size / 2**30:,.1f} GiB, and the model is fitted in memory", _way_out()
        )
    if isinstance(parts[0], (pd.DataFrame, pd.Series)):
        return pd.concat(parts)
    if hasattr(parts[0], "tocsr"):
        return importlib.import_module("scipy.sparse").vstack(parts).tocsr()
    return np.concatenate(parts)


def _bytes(part: Any) -> int:
    if isinstance(part, pd.DataFrame):
        return int(part.memory_usage(index=False).sum())
    return int(part.memory_usage(index=False) if isinstance(part, pd.Series) else part.data.nbytes)


def _place(site: Site | None, manifest: Mapping[str, Any]) -> str:
    """Cell, line and text of a site."""
    if site is None:
        return ""
    for step in (*manifest.get("steps", ()), *manifest.get("definitions", ())):
        for each in step["sites"]:
            if site.name == each["name"] or site.name.startswith(f"{each['name']}_"):
                return f"cell {each['cell']}, line {each['line']}: {each['expression']}: "
    return f"{site.name}: "


def _way_out() -> str:
    return "fit on a sample that fits into memory: --sample N"


def halves(frame: Any) -> list[Any]:
    """A part as two of different lengths, so that what hangs on the rows at hand differs between them; none of none."""
    at = max(1, len(frame) // SHARE)
    return [half for half in (frame.iloc[:at], frame.iloc[at:]) if len(half)]


def code() -> str:
    """The digest of this version's code, which has to be the same wherever parts are fitted."""
    return str(json.loads((HERE / "contract.json").read_text(encoding="utf-8")).get("digest", ""))


def reading() -> dict[str, Any]:
    """How the notebook reads its rows."""
    return dict(json.loads((HERE / "contract.json").read_text(encoding="utf-8")).get("read", {}))


def read_part(part: Any, name: str, read: Mapping[str, Any]) -> Any:
    """All rows of a part (a path or an open file), with the options of the notebook's own reading of csv."""
    if kind_of_file(Path(name)) == "parquet":
        return pd.read_parquet(part)
    options = read.get("kwargs", {}) if str(read.get("function", "")).endswith("read_csv") else {}
    return pd.read_csv(part, **options)


def on_this_machine(parts: Sequence[Path]) -> Each:
    """The engine of one process: a part after the other, so that one at a time is in memory."""
    read = reading()

    def each(function: Callable[[int, Any], Any]) -> list[Any]:
        made = []
        for at, part in enumerate(parts):
            made += asked_of(function, at, read_part(part, part.name, read))
        return made

    return each


def asked_of(function: Callable[[int, Any], Any], at: int, frame: Any) -> list[Any]:
    """What a function gives for the halves of a part of this number."""
    return [function(2 * at + half, rows) for half, rows in enumerate(halves(frame))]


def fit_package(each: Each, target: str | Path, *, sample: int | None = None) -> dict[str, Any]:
    """Fit this version on the parts of `each`; a package with it and its new state appears in the folder `target`.

    With `sample` it is fitted in memory, as the notebook does, on so many rows, which are evenly chosen. Returns the
    numbers of rows. Raises FitError, and what training raises.
    """
    package = __package__ or ""
    features = importlib.import_module(f"{package}.features").Features
    train = importlib.import_module(f"{package}.train")
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    place = Path(target) / HERE.parent.name
    if place.exists():
        raise FitError(f"{place} is there already: name another folder")
    if sample:
        first, rows = _sampled(each, sample)
        pipeline = train.train(first)
        trained = len(first)
    else:
        fitted, matrix, labels, first = fit(each, features, manifest)
        rows, trained = fitted.observed_["rows"], int(matrix.shape[0])
        pipeline = train.train(FittedRows(fitted, matrix, labels))
    ignored = shutil.ignore_patterns("__pycache__", "state", "*.pyc")
    new = place.with_name(f".{place.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(HERE, new / HERE.name, ignore=ignored)
    for path in HERE.parent.glob("*.py"):
        shutil.copyfile(path, new / path.name)
    pipeline.save(new / HERE.name, first)
    new.rename(place)
    return {"rows": rows, "trained": trained, "target": str(place)}


def _sampled(each: Each, count: int) -> tuple[Any, int]:
    """So many rows, evenly chosen from all parts, in their order."""
    rows = sum(rows for _, rows, _ in each(_head))
    made = [part for part in each(_Sample(min(1.0, count / rows))) if len(part)]
    return pd.concat(made, ignore_index=True), rows


@dataclass(frozen=True)
class _Sample:
    """Rows of a part by their share, in their order."""

    share: float

    def __call__(self, number: int, frame: Any) -> Any:
        kept = np.random.default_rng(number).random(len(frame)) < self.share
        return frame[kept]
