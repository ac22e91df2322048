"""What rows come to in a round of a fit on parts, held against what they come to together with others.

A part is taken as two of different lengths, and as a whole whose rows stand in reverse and are numbered anew. What is
asked of the whole, its matrix and its labels have to be those of the two, put together, and each value has to be the
same. Some rows of each part come to that by themselves as well, and together with those of all other parts: as they
are, in reverse, and as a table in which each of them stands several times, in any order. That finds what hangs on other
rows, on the order or the numbers of the rows, or on how many there are, up to `MOST_REPEATED` or a number in the code;
and what all parts agree upon by chance.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from .agreeing import Agreement, agreement, is_within
from .asking import Asked, Asking, Refused, canonical, standing_in
from .learned import LearnedTransformer
from .reductions import asked
from .sites import Learned, canonical_key, column_names, own
from .surveying import Progress, conformed, some_of

MOST_REPEATED, MOST_CELLS = 200_000, 1 << 24
"""Rows and values at most of the table in which rows of all parts stand several times."""
TOGETHER = -1
"""The number of rows that are no part."""
REVERSED = slice(None, None, -1)

NO_REDUCTION = "it is not learned by reductions that merge"
ANOTHER_WAY = "the code goes another way for other rows"
ACROSS_ROWS = "hangs on other rows, on their order, or on how many there are"


@dataclass(frozen=True)
class Site:
    """A learned value by name and key, and which time it is learned."""

    name: str
    key: Any
    run: int


class _Found(BaseException):
    """A part has come to a value of the first site that is not known."""

    def __init__(self, site: Site, value: Any) -> None:
        self.site, self.value = site, value


class _Split(BaseException):
    """A part has come to the split, with these options: how many rows it has there, by what they are stratified.

    `labels` are those of the rows, where they have some.
    """

    def __init__(self, rows: int, strata: Any, labels: Any, options: dict[str, Any]) -> None:
        self.rows, self.strata, self.labels, self.options = rows, strata, labels, options


class Probing(Learned):
    """Values that are known are handed out, as in replay; the first one that is not is asked for.

    The notebook's own text sees that it is fitting, for the steps that only training rows go through; the functions of
    idioms see a replay, for what they make of all rows at once is learned by then.
    """

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.site: Site | None = None
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


@dataclass(frozen=True)
class Answer:
    """What rows come to in a round: up to the first thing that is not known, or their matrix and labels.

    By kind, `site` is where, `subject` what all rows have to agree on, and `content` what each gives:

    - `asked`: the question with its options; the partial result
    - `found`: a learned value, as one that can be compared; the value
    - `split`: the options of a split; the number of rows, what they are stratified by, and their labels
    - `done`: nothing; matrix and labels
    - `refused`: nothing; why

    `digest` tells the rows that were asked of from others; `in_order` says that they stand as the raw ones do.
    `some` are those rows of a part that are looked at together with others, by themselves; without them if they raise.
    """

    kind: str
    site: Site | None = None
    subject: Any = None
    content: Any = None
    digest: str = ""
    in_order: bool = True
    some: Any = None


@dataclass(frozen=True)
class Probe:
    """What rows are asked in a round."""

    features: type[LearnedTransformer]
    progress: Progress

    def __call__(self, number: int, frame: Any) -> Answer:
        """What rows come to that are not held against others."""
        return self._outcome(frame, number).told()

    def of_part(self, ends: Sequence[tuple[int, Any]], frame: Any) -> list[Answer]:
        """What the two of a part come to, or one refusal; they are held against the whole of it, and some of it."""
        split, ones = self.progress.split, self._all_for_training()
        if split is not None:
            masks = [unpacked(*split[number]) for number, _ in ends]
            split = {TOGETHER: packed(np.concatenate(masks)[REVERSED])}
        whole = self._together(_reversed(frame), split)
        kept = np.concatenate([some_of(number, len(rows), self.progress.share) for number, rows in ends])
        some = self._together(frame[kept], ones)
        made = _held([self._outcome(rows, number) for number, rows in ends], [(whole, REVERSED, 1)], some)
        if some.error or some.kind not in ("asked", "done") or made[0].kind == "refused":
            return made
        if ones is None and not is_within(some.rows, whole.rows):
            return [Answer("refused", some.site, content=_across_rows(some.kind))]
        return [replace(made[0], some=some.rows), *made[1:]]

    def of_spread(self, spread: Mapping[int, Any], total: int, answers: Mapping[int, Answer]) -> Answer:
        """What rows of all parts come to together, of which there are so many; each of them is one for training.

        They are held against what those of each part have come to by themselves.
        """
        kind = next(iter(answers.values())).kind
        numbers = [at for at in spread if answers[at].some is not None or kind not in ("asked", "done")]
        if not numbers:
            return Answer("refused", content="the code takes no part of a few rows")
        rows, ones = pd.concat([spread[at] for at in numbers]), self._all_for_training()
        stated = (number + 1 for number in numbers_in(self.features) if number <= total)
        most = min(max(MOST_REPEATED, *stated, 0), MOST_CELLS // max(1, rows.shape[1]), total)
        times = max(2, -(-most // len(rows)))
        repeated = np.random.default_rng(0).permutation(np.tile(np.arange(len(rows)), times))
        together = self._together(rows, ones)
        wholes = [
            (self._together(_reversed(rows), ones), REVERSED, 1),
            (self._together(rows.take(repeated), ones), None, times),
        ]
        made = _held([together], wholes)[0]
        is_of_rows = made.kind == "done" or any(answer.digest != made.digest for answer in answers.values())
        if made.kind not in ("asked", "done") or not is_of_rows:
            return made
        found = agreement([answers[at].some for at in numbers], together.rows, slice(None))
        if found is Agreement.NO:
            return Answer("refused", made.site, content=_across_rows(made.kind))
        return replace(made, in_order=made.in_order and found is Agreement.ORDER)

    def _all_for_training(self) -> dict[int, Any] | None:
        return None if self.progress.split is None else {TOGETHER: None}

    def on(self, frame: Any) -> tuple[Any, Any, list[list[str]]]:
        """Matrix and labels of the first rows, all of them, with the names that estimators met."""
        learned = Probing(self.progress)
        learned.rows = frame
        with splitting(self.features, Progress(split={0: None}), 0):
            matrix, labels = self.features.prepare(frame.copy(), learned)
        return matrix, labels, learned.columns

    def _together(self, frame: Any, split: dict[int, Any] | None) -> _Outcome:
        """What rows come to that are numbered from zero."""
        progress = replace(self.progress, starts={TOGETHER: 0}, split=split)
        return replace(self, progress=progress)._outcome(frame, TOGETHER)

    def _outcome(self, frame: Any, number: int) -> _Outcome:
        frame = conformed(frame, self.progress, number)
        learned = Probing(self.progress)
        learned.rows = frame
        try:
            with splitting(self.features, self.progress, number):
                matrix, labels = self.features.prepare(frame, learned)
        except Asked as question:
            return _Outcome("asked", learned.site, (question.kind, question.options), question)
        except _Found as found:
            return _Outcome("found", found.site, canonical(found.value), found.value)
        except _Split as split:
            return _Outcome("split", None, split.options, (split.rows, split.strata, split.labels))
        except Refused as refusal:
            return _Outcome("refused", learned.site, content=str(refusal))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - the notebook's code may raise anything on rows it never had
            said = f"it raises {type(error).__name__} on some of the rows: {error}"
            return _Outcome("refused", learned.site, content=said, error=True)
        if learned.moved or learned.without_partner:
            said = "rows are put in order, or looked up in a table, over all of them"
            return _Outcome("refused", content=said)
        return _Outcome("done", content=(matrix, labels))


def _reversed(frame: Any) -> Any:
    return frame.take(np.arange(len(frame))[REVERSED])


def _held(
    ends: Sequence[_Outcome], wholes: Sequence[tuple[_Outcome, Any, int]], some: _Outcome | None = None
) -> list[Answer]:
    """The answers of some rows each, held against those of all of them in another order, or several times.

    `some` of them by themselves only have to ask the same, where they do not raise.
    """
    every = [*ends, *(whole for whole, _, _ in wholes), *([] if some is None or some.error else [some])]
    said = disagreement(every)
    if said is not None:
        return [said]
    kind, site = ends[0].kind, ends[0].site
    if kind not in ("asked", "done"):
        return [each.told() for each in ends]
    digests = [each.digest() for each in ends]
    is_here = kind == "asked" and len({*digests}) == 1  # which of the others is looked at only then
    if is_here and all(each.digest() == digests[0] for each in every[len(ends) :]):
        return [replace(each.told(), digest=digests[0]) for each in ends]
    tables = [each.rows for each in ends]
    found = [agreement(tables, whole.rows, order, times) for whole, order, times in wholes]
    in_order = all(each is Agreement.ORDER for each, (_, order, _) in zip(found, wholes) if order is not None)
    if Agreement.NO in found or (kind == "done" and not in_order):
        return [Answer("refused", site, content=_across_rows(kind))]
    return [replace(each.told(), digest=digest, in_order=in_order) for each, digest in zip(ends, digests)]


def _across_rows(kind: str) -> str:
    what = "what is asked for there" if kind == "asked" else "a feature or the choice of training rows"
    return f"{what} {ACROSS_ROWS}"


def disagreement(answers: Sequence[Answer | _Outcome]) -> Answer | None:
    """A refusal where not all have come to the same."""
    refused = next((each for each in answers if each.kind == "refused"), None)
    if refused is not None:
        return Answer("refused", refused.site, content=refused.content)
    if len({canonical((each.kind, each.site, each.subject)) for each in answers}) == 1:
        return None
    site = next((each.site for each in answers if each.site is not None), None)
    is_a_value = {each.kind for each in answers} == {"found"}
    return Answer("refused", site, content=NO_REDUCTION if is_a_value else ANOTHER_WAY)


@dataclass(frozen=True)
class _Outcome:
    """An answer as it is before it is held against others: of a question it has the rows."""

    kind: str
    site: Site | None = None
    subject: Any = None
    content: Any = None
    error: bool = False

    def told(self) -> Answer:
        """The answer for the one who merges, without its digest."""
        if self.kind != "asked":
            return Answer(self.kind, self.site, self.subject, self.content)
        try:
            return Answer(self.kind, self.site, self.subject, self.content.partial())
        except (ArithmeticError, TypeError, ValueError) as error:
            return Answer("refused", self.site, content=f"there is no such sum over parts: {error}")

    @cached_property
    def rows(self) -> Any:
        """The rows that are asked of, or those of matrix and labels beside each other."""
        return self.content.rows if self.kind == "asked" else _beside(*self.content)

    def digest(self) -> str:
        """What tells the rows that are asked of from others."""
        return str(self.content.digest()) if self.kind == "asked" else ""


def _beside(matrix: Any, labels: Any) -> Any:
    """Matrix and labels as one table; a sparse matrix by its rows' entries."""
    tables = [_as_table(each) for each in (matrix, labels) if each is not None]
    made = pd.concat(tables, axis=1)
    return made.set_axis(range(made.shape[1]), axis=1)


def _as_table(data: Any) -> Any:
    if hasattr(data, "tocsr"):
        rows = data.tocsr()
        rows.sort_indices()
        ends = zip(rows.indptr[:-1], rows.indptr[1:])
        return pd.DataFrame({0: [str((rows.indices[a:b].tolist(), rows.data[a:b].tolist())) for a, b in ends]})
    frame = data.to_frame() if isinstance(data, pd.Series) else pd.DataFrame(data)
    return frame.reset_index(drop=True)


def splitting(features: type[LearnedTransformer], progress: Progress, number: int) -> Any:
    """Within, the split of the notebook's own module is that of all rows."""
    module = module_of(features)
    names = [name for name, value in vars(module).items() if value is train_test_split]
    seen: list[bool] = []

    def split(*arrays: Any, stratify: Any = None, **options: Any) -> list[Any]:
        if seen:
            raise Refused("rows are split twice")
        seen.append(True)
        rows = len(arrays[0])
        if progress.split is None:
            labels = next((each.index for each in arrays if isinstance(each, (pd.DataFrame, pd.Series))), None)
            raise _Split(rows, None if stratify is None else np.asarray(stratify), labels, options)
        packed = progress.split[number]
        mask = np.ones(rows, dtype=bool) if packed is None else unpacked(*packed)
        if len(mask) != rows:
            raise Refused("other rows come to the split each time")
        return [_rows(each, kept) for each in arrays for kept in (mask, ~mask)]

    return standing_in(module, dict.fromkeys(names, split))


def _rows(data: Any, mask: Any) -> Any:
    return data[mask] if isinstance(data, np.ndarray) else data.loc[mask] if hasattr(data, "loc") else data[mask]


def packed(mask: Any) -> tuple[Any, int]:
    """A mask as bits, and its length."""
    return np.packbits(mask), len(mask)


def unpacked(bits: Any, count: int) -> Any:
    """The mask of `packed`."""
    return np.unpackbits(bits, count=count).astype(bool)


def numbers_in(features: type[LearnedTransformer]) -> set[int]:
    """The whole numbers in the feature code, which may be numbers of rows."""
    functions = [features.prepare, *(each for each in vars(module_of(features)).values() if callable(each))]
    codes = [each.__code__ for each in functions if isinstance(each, FunctionType)]
    cells = [cell.cell_contents for each in functions for cell in getattr(each, "__closure__", None) or ()]
    codes += [each.__code__ for each in cells if isinstance(each, FunctionType)]
    made: set[int] = set()
    while codes:
        for constant in _flat(codes.pop().co_consts):
            if isinstance(constant, CodeType):
                codes.append(constant)
            elif isinstance(constant, (int, float)) and constant == constant // 1:
                made.add(abs(int(constant)))
    return made


def _flat(constants: Any) -> list[Any]:
    """Constants of code, with those within tuples and slices."""
    made = []
    for each in constants:
        if isinstance(each, (tuple, frozenset)):
            made += _flat(each)
        elif isinstance(each, slice):
            made += [each.start, each.stop, each.step]
        else:
            made.append(each)
    return made


def module_of(features: type[LearnedTransformer]) -> ModuleType:
    """The module of the feature code."""
    return sys.modules[features.__module__]
