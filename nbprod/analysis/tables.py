"""What library functions and methods do to rows, read from the tables under `libraries/`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

RECEIVERS = {
    "frame": "pandas",
    "series": "pandas",
    "str": "pandas",
    "dt": "pandas",
    "cat": "pandas",
    "groupby": "pandas",
    "index": "pandas",
    "array": "numpy",
}


@cache
def table(library: str) -> dict[str, dict[str, str]]:
    """Section → name → behaviour, of one library."""
    text = files("nbprod.analysis").joinpath(f"libraries/{library}.toml").read_text(encoding="utf-8")
    return {
        section: {name: behaviour for behaviour, names in rows.items() for name in names}
        for section, rows in tomllib.loads(text).items()
    }


def method_behaviour(receiver: str, name: str) -> str | None:
    """What `receiver.name` does to rows, None when the tables do not know it."""
    library = RECEIVERS.get(receiver)
    return table(library)[receiver].get(name) if library else None


def function_behaviour(qualified: str) -> str | None:
    """What a library's function does to rows: `pandas.get_dummies` → `broadcast`."""
    library, _, name = qualified.partition(".")
    match library:
        case "pandas" | "numpy" | "scipy":
            return table(library)["module"].get(name)
        case _:
            return None


@cache
def learning_function(qualified: str) -> str | None:
    """What a function of scikit-learn or imbalanced-learn does, by its last name."""
    package, _, _ = qualified.partition(".")
    if package not in ("sklearn", "imblearn", "xgboost", "lightgbm", "catboost", "skopt", "scikitplot", "yellowbrick"):
        return None
    return table("sklearn")["functions"].get(qualified.rpartition(".")[2])


ESTIMATOR_LIBRARIES = frozenset(
    {
        "sklearn", "imblearn", "xgboost", "lightgbm", "catboost", "category_encoders", "feature_engine", "skopt",
        "sklearn_pandas", "tpot", "mlxtend", "interpret", "sklego", "cuml", "tabpfn",
    }
)  # fmt: skip

SINK_LIBRARIES = frozenset(
    {
        "matplotlib", "seaborn", "plotly", "bokeh", "altair", "missingno", "wordcloud", "yellowbrick", "IPython",
        "warnings", "logging", "pprint", "tqdm", "folium", "pydotplus", "graphviz", "shap", "eli5", "lime",
        "pandas_profiling", "ydata_profiling", "sweetviz", "scikitplot", "cufflinks", "ipywidgets", "rich",
        "pylab", "ggplot", "plotnine", "holoviews", "hvplot", "gc", "sys", "time", "timeit",
    }
)  # fmt: skip


@cache
def estimator_kind(qualified: str) -> str | None:
    """`columnwise`, `mixing`, `classifiers`, … for an estimator class, None when it is not known as one."""
    library = qualified.partition(".")[0]
    if library not in ESTIMATOR_LIBRARIES:
        return None
    name = qualified.rpartition(".")[2]
    known = table("sklearn")
    return known["transformers"].get(name) or known["predictors"].get(name)
