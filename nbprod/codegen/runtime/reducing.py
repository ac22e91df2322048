"""Fitting on more rows than memory holds: the notebook's feature code runs on parts, and what it learns is merged.

A round runs `prepare` on every part up to the first learned value that is not known yet, and merges what the parts give
(`reductions.py`). What depends on the rows at hand in any other way is told by its place in the notebook, and refused
(`probing.py`). A split into training and test rows is drawn for all rows at once, as scikit-learn
draws it, and each part takes its share.
"""

from __future__ import annotations

import ast
import importlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from . import parts
from .asking import Refused, merged
from .learned import FittedRows, LearnedTransformer
from .probing import Answer, Probe, Site, disagreement, module_of, packed
from .row_wise import across_rows
from .sites import Learned, canonical_key
from .state import HERE
from .surveying import (
    Each,
    FitError,
    Progress,
    asked_of,
    code,
    on_this_machine,
    read_part,
    reading,
    sampled,
    surveyed,
)

__all__ = ["FitError", "asked_of", "code", "fit", "fit_package", "learn", "on_this_machine", "read_part", "reading"]

MOST_BYTES = 4 << 30
"""What matrix and labels of all rows may take, for a model that is fitted in memory."""


def fit(
    each: Each, features: type[LearnedTransformer], manifest: Mapping[str, Any]
) -> tuple[LearnedTransformer, Any, Any, Any]:
    """Fit the features on the parts of `each`; returns them with matrix, labels, and the first raw rows.

    Raises FitError with cell and line of what does not merge.
    """
    learning = learn(each, features, manifest)
    fitted = features()
    learned = Learned.replaying(learning.progress.values)
    first, _, learned.columns = Probe(features, learning.progress).on(learning.first)
    lookups: dict[str, float] = {}
    observed = {**learning.observed, "lookups": lookups}
    fitted.settle(learning.first, first, None, learned, observed, whole=learning.matrix)
    return fitted, learning.matrix, learning.labels, learning.first


@dataclass(frozen=True)
class Learning:
    """What came of all parts: matrix and labels of the training rows, the first raw rows, and what is observed."""

    progress: Progress
    matrix: Any
    labels: Any
    first: Any
    observed: dict[str, Any]


def learn(each: Each, features: type[LearnedTransformer], manifest: Mapping[str, Any]) -> Learning:
    """Learn from the parts of `each` in as many rounds as it takes. Raises FitError."""
    hold_to_rows(features, manifest)
    progress = Progress()
    first, observed, spread = surveyed(each, progress)
    while True:
        probe = Probe(features, replace(progress, order=None, labels=None))
        answers = each(probe)
        refusal = disagreement(answers)
        witness = refusal or probe.of_spread(spread, observed["rows"], _by_part(answers, progress))
        refusal = refusal or disagreement([*answers, witness])
        if refusal is not None:
            raise FitError(f"{_place(refusal.site, manifest)}{refusal.content}", _way_out())
        if witness.kind == "done":
            return Learning(progress, *_assembled(answers, progress), first, observed)
        _take(answers, witness, progress, manifest)


def _by_part(answers: Sequence[Answer], progress: Progress) -> dict[int, Answer]:
    """The answer of each part's first half, by the part's number."""
    made: dict[int, Answer] = {}
    for number, answer in zip(progress.starts, answers):
        made.setdefault(number // 2, answer)
    return made


def hold_to_rows(features: type[LearnedTransformer], manifest: Mapping[str, Any]) -> None:
    """Raise FitError where rows belong together, or a step of training rows looks at more than one of them."""
    if features.around:
        raise FitError("features are made of the rows around a row, so they cannot be fitted on parts")
    splits = frozenset(name for name, value in vars(module_of(features)).items() if value is train_test_split)
    for step in manifest.get("steps", ()):
        for found in across_rows(step, splits) if step["binding"] == "train-only" else ():
            place = f"cell {step['cell']}, line {step['line']}: {ast.unparse(found)}"
            raise FitError(f"{place} may look at all training rows", _way_out())


def _take(answers: Sequence[Answer], witness: Answer, progress: Progress, manifest: Mapping[str, Any]) -> None:
    """Take what a round has given."""
    kind, site, subject = answers[0].kind, answers[0].site, answers[0].subject
    if kind == "split":
        progress.split, progress.order = _drawn(subject, [answer.content for answer in answers], progress.starts)
        progress.drawn = bool((np.diff(progress.order) < 0).any())
        labels = [answer.content[2] for answer in answers]
        if all(each is not None for each in labels):
            progress.labels = labels[0].append(labels[1:])[progress.order]
        return
    assert site is not None
    if kind == "found":
        progress.values.setdefault(site.name, {}).setdefault(canonical_key(site.key), []).append(answers[0].content)
        progress.known.clear()
        return
    question, options = subject
    in_order = not progress.drawn and all(answer.in_order for answer in (*answers, witness))
    digests = [answer.digest for answer in (*answers, witness)]
    try:
        known = merged(question, options, [answer.content for answer in answers], digests, in_order=in_order)
    except Refused as refusal:
        raise FitError(f"{_place(site, manifest)}{refusal}", _way_out()) from refusal
    if progress.known and progress.known[-1].again is not None:
        progress.known.pop()
    progress.known.append(known)


def _drawn(
    options: Mapping[str, Any], answers: Sequence[tuple[int, Any, Any]], numbers: Iterable[int]
) -> tuple[dict[int, Any], Any]:
    """Which rows of each part are for training, and the order in which scikit-learn gives them."""
    rows, strata = [count for count, _, _ in answers], [each for _, each, _ in answers]
    if options.get("random_state") is None and options.get("shuffle", True):
        raise FitError("the split has no random_state, so it is another one each time", "give it one in the notebook")
    stratify = None if strata[0] is None else np.concatenate(strata)
    train, _ = train_test_split(np.arange(sum(rows)), **options, stratify=stratify)
    mask = np.zeros(sum(rows), dtype=bool)
    mask[train] = True
    ends = np.cumsum(rows)
    return dict(zip(numbers, map(packed, np.split(mask, ends[:-1])))), train


def _assembled(answers: Sequence[Answer], progress: Progress) -> tuple[Any, Any]:
    """Matrix and labels of the training rows, in the order in which the notebook's own split gives them."""
    matrix, labels = (_stacked([answer.content[at] for answer in answers]) for at in (0, 1))
    if not progress.drawn:
        return matrix, labels
    order = np.argsort(_places(matrix, labels, progress), kind="stable")
    return tuple(each.iloc[order] if hasattr(each, "iloc") else each[order] for each in (matrix, labels))


def _places(matrix: Any, labels: Any, progress: Progress) -> Any:
    """The places of the rows of a matrix among the training rows. Raises FitError where nothing tells them."""
    train, known = progress.order, progress.labels
    if matrix.shape[0] == len(train):
        return np.argsort(train, kind="stable")
    table = next((each for each in (matrix, labels) if isinstance(each, (pd.DataFrame, pd.Series))), None)
    if table is not None and len(table) == matrix.shape[0] and known is not None and known.is_unique:
        places = known.get_indexer(table.index)
        if (places >= 0).all():
            return places
    raise FitError("rows are dropped behind the split, and their labels do not tell which", _way_out())


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


def fit_package(each: Each, target: str | Path, *, sample: int | None = None) -> dict[str, Any]:
    """Fit this version on the parts of `each`; a package with it and its new state appears in the folder `target`.

    With `sample` it is fitted in memory, as the notebook does, on so many rows, which are evenly chosen. Returns the
    numbers of rows. Raises FitError, and what training raises.
    """
    features = importlib.import_module("..features", __package__).Features
    train = importlib.import_module("..train", __package__)
    manifest = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    with _alone(Path(target) / HERE.parent.name) as (place, new):
        if sample:
            first, rows = sampled(each, sample)
            pipeline = train.train(first)
            trained = len(first)
        else:
            fitted, matrix, labels, first = fit(each, features, manifest)
            rows, trained = fitted.observed_["rows"], int(matrix.shape[0])
            pipeline = train.train(FittedRows(fitted, matrix, labels))
        ignored = shutil.ignore_patterns("__pycache__", "state", "*.pyc")
        shutil.copytree(HERE, new / HERE.name, ignore=ignored)
        shutil.copytree(HERE.parent / "serving", new / "serving", ignore=ignored)
        for path in HERE.parent.glob("*.py"):
            shutil.copyfile(path, new / path.name)
        pipeline.save(new / HERE.name, first)
        new.rename(place)
    return {"rows": rows, "trained": trained, "target": str(place)}


@contextmanager
def _alone(place: Path) -> Iterator[tuple[Path, Path]]:
    """A place for a package, and the folder in which it is made, for this process alone. Raises FitError."""
    made = [folder for folder in (place.parent, *place.parent.parents) if not folder.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with parts.locked(place) as kept:
            if place.exists():
                raise FitError(f"{place} is there already: name another folder")
            new = kept.folder / place.name
            shutil.rmtree(new, ignore_errors=True)  # of a run that was killed
            yield place, new
    except parts.BusyError as error:
        raise FitError(str(error)) from error
    finally:
        with suppress(OSError):  # a folder that was made for it, and is empty
            for folder in made:
                folder.rmdir()
