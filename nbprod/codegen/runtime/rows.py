"""One row without pandas: the module that a fit has written of the feature code and the model, and what it needs.

It answers ordinary rows. For any other one (a value of another type, infinite, or outside of what an operation takes)
it raises, and the row goes through the package's own code, which has the last word on what is refused.
"""

from __future__ import annotations

import copy
import json
import re
from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta  # noqa: F401 - constants of rows
from math import exp, sqrt
from pathlib import Path
from struct import pack
from types import ModuleType
from typing import Any

import numpy as np

NAN, INF = float("nan"), float("inf")
MOST, MOST_WHOLE = 1e15, 2**31


FILE, TABLES_FILE, EXAMPLE = "row.py", "row.json", "example.json"
"""The module of a fitted version, in its `state/`, its large trees where it has such, and a record with its answer."""


class OddRowError(Exception):
    """A row that the package's own code has to answer."""


def number(value: Any) -> float:
    if value is None or (type(value) is float and value != value):
        return NAN
    return number_needed(value)


def number_needed(value: Any) -> float:
    if type(value) is int and -MOST <= value <= MOST:
        return float(value)
    raise OddRowError


def integer_needed(value: Any) -> int:
    if type(value) is float and -MOST_WHOLE <= value <= MOST_WHOLE and value == value // 1:
        return int(value)
    raise OddRowError


def text(value: Any) -> Any:
    return None if value is None else text_needed(value)


def text_needed(value: Any) -> str:
    if type(value) is str and not any("\ud800" <= sign <= "\udfff" for sign in value):
        return value
    raise OddRowError  # half of a character, which tables don't hold


def boolean_needed(_: Any) -> bool:
    raise OddRowError


def whole(value: int) -> int:
    if -(2**53) <= value <= 2**53:
        return value
    raise OddRowError


def within_32_bits(value: int) -> int:
    if -(2**31) <= value < 2**31:
        return value
    raise OddRowError


def moment(value: Any) -> datetime:
    """The date that a field says in the form of ISO 8601, as pandas and Python read it."""
    if type(value) is str:
        return dated(ISO, value)
    raise OddRowError


def dated(pattern: Any, value: Any) -> datetime:
    """The date of a text, whose numbers a pattern names; pandas may read others, and has not all years."""
    found = None if value is None else pattern.fullmatch(value)
    if found is None:
        raise OddRowError
    parts: dict[str, Any] = {name: int(digits) for name, digits in found.groupdict("0").items()}
    if "short_year" in parts:
        short = parts.pop("short_year")
        parts["year"] = short + (1900 if short >= FIRST_SHORT_YEAR else 2000)
    if FIRST_YEAR <= parts["year"] <= LAST_YEAR:
        return datetime(**parts)
    raise OddRowError


def days_in_month(date: datetime) -> int:
    return monthrange(date.year, date.month)[1]


def midnight(date: datetime) -> datetime:
    return date.replace(hour=0, minute=0, second=0, microsecond=0)


def digits(value: str) -> int:
    """The whole number that a text of at most nine digits stands for, as 32 bits hold it."""
    if DIGITS.fullmatch(value):
        return int(value)
    raise OddRowError


def bin_of(place: int, count: int, value: float) -> int:
    if 0 < place <= count and value == value:
        return place - 1
    raise OddRowError


def present(value: Any) -> Any:
    if value is None:
        raise OddRowError
    return value


def shown(value: float) -> str:
    if value != value:
        raise OddRowError
    return str(value)


def group_of(match: Any) -> Any:
    return None if match is None else match.group(1)


def real(value: Any) -> float:
    if value is None:
        return NAN
    if isinstance(value, (float, int, np.floating, np.integer)) and type(value) is not bool:
        return float(value)
    raise OddRowError


def integer(value: Any) -> int:
    if isinstance(value, (int, np.integer)) and type(value) is not bool:
        return int(value)
    raise OddRowError


ISO = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?:[ T](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))?)?",
    re.ASCII,
)
FIRST_YEAR, LAST_YEAR = 1700, 2200
"""Of dates that nanoseconds reach, too."""

FIRST_SHORT_YEAR = 69
"""The first one of the last century, as POSIX has it (strptime), and Python and pandas with it."""

DIGITS = re.compile(r"-?\d{1,9}", re.ASCII)

DECIMAL = re.compile(r"[+-]?\d{1,15}(\.\d{0,15})?", re.ASCII)
"""Texts that pandas and Python read as the same number, where the digits are no more than a float has."""

MOST_DIGITS = 15


def parsed(value: Any) -> float:
    if value is None:
        return NAN
    if DECIMAL.fullmatch(value) and sum(map(str.isdigit, value)) <= MOST_DIGITS:
        return float(value)
    raise OddRowError


def parsed_or_missing(value: Any) -> float:
    return parsed(value) if value is None or value.strip() else NAN


def text_or_none(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if value is None or value != value:
        return None
    raise OddRowError


def text_given(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise OddRowError


class Row(dict):  # type: ignore[type-arg]
    """A row as a function of the notebook takes it: by label, and by attribute."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __missing__(self, label: Any) -> Any:
        raise OddRowError

    def get(self, label: Any, *_: Any) -> Any:
        """The value of a column that the function names; of another one nobody knows here whether it is there."""
        return self[label]

    def __contains__(self, label: Any) -> bool:
        self[label]
        return True


class PlacedRow(Row):
    """A row of all columns that a function goes through, whose values it takes by their places."""

    @property
    def iloc(self) -> list[Any]:
        return list(self.values())

    def __missing__(self, label: Any) -> Any:
        if type(label) is not int:
            raise OddRowError
        return self.iloc[label]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values())


def truth(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise OddRowError


def min_of(values: Any) -> float:
    there = [each for each in values if each == each]
    return float(min(there)) if there else NAN


def max_of(values: Any) -> float:
    there = [each for each in values if each == each]
    return float(max(there)) if there else NAN


def sum_of(values: Any) -> float:
    total = 0.0
    for each in values:
        if each == each:
            total += each
    return total


def mean_of(values: Any) -> float:
    there = [each for each in values if each == each]
    return sum_of(there) / len(there) if there else NAN


def finite(value: float) -> float:
    if -1e300 < value < 1e300:
        return value
    raise OddRowError


def finite_or_missing(value: float) -> float:
    if -1e300 < value < 1e300 or value != value:
        return value
    raise OddRowError


def decided(score: float, least: float = 0.0) -> float:
    """A score that is on one side: which class has one that is all but zero, rounding decides, or the version."""
    if -least <= score <= least:
        raise OddRowError
    return score


def ordinary(values: Any) -> None:
    """Raise where a feature is missing, or too large for 32 bits."""
    for each in values:
        if not -3e38 < each < 3e38:
            raise OddRowError


def ordinary_or_missing(values: Any) -> None:
    """Raise where a feature is too large for 32 bits."""
    for each in values:
        if not -3e38 < each < 3e38 and each == each:
            raise OddRowError


def first_of_largest(values: Any) -> int:
    best = 0
    for place in range(1, len(values)):
        if values[place] > values[best]:
            best = place
    return best


def clearly_largest(values: Any, least: float = 1e-9) -> int:
    """The place of the largest score; of scores that are all but equal versions of a library take another one."""
    best = first_of_largest(values)
    nearest = values[best] - least * max(1.0, abs(values[best]))
    if any(each >= nearest for place, each in enumerate(values) if place != best):
        raise OddRowError
    return best


def apart(scores: Any, least: float) -> None:
    """Raise where the largest score is no more than `least` larger than another one."""
    nearest = max(scores) - least
    if sum([score >= nearest for score in scores]) > 1:
        raise OddRowError


def logistic(score: float) -> tuple[float, float]:
    """The probabilities of two classes from the score of the second."""
    if score >= 0:
        chance = 1.0 / (1.0 + exp(-score))
    else:
        small = exp(score)
        chance = small / (1.0 + small)
    return 1.0 - chance, chance


def softmax(scores: Any) -> tuple[float, ...]:
    """The probabilities of several classes from their scores together."""
    largest = max(scores)
    sizes = [exp(score - largest) for score in scores]
    total = sum(sizes)
    return tuple(size / total for size in sizes)


def each_logistic(scores: Any) -> tuple[float, ...]:
    """The probability of each class against all others from its score, whatever the others have."""
    return tuple(logistic(score)[1] for score in scores)


def single(value: float) -> float:
    """A number rounded to 32 bits."""
    return float(np.float32(value))


def summed(values: Any) -> float:
    """The sum of numbers from the first to the last, each time rounded to 32 bits: as XGBoost adds trees."""
    singles = np.frombuffer(pack(f"{len(values)}f", *values), np.float32)  # half the time of np.array
    return float(np.add.accumulate(singles)[-1])


def logistic_32(score: float) -> tuple[float, float]:
    """The probabilities of two classes from the score of the second, computed in 32 bits as XGBoost does it."""
    chance = single(1.0 / single(1.0 + single(exp(min(-score, 88.7)))))
    return single(1.0 - chance), chance


def softmax_32(scores: Any) -> tuple[float, ...]:
    """The probabilities of several classes from their scores together, in 32 bits but for the sum (XGBoost)."""
    largest = max(scores)
    sizes = [single(exp(single(score - largest))) for score in scores]
    total = single(sum(sizes))
    return tuple(single(size / total) for size in sizes)


def against_the_rest(scores: Any) -> tuple[float, ...]:
    """The probabilities of several classes from the score of each against all others."""
    chances = [logistic(score)[1] for score in scores]
    total = sum(chances)
    if total == 0:
        raise OddRowError
    return tuple(chance / total for chance in chances)


def nearest(centres: Any, values: Any) -> int:
    """The place of the nearest centre; of two that are all but equally near the estimator may take another one."""
    place, best, second = 0, INF, INF
    for at, centre in enumerate(centres):
        far = 0.0
        for one, other in zip(centre, values):
            far += (one - other) * (one - other)
        if far < best:
            place, best, second = at, far, best
        elif far < second:
            second = far
    if not second - best > 1e-9 * (second + sum([value * value for value in values])):
        raise OddRowError
    return place


def walk(node: Any, vector: Any) -> Any:
    """The value of the leaf that a vector comes to. A node is a tuple (`nested`); what is missing goes to the right."""
    while type(node) is tuple:
        feature, threshold, left, right = node
        node = left if vector[feature] <= threshold else right
    return node


def walk_missing(node: Any, vector: Any) -> Any:
    """As `walk`, where each node says where what is missing goes."""
    while type(node) is tuple:
        feature, threshold, left, right, missing = node
        value = vector[feature]
        node = missing if value != value else left if value <= threshold else right
    return node


def walk_choices(node: Any, vector: Any) -> Any:
    """As `walk_missing`, where a node may have a list of the categories that go to the left in place of a threshold."""
    while type(node) is tuple:
        feature, threshold, left, right, missing = node
        value = vector[feature]
        if type(threshold) is list:
            node = left if category(value) in threshold else right
        else:
            node = missing if value != value else left if value <= threshold else right
    return node


def category(value: float) -> Any:
    """The number of a category, None where it is missing, and -1 of what can be none."""
    if value != value:
        return None
    if value != value // 1:
        raise OddRowError  # libraries cut decimals off in 32 bits, or in 64
    return int(value) if value >= 0 else -1


def nested(table: Sequence[Any]) -> Any:
    """The root of a tree whose nodes lie in a table: feature, threshold, and the places of nodes that come after it.

    Of a leaf these are None and its value. A node of the root has its children in itself, which is quicker to walk.
    """
    made: list[Any] = [None] * len(table)
    for at in range(len(table) - 1, -1, -1):
        feature, threshold, *places = table[at]
        if feature is not None:
            made[at] = (feature, threshold, *[made[place] for place in places])
        else:
            made[at] = list(threshold) if isinstance(threshold, tuple) else threshold
    return made[0]


def module_of(text: str, tables: Sequence[Any] = (), name: str = FILE) -> ModuleType:
    """The module of a text that a fit has written: `features` and `predict` of a record; `tables` are large trees."""
    module = ModuleType("row")
    vars(module)["TABLES"] = [nested(table) for table in tables]
    vars(module).update({key: value for key, value in globals().items() if not key.startswith("__")})
    exec(compile(text, name, "exec"), vars(module))
    return module


def searched(model: Any) -> Any:
    """The estimator that a search has found best; any other as it is."""
    while type(model).__name__ in (
        "GridSearchCV",
        "RandomizedSearchCV",
        "HalvingGridSearchCV",
        "HalvingRandomSearchCV",
    ):
        model = model.best_estimator_
    return model


def last_of(model: Any) -> Any:
    """The estimator that answers in the end: the last step of a pipeline, and the best one of a search."""
    model = searched(model)
    while type(model).__name__ == "Pipeline":
        model = searched(model.steps[-1][1])
    return model


def can_be_asked(estimator: Any, width: int) -> bool:
    """Whether an estimator of scikit-learn takes its features as an array, in which columns have no names."""
    is_own = type(estimator).__module__.startswith("sklearn.") and hasattr(estimator, "predict")
    is_plain = not any(hasattr(each, "feature_names_in_") for each in _held(estimator))
    return is_own and is_plain and getattr(estimator, "n_features_in_", None) == width


def _held(estimator: Any) -> Iterator[Any]:
    """What an estimator holds, one level down into its lists."""
    for value in vars(estimator).values():
        yield from value if isinstance(value, (list, tuple)) else (value,)


def bound(module: ModuleType, model: Any, answer: Any) -> ModuleType:
    """The module with `predict`, where its text has none: what takes the model itself, or turns its answers back."""
    own = vars(module)
    if "probabilities" not in own and hasattr(last_of(model), "predict_proba") and "predict" not in own:
        own["probabilities"] = _asking(last_of(model), own.get("vector") or own["features"], "predict_proba", 2)
    if "predict" in own:
        return module
    score = own.get("score") or _asking(last_of(model), own.get("vector") or own["features"])
    own["asked"] = "score" not in own
    own["predict"] = score if answer is None else _turned_back(score, answer)
    return module


def _turned_back(score: Any, answer: Any) -> Any:
    """A function that gives the answer for one record in the target's own units."""
    return lambda record: np.asarray(answer(np.array([score(record)]))).tolist()[0]


def _asking(estimator: Any, given: Any, method: str = "predict", dimensions: int = 1) -> Any:
    """A function that asks an estimator for one record."""
    nameless = copy.copy(estimator)
    vars(nameless).pop("feature_names_in_", None)  # it would miss the names of columns in each array

    ask = getattr(nameless, method)

    def asked(record: Any) -> Any:
        made = ask(np.array([given(record)], dtype=np.float64))
        if getattr(made, "ndim", 0) != dimensions:
            raise OddRowError
        return made.tolist()[0]

    return asked


def load_rows(state: Path) -> ModuleType | None:
    """The module of a fitted version, None where its rows go through the package's own code."""
    path, tables = state / FILE, state / TABLES_FILE
    if not path.is_file():
        return None
    large = json.loads(tables.read_text(encoding="utf-8")) if tables.is_file() else ()
    return module_of(path.read_text(encoding="utf-8"), large, str(path))


__all__ = ["bisect_left", "bisect_right", "np", "re", "sqrt"]
