"""What library functions and methods do to rows, read from the tables under `libraries/` when first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from nbprod.analysis.compiled import compiled

RECEIVERS = {
    "frame": "pandas",
    "series": "pandas",
    "str": "pandas",
    "dt": "pandas",
    "dt-attributes": "pandas",
    "cat": "pandas",
    "groupby": "pandas",
    "window": "pandas",
    "index": "pandas",
    "index-attributes": "pandas",
    "array": "numpy",
    "rng": "numpy",
    "sparse": "scipy",
}
"""Receivers of methods, and the library whose table has a section for them."""

LEARNING = frozenset(
    {"sklearn", "imblearn", "category_encoders", "xgboost", "lightgbm", "catboost", "statsmodels"}
)  # fmt: skip
"""Libraries with a table of estimators and functions of their own."""

POSITIONS = {"first": 0, "second": 1, "third": 2, "fourth": 3}


class Section(Struct, frozen=True):
    """Name → behaviour; and the same for names with a `*`, which stand for all that begin or end so."""

    names: Mapping[str, str]
    patterns: tuple[tuple[str, str, str], ...] = ()

    def get(self, name: str) -> str | None:
        """The behaviour of a name: its own row, else that of the longest pattern."""
        found = self.names.get(name)
        if found is None and self.patterns:
            for start, end, behaviour in self.patterns:
                if name.startswith(start) and name.endswith(end):
                    return behaviour
        return found


EMPTY = Section({})


@cache
def table(library: str) -> Mapping[str, Section]:
    """Section → names and their behaviours, of one library."""
    return {name: section_of(rows) for name, rows in compiled().libraries[library].items()}


def section_of(rows: Mapping[str, str]) -> Section:
    """A section as it stands in a table: behaviour → names with blanks between them."""
    every = {name: behaviour for behaviour, names in rows.items() for name in names.split()}
    patterns = sorted((name for name in every if "*" in name), key=len, reverse=True)
    return Section(every, tuple((*name.split("*", 1), every[name]) for name in patterns))  # type: ignore[misc]


def method_behaviour(receiver: str, name: str) -> str | None:
    """What `receiver.name` does to rows, None when the tables do not know it."""
    library = RECEIVERS.get(receiver)
    return table(library)[receiver].get(name) if library else None


def axis_position(receiver: str, name: str) -> int | None:
    """Where a method takes its axis: its position, -1 for a keyword alone, None where it has none.

    The functions of NumPy are those of the receiver `module`.
    """
    library = "numpy" if receiver == "module" else RECEIVERS[receiver]
    return position(library, f"{receiver}-axis", name)


def size_position(name: str) -> int | None:
    """Where a drawing function of NumPy takes its size."""
    return position("numpy", "random-size", name)


def position(library: str, section: str, name: str) -> int | None:
    """The position that a section of positions gives a name, -1 for a keyword alone."""
    found = table(library).get(section, EMPTY).get(name)
    return None if found is None else POSITIONS.get(found, -1)


def is_gone(receiver: str, name: str, pandas_major: int) -> bool:
    """Whether this pandas has no such method any more, so that the name may be a column's."""
    sections = table("pandas")
    return any(
        name in sections.get(f"{receiver}-until-{major}", EMPTY).names for major in range(2, max(pandas_major, 1) + 1)
    )


def function_behaviour(qualified: str) -> str | None:
    """What a library's function does to rows: `pandas.get_dummies` → `broadcast`."""
    library, _, name = qualified.partition(".")
    match library:
        case "pandas" | "numpy":
            return table(library)["module"].get(name)
        case "scipy":
            owner, _, method = name.rpartition(".")
            if owner in table(library)["distributions"].names:
                return table(library)["distribution"].get(method)
            return table(library)["module"].get(name) or table(library)["distributions"].get(name)
        case _:
            return table("others")["functions"].get(qualified)


@cache
def learning_function(qualified: str) -> str | None:
    """What a function of scikit-learn or of a library that goes with it does, by its last name."""
    package, _, name = qualified.partition(".")
    last = name.rpartition(".")[2]
    if package not in LEARNING or not last:
        return None
    sections = table(package)
    return sections.get("functions", EMPTY).get(last) or sections.get("classes", EMPTY).get(last)


def library_kind(package: str) -> str | None:
    """What a library is as a whole: `sink`, `estimators` or `pure`."""
    return table("others")["libraries"].get(package)


@cache
def estimator_kind(qualified: str) -> str | None:
    """`columnwise`, `mixing`, `classifiers`, … for an estimator class, None when it is not known as one."""
    package, _, name = qualified.partition(".")
    last = name.rpartition(".")[2]
    if library_kind(package) != "estimators":
        return None
    section = table(package)["estimators"] if package in LEARNING else table("sklearn_like").get(package, EMPTY)
    return section.get(last)


@cache
def estimator_method(qualified: str, name: str) -> str | None:
    """What a method of an estimator does with the rows that it is called with."""
    package = qualified.partition(".")[0]
    own = table(package).get("methods", EMPTY).get(name) if package in LEARNING else None
    return own or table("sklearn")["methods"].get(name)
