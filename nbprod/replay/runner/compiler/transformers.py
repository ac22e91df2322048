"""What fitted transformers of scikit-learn do to the values of one row."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from . import operations as op
from .nodes import BOOLEAN, FLOAT, INTEGER, TEXT, Lost, Node, Value, constant, derived
from .tables import Block, Column, Frame, Records, UntraceableError, bare, cells_of, lost, standing


def transformed(estimator: Any, rows: Any) -> Any:
    """What `estimator.transform` gives for a stand-in."""
    shadow = type(estimator).transform(estimator, bare(rows))
    if isinstance(rows, Column):
        values: list[Value] = [rows.value]
    elif isinstance(rows, (Frame, Block)):
        values = list(rows.cells)
    elif type(rows) is Records:
        values = list(rows.frame.cells)
    else:
        raise UntraceableError(f"{type(estimator).__name__}.transform of {type(rows).__name__}")
    name, library = type(estimator).__name__, type(estimator).__module__.partition(".")[0]
    function = TRANSFORMERS.get(name) if library in LIBRARIES else None
    width = 1 if getattr(shadow, "ndim", 1) == 1 else shadow.shape[1]
    if function is None:
        made: list[Value] = [lost(name if library in LIBRARIES else f"{name} of {library}")] * width
    else:
        try:
            made = function(estimator, _accepted(estimator, values), rows)
        except (UntraceableError, AttributeError, TypeError, ValueError, KeyError) as fault:
            made = [lost(f"{name}: {fault}")] * width
    if len(made) != width:
        made = [lost(f"{name} makes {width} columns")] * width
    return standing(shadow, made[0] if getattr(shadow, "ndim", 1) == 1 else made)


def clustered(estimator: Any, rows: Any) -> Any:
    """What `estimator.predict` gives for a stand-in: the cluster of the nearest centre."""
    shadow = estimator.predict(bare(rows))
    name = type(estimator).__name__
    if name not in ("KMeans", "MiniBatchKMeans") or not isinstance(rows, (Frame, Block)):
        return standing(shadow, lost(name))
    values = [derived("finite({0})", FLOAT, _float(each)) for each in cells_of(rows)]
    centres = [tuple(centre) for centre in estimator.cluster_centers_.astype(np.float64).tolist()]
    places = ", ".join(f"{{{at}}}" for at in range(len(values)))
    return standing(shadow, derived(f"nearest({{CENTRES}}, ({places},))", INTEGER, *values, CENTRES=centres))


LIBRARIES = ("sklearn", "imblearn")
"""Whose classes go by the names below; another library's of such a name do something else."""

TAKES_MISSING = frozenset(
    {
        "StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "SimpleImputer", "OneHotEncoder",
        "OrdinalEncoder", "VarianceThreshold", "MissingIndicator",
    }
)  # fmt: skip
"""Transformers that refuse infinite numbers alone."""

TAKES_ALL = frozenset(
    {"FunctionTransformer", "Pipeline", "ColumnTransformer", "FeatureUnion", "LabelEncoder", "DictVectorizer"}
)
"""Transformers that refuse no number, or leave that to others."""

CHOICE = re.compile(r"[\w\s{}.=!<>']*")
"""An expression that chooses among its parts."""


def _accepted(estimator: Any, values: list[Value]) -> list[Value]:
    """The values that a transformer takes: for a number that it refuses the package's own code is asked."""
    name = type(estimator).__name__
    if name in TAKES_ALL:
        return values
    check = "finite_or_missing" if name in TAKES_MISSING else "finite"
    return [
        each
        if isinstance(each, Lost) or each.kind != FLOAT or (check != "finite" and _is_bounded(each))
        else derived(f"{check}({{0}})", FLOAT, each)
        for each in values
    ]


def _is_bounded(node: Node) -> bool:
    """Whether a number can't be infinite: it is a field of the record, which has bounds, or one of such."""
    if node.raw is not None or node.kind in (INTEGER, BOOLEAN, TEXT):
        return True
    passing = node.text in ("float({0})", "finite_or_missing({0})", "finite({0})")
    if not passing and not node.is_atom and not CHOICE.fullmatch(node.text):
        return False
    constants = all(not isinstance(each, float) or abs(each) < float("inf") for each in node.constants.values())
    return constants and "INF" not in node.text and all(map(_is_bounded, node.args))


def _float(value: Value) -> Value:
    value = op.number(value)
    return op.cast(value, "float64", np.dtype("float64")) if isinstance(value, Node) else value


def _shifted(values: list[Value], shifts: Any, scales: Any) -> list[Value]:
    """`(value - shift) / scale` in 64 bits; without shifts or scales it is one of the two."""
    made = [_float(each) for each in values]
    if shifts is not None:
        made = [op.arithmetic("sub", each, constant(shift)) for each, shift in zip(made, shifts)]
    if scales is not None:
        made = [op.arithmetic("truediv", each, constant(scale)) for each, scale in zip(made, scales)]
    return made


def _standard(scaler: Any, values: list[Value], _: Any) -> list[Value]:
    return _shifted(values, scaler.mean_ if scaler.with_mean else None, scaler.scale_)


def _min_max(scaler: Any, values: list[Value], _: Any) -> list[Value]:
    made = []
    for each, scale, shift in zip(values, scaler.scale_, scaler.min_):
        value = op.arithmetic("add", op.arithmetic("mul", _float(each), constant(scale)), constant(shift))
        if scaler.clip:
            low, high = scaler.feature_range
            value = op.clipped(value, constant(float(low)), constant(float(high)))
        made.append(value)
    return made


def _robust(scaler: Any, values: list[Value], _: Any) -> list[Value]:
    return _shifted(values, scaler.center_ if scaler.with_centering else None, scaler.scale_)


def _max_abs(scaler: Any, values: list[Value], _: Any) -> list[Value]:
    return _shifted(values, None, scaler.scale_)


def _imputer(imputer: Any, values: list[Value], _: Any) -> list[Value]:
    missing = imputer.missing_values
    if not isinstance(missing, (int, float, np.integer, np.floating)):
        return [lost("SimpleImputer of other missing values")] * len(values)
    if imputer.add_indicator:
        return [*_imputed(imputer, values), *map(_float, _marks(imputer.indicator_, values))]
    return _imputed(imputer, values)


def _imputed(imputer: Any, values: list[Value]) -> list[Value]:
    missing = imputer.missing_values
    kept = [(each, constant(by)) for each, by in zip(values, imputer.statistics_) if not _is_nan(by)]
    if _is_nan(missing):
        return [op.filled(each, by) for each, by in kept]
    # A number that stands for what is missing: a gap itself is refused then.
    found = [(derived("finite({0})", FLOAT, _float(each)), by) for each, by in kept]
    return [op.chosen(op.comparison("eq", each, constant(missing)), by, each) for each, by in found]


def _indicator(indicator: Any, values: list[Value], _: Any) -> list[Value]:
    """Whether each value is missing, of the columns where training had gaps, or of all."""
    others = [each for at, each in enumerate(values) if at not in indicator.features_ and isinstance(each, Node)]
    if any(each.kind == FLOAT and (each.raw is None or each.nullable) for each in others):
        raise UntraceableError("an indicator that looks at columns of which it makes nothing")
    return _marks(indicator, values)


def _marks(indicator: Any, values: list[Value]) -> list[Value]:
    if not _is_nan(indicator.missing_values) or any(isinstance(each, Node) and each.kind == TEXT for each in values):
        raise UntraceableError("an indicator of other than missing numbers")
    return [_is_missing(values[at]) for at in indicator.features_]


def _is_missing(value: Value) -> Value:
    if isinstance(value, Lost):
        return value
    return derived("{0} != {0}", BOOLEAN, value) if value.kind == FLOAT else constant(False)


def _is_nan(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and value != value


def _one_hot(encoder: Any, values: list[Value], _: Any) -> list[Value]:
    if encoder.handle_unknown not in ("error", "ignore") or getattr(encoder, "_infrequent_enabled", False):
        return [lost("OneHotEncoder with infrequent categories")]
    made: list[Value] = []
    drop = encoder.drop_idx_
    for at, (value, categories) in enumerate(zip(values, encoder.categories_)):
        kept = [place for place in range(len(categories)) if drop is None or drop[at] != place]
        names = [categories[place] for place in kept]
        if encoder.handle_unknown == "error":
            value = _known(value, categories)
        for name in names:
            missing = name is None or _is_nan(name)
            test = op.is_missing(value) if missing else op.comparison("eq", value, constant(name))
            made.append(test if isinstance(test, Lost) else derived("1.0 if {0} else 0.0", FLOAT, test))
    return made


def _known(value: Value, categories: Any) -> Value:
    """The value, where training has met it; another one raises, and the package's own code says what that means."""
    if isinstance(value, Lost):
        return value
    items = [None if _is_nan(each) and value.kind != FLOAT else op.plain_value(each) for each in categories]
    if value.kind == FLOAT and any(_is_nan(each) for each in items):
        return lost("categories that are missing numbers")
    return derived("{SET}[{0}]", value.kind, value, optional=value.optional, SET={each: each for each in items})


def _ordinal(encoder: Any, values: list[Value], _: Any) -> list[Value]:
    made: list[Value] = []
    for value, categories in zip(values, encoder.categories_):
        if any(each is None or _is_nan(each) for each in categories) or encoder.handle_unknown != "error":
            made.append(lost("OrdinalEncoder with missing or unknown values"))
            continue
        codes = {op.plain_value(each): float(code) for code, each in enumerate(categories)}
        made.append(value if isinstance(value, Lost) else derived("{CODES}[{0}]", FLOAT, value, CODES=codes))
    return made


def _label(encoder: Any, values: list[Value], _: Any) -> list[Value]:
    if any(each is None or _is_nan(each) for each in encoder.classes_):
        return [lost("LabelEncoder with missing values")]
    codes = {op.plain_value(each): code for code, each in enumerate(encoder.classes_)}
    return [each if isinstance(each, Lost) else derived("{CODES}[{0}]", INTEGER, each, CODES=codes) for each in values]


def _records(vectorizer: Any, values: list[Value], rows: Any) -> list[Value]:
    """`DictVectorizer`: a text gives the indicator `name=text`, a number the feature `name`; unknown ones are left out.

    A missing text is a number that is missing, for the feature `name` where training had such.
    """
    if type(rows) is not Records or vectorizer.dtype is not np.float64:
        return [lost("DictVectorizer of other records")] * len(vectorizer.feature_names_)
    made: dict[Any, list[Value]] = {name: [] for name in vectorizer.feature_names_}
    for label, value in zip(rows.frame.shadow.columns, values):
        is_text = isinstance(value, Node) and value.kind == TEXT
        for name, found in made.items():
            if name == label:
                found.append(lost("DictVectorizer of missing texts") if is_text else _float(value))
            elif not is_text and isinstance(value, Node):
                continue
            elif str(name).startswith(f"{label}{vectorizer.separator}"):
                text = str(name)[len(f"{label}{vectorizer.separator}") :]
                test = value if isinstance(value, Lost) else op.comparison("eq", value, constant(text))
                found.append(derived("1.0 if {0} else 0.0", FLOAT, test))
    return [found[0] if len(found) == 1 else lost("DictVectorizer with columns alike") for found in made.values()]


def _in_bins(binner: Any, values: list[Value], _: Any) -> list[Value]:
    made: list[Value] = []
    for value, edges in zip(values, binner.bin_edges_):
        inner = [float(edge) for edge in edges[1:-1]]
        code = derived("float(bisect_right({EDGES}, {0}))", FLOAT, _float(value), EDGES=inner)
        if binner.encode == "ordinal":
            made.append(code)
            continue
        for number in range(len(inner) + 1):
            made.append(derived("1.0 if {0} else 0.0", FLOAT, op.comparison("eq", code, constant(float(number)))))
    return made


def _binarized(binarizer: Any, values: list[Value], _: Any) -> list[Value]:
    tests = [op.comparison("gt", _float(each), constant(float(binarizer.threshold))) for each in values]
    return [derived("1.0 if {0} else 0.0", FLOAT, each) for each in tests]


def _function(transformer: Any, _: list[Value], rows: Any) -> list[Value]:
    if transformer.func is None:
        return cells_of(rows)
    if transformer.validate:
        return [lost("FunctionTransformer with validate")]
    made = transformer.func(rows, **(transformer.kw_args or {}))
    return cells_of(made)


def _pipeline(pipeline: Any, _: list[Value], rows: Any) -> list[Value]:
    for _name, step in pipeline.steps:
        if step is not None and step != "passthrough":
            rows = transformed(step, rows)
    return cells_of(rows)


def _columns(transformer: Any, _: list[Value], rows: Any) -> list[Value]:
    made: list[Value] = []
    for _name, step, columns in transformer.transformers_:
        if isinstance(step, str) and step == "drop":
            continue
        part = _part(rows, columns)
        if part is None:
            continue
        if not (isinstance(step, str) and step == "passthrough"):
            part = transformed(step, part)
        made += cells_of(part)
    return made


def _part(rows: Any, columns: Any) -> Any:
    if isinstance(columns, str):
        return rows[columns]
    columns = list(columns) if not isinstance(columns, slice) else columns
    if isinstance(columns, list) and not columns:
        return None
    if isinstance(rows, Frame):
        if isinstance(columns, list) and all(isinstance(each, str) for each in columns):
            return rows[columns]
        return rows[list(rows.shadow.columns[columns])]
    return rows[:, columns]


def _union(union: Any, _: list[Value], rows: Any) -> list[Value]:
    made: list[Value] = []
    for _name, step in union.transformer_list:
        if step != "drop":
            part = rows if step == "passthrough" else transformed(step, rows)
            made += cells_of(part)
    return made


def _polynomial(features: Any, values: list[Value], _: Any) -> list[Value]:
    made: list[Value] = []
    numbers = [_float(each) for each in values]
    for powers in features.powers_:
        factors = [number for number, power in zip(numbers, powers) for _ in range(power)]
        if not factors:
            made.append(constant(1.0))
            continue
        value = factors[0]
        for each in factors[1:]:
            value = op.arithmetic("mul", value, each)
        made.append(value)
    return made


def _selected(selector: Any, values: list[Value], _: Any) -> list[Value]:
    return [each for each, is_kept in zip(values, selector.get_support()) if is_kept]


TRANSFORMERS: dict[str, Callable[[Any, list[Value], Any], list[Value]]] = {
    "StandardScaler": _standard, "MinMaxScaler": _min_max, "RobustScaler": _robust, "MaxAbsScaler": _max_abs,
    "SimpleImputer": _imputer, "MissingIndicator": _indicator, "OneHotEncoder": _one_hot,
    "OrdinalEncoder": _ordinal, "LabelEncoder": _label, "DictVectorizer": _records,
    "KBinsDiscretizer": _in_bins, "Binarizer": _binarized,
    "FunctionTransformer": _function, "Pipeline": _pipeline, "ColumnTransformer": _columns, "FeatureUnion": _union,
    "PolynomialFeatures": _polynomial, "SelectKBest": _selected, "SelectPercentile": _selected,
    "VarianceThreshold": _selected, "SelectFromModel": _selected, "RFE": _selected, "RFECV": _selected,
}  # fmt: skip
