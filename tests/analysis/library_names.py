"""List the public names of the libraries that are installed here, for the tables to have a row of each.

    python tests/analysis/library_names.py [LIBRARY...]

writes `library_names/LIBRARY-VERSION.txt` beside this file: one name a line, after the section of the tables that it
belongs to; estimators with what they can do. It runs in any environment: nothing but the libraries is imported.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).parent / "library_names"

Line = str
"""`section name` or `estimator module.Class ability ability`."""

ABILITIES = ("transform", "predict", "fit_predict", "fit_transform", "fit_resample", "split")
"""The methods that tell what an estimator is."""


def main(wanted: list[str]) -> int:
    for library, (distribution, names) in LIBRARIES.items():
        if wanted and library not in wanted:
            continue
        try:
            version = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            print(f"{library}: not installed", file=sys.stderr)
            continue
        lines = listed(names)
        path = FOLDER / f"{library}-{version}.txt"
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        print(f"{path.name}: {len(lines)} names", file=sys.stderr)
    return 0


def listed(names: Callable[[], Iterator[Line]]) -> list[Line]:
    """The lines of a library, in order and each once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return sorted(set(names()))


def public(thing: Any) -> list[str]:
    """The names of a class or module that are for its users."""
    return [name for name in dir(thing) if not name.startswith("_")]


def functions(module: ModuleType, prefix: str = "") -> Iterator[str]:
    """What a module gives its users, without the modules in it."""
    for name in getattr(module, "__all__", None) or public(module):
        if not name.startswith("_") and not inspect.ismodule(getattr(module, name, None)):
            yield prefix + name


def of_class(section: str, *classes: type) -> Iterator[Line]:
    for one in classes:
        for name in public(one):
            yield f"{section} {name}"


def of_modules(package: str, *names: str) -> Iterator[Line]:
    """The functions of a package's modules; '' is the package itself."""
    for name in names:
        module = importlib.import_module(f"{package}.{name}" if name else package)
        yield from (f"module {one}" for one in functions(module, f"{name}." if name else ""))


def of_pandas() -> Iterator[Line]:
    import pandas as pd

    yield from of_modules("pandas", "")
    yield from of_class("frame", pd.DataFrame)
    yield from of_class("series", pd.Series)
    yield from of_class("index", pd.Index, pd.MultiIndex)
    texts, dates = pd.Series(["a"]), pd.Series(pd.to_datetime(["2020-01-01"]))
    yield from of_class("str", type(texts.str))
    for one in (dates, dates - dates, dates.dt.to_period("D")):
        for name in public(type(one.dt)):
            is_method = callable(getattr(type(one.dt), name)) and not isinstance(getattr(type(one.dt), name), property)
            yield f"{'dt' if is_method else 'dt-attributes'} {name}"
    yield from of_class("cat", type(texts.astype("category").cat))
    frame = pd.DataFrame({"a": [1]}, index=pd.to_datetime(["2020-01-01"]))
    yield from of_class("groupby", type(frame.groupby("a")), type(frame.groupby("a")["a"]))
    windows = (frame.rolling(1), frame.expanding(), frame.ewm(1), frame.resample("D"))
    yield from of_class("window", *map(type, windows))


def of_numpy() -> Iterator[Line]:
    import numpy as np

    yield from of_modules("numpy", "", "linalg", "random", "fft", "char")
    yield from of_class("array", np.ndarray)
    yield from of_class("rng", np.random.Generator, np.random.RandomState)


def of_scipy() -> Iterator[Line]:
    modules = (
        "stats", "stats.mstats", "special", "sparse", "sparse.linalg", "linalg", "cluster.hierarchy", "cluster.vq",
        "spatial", "spatial.distance", "interpolate", "optimize", "signal", "integrate", "ndimage", "fft",
    )  # fmt: skip
    yield from of_modules("scipy", *modules)
    from scipy import sparse

    yield from of_class("sparse", sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix, sparse.csr_array)


def estimators(package: str, skipped: frozenset[str] = frozenset()) -> Iterator[Line]:
    """The estimators of a package with their abilities, their methods, and its functions."""
    for module in modules_of(package, skipped):
        for name in functions(module):
            thing = getattr(module, name, None)
            home = getattr(thing, "__module__", None) or ""
            if home.partition(".")[0] != package or (not hasattr(module, "__all__") and home != module.__name__):
                continue
            if inspect.isclass(thing):
                yield from of_estimator(f"{module.__name__}.{name}", thing)
            elif callable(thing):
                yield f"function {module.__name__.partition('.')[2]}.{name}".replace(" .", " ")


def of_estimator(name: str, thing: type) -> Iterator[Line]:
    able = [ability for ability in ABILITIES if hasattr(thing, ability)]
    if hasattr(thing, "fit") or able:
        yield " ".join((f"estimator {name}", *able))
        for one in public(thing):
            if inspect.isroutine(inspect.getattr_static(thing, one)) and not one.endswith("_request"):
                yield f"method {one}"
    else:
        yield f"class {name}"


def modules_of(package: str, skipped: frozenset[str]) -> Iterator[ModuleType]:
    """A package and the modules in it that are for its users."""
    root = importlib.import_module(package)
    yield root
    for found in pkgutil.walk_packages(root.__path__, package + "."):
        parts = found.name.split(".")
        if any(part.startswith("_") or part in skipped for part in parts):
            continue
        try:
            yield importlib.import_module(found.name)
        except ImportError:
            continue


def of_sklearn() -> Iterator[Line]:
    from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401

    skipped = frozenset({"tests", "externals", "conftest", "datasets", "utils", "experimental", "frozen_", "callback"})
    yield from estimators("sklearn", skipped)
    yield from (line.replace("module ", "function ") for line in of_modules("sklearn", "datasets", "utils"))


def of_imblearn() -> Iterator[Line]:
    yield from estimators("imblearn", frozenset({"tests", "utils", "keras", "tensorflow", "exceptions"}))


def of_category_encoders() -> Iterator[Line]:
    import category_encoders

    for name in category_encoders.__all__:
        yield from of_estimator(f"category_encoders.{name}", getattr(category_encoders, name))


def of_root(package: str) -> Callable[[], Iterator[Line]]:
    """The names of a package's root: its estimators, other classes and functions."""

    def names() -> Iterator[Line]:
        module = importlib.import_module(package)
        for name in functions(module):
            thing = getattr(module, name)
            if inspect.isclass(thing):
                yield from of_estimator(f"{package}.{name}", thing)
            elif callable(thing):
                yield f"function {name}"

    return names


def of_statsmodels() -> Iterator[Line]:
    modules = (
        "api", "formula.api", "tsa.api", "tsa.seasonal", "tsa.stattools", "stats.api", "stats.outliers_influence",
        "tools.tools", "graphics.api", "stats.multicomp", "stats.weightstats", "stats.proportion",
    )  # fmt: skip
    yield from of_modules("statsmodels", *modules)


def of_plots(package: str, *modules: str) -> Callable[[], Iterator[Line]]:
    return lambda: of_modules(package, *modules)


LIBRARIES: dict[str, tuple[str, Callable[[], Iterator[Line]]]] = {
    "pandas": ("pandas", of_pandas),
    "numpy": ("numpy", of_numpy),
    "scipy": ("scipy", of_scipy),
    "sklearn": ("scikit-learn", of_sklearn),
    "imblearn": ("imbalanced-learn", of_imblearn),
    "category_encoders": ("category_encoders", of_category_encoders),
    "xgboost": ("xgboost", of_root("xgboost")),
    "lightgbm": ("lightgbm", of_root("lightgbm")),
    "catboost": ("catboost", of_root("catboost")),
    "statsmodels": ("statsmodels", of_statsmodels),
    "matplotlib": ("matplotlib", of_plots("matplotlib", "pyplot")),
    "seaborn": ("seaborn", of_plots("seaborn", "")),
    "plotly": ("plotly", of_plots("plotly", "express", "express.data", "graph_objects", "subplots")),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
