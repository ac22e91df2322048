"""Keep fitted scikit-learn objects in skops files, and audit such a file before anything in it is loaded.

A file holds types by name. Only names are read until each of them is allowed: the types of NumPy, SciPy and
scikit-learn, functions of theirs that work on arrays alone, and what this package defines itself. Pickle plays no part.
"""

from __future__ import annotations

import copyreg
import importlib
import io
import json
import types
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import InconsistentVersionWarning
from skops import io as skops_io

from .codec import Json, Reader, Writer

PACKAGE = (__package__ or "").rpartition(".")[0]
"""The version, whose support modules lie in its folder `runtime`; empty where these are alone."""

COMPRESSION = 3
"""The level of zlib: the usual one takes half as long again on a forest, and makes its file a twentieth smaller."""

SCHEMA = "schema.json"
"""The file within a skops file that says what it holds."""

RELATIVE = b'"__module__":".'
"""How a name begins there that is relative to this package."""

FEATURES = "features"
"""The module that holds the functions and classes of the notebook."""
_NEW_OBJECT = vars(copyreg)["__newobj__"]  # how an object that is its attributes says it is made again
_LIBRARIES = ("numpy", "scipy", "sklearn")
_PLAIN_NAMES = frozenset(
    {f"builtins.{kind}" for kind in ("bytes", "complex", "frozenset", "object", "range", "slice", "NoneType")}
    | {"collections.Counter", "collections.OrderedDict", "collections.defaultdict", "functools.partial"}
)
# Functions that an estimator may hold: these read arrays and nothing else.
_FUNCTION_MODULES = (
    "sklearn.cluster",
    "sklearn.feature_selection",
    "sklearn.metrics",
    "sklearn.preprocessing",
    "scipy.stats",
)
_NUMPY_FUNCTIONS = frozenset(
    {"abs", "all", "any", "argmax", "argmin", "around", "array", "asarray", "atleast_1d", "atleast_2d", "clip"}
    | {"column_stack", "concatenate", "cumprod", "cumsum", "diff", "dot", "expand_dims", "flip", "hstack", "imag"}
    | {"max", "mean", "median", "min", "nan_to_num", "nanmax", "nanmean", "nanmedian", "nanmin", "nanstd", "nansum"}
    | {"ones_like", "prod", "ravel", "real", "reshape", "round", "squeeze", "stack", "std", "sum", "transpose", "var"}
    | {"vstack", "where", "zeros_like"}
)
# NumPy's functions as SciPy names them for any library of arrays: splines hold one.
_NUMPY_ALIASES = "scipy._lib.array_api_compat.numpy"
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, np.ufunc, type(np.median))
_BARRED_PARTS = frozenset({"conftest", "distutils", "externals", "f2py", "setup", "testing", "tests"})


class UntrustedTypeError(TypeError):
    """A file of fitted state holds a type or function that may not be loaded; `names` are their full names."""

    def __init__(self, where: str, names: Sequence[str]) -> None:
        super().__init__(
            f"{where} holds what may not be loaded: {', '.join(names)}. Allowed are types of numpy, scipy and sklearn "
            "and what this package defines; name a further library in `trusted` of the Features class to allow it"
        )
        self.names = tuple(names)


def save_estimator(estimator: Any, path: str | Path, trusted: Sequence[str] = ()) -> None:
    """Write a fitted scikit-learn object to `path` in the skops format; the same object gives the same bytes.

    `trusted` are module prefixes that are allowed beside NumPy, SciPy, scikit-learn and this package.
    Raises TypeError naming the type that cannot be kept.
    """
    kind = f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    try:
        data = skops_io.dumps(with_listed_columns(estimator))
    except Exception as error:  # skops passes on whatever an object's own state methods raise
        place = _pandas_within(estimator, type(estimator).__name__, set())
        why = f"{place}: let the class keep its .to_dict() or .to_numpy()" if place else str(error)
        raise TypeError(f"a {kind} cannot be kept by skops: {why}") from error
    refused = [name for name in skops_io.get_untrusted_types(data=data) if not is_trusted(name, trusted)]
    if refused:
        raise UntrustedTypeError(f"a {kind}", refused)
    Path(path).write_bytes(_canonical_file(data))


def with_listed_columns(value: Any) -> Any:
    """`value`, in which transformers of columns have lists of these in the place of an Index, which says the same.

    It is the value itself: `ColumnTransformer([("scale", StandardScaler(), df.columns)])` is changed.
    """
    _list_columns(value, set())
    return value


def _list_columns(value: Any, seen: set[int]) -> None:
    if id(value) in seen:
        return
    seen.add(id(value))
    parts: Any = value if isinstance(value, (list, tuple)) else ()
    if isinstance(value, dict):
        parts = value.values()
    elif is_estimator(value):
        parts = vars(value).values()
        for name in ("transformers", "transformers_", "_columns"):
            if name in vars(value):
                setattr(value, name, _listed(vars(value)[name]))
    for part in list(parts):
        _list_columns(part, seen)


def _listed(value: Any) -> Any:
    if isinstance(value, pd.Index):
        return value.tolist()
    return type(value)(map(_listed, value)) if type(value) in (list, tuple) else value


def _pandas_within(value: Any, place: str, seen: set[int]) -> str:
    """Where something of pandas stands in a fitted object, and what it is; empty where nothing does."""
    if id(value) in seen:
        return ""
    seen.add(id(value))
    if isinstance(value, (pd.Series, pd.DataFrame, pd.Index)):
        return f"{place} is a {type(value).__name__}"
    parts: Any = enumerate(value) if isinstance(value, (list, tuple)) else ()
    if isinstance(value, dict) or is_estimator(value):
        parts = (value if isinstance(value, dict) else vars(value)).items()
    held = "{}.{}" if is_estimator(value) else "{}[{!r}]"
    found = (_pandas_within(part, held.format(place, key), seen) for key, part in parts)
    return next((text for text in found if text), "")


def load_estimator(path: str | Path, trusted: Sequence[str] = ()) -> Any:
    """Read what `save_estimator` wrote; raises UntrustedTypeError naming each type that is not allowed."""
    data = _with_absolute_names(Path(path).read_bytes())
    names = skops_io.get_untrusted_types(data=data)
    refused = [name for name in names if not is_trusted(name, trusted)]
    if refused:
        raise UntrustedTypeError(str(path), refused)
    with warnings.catch_warnings():
        # The pipeline compares versions itself, and says so once instead of for each estimator.
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        return skops_io.loads(data, trusted=names)


def is_trusted(name: str, trusted: Sequence[str] = ()) -> bool:
    """Whether a type or function of this full name may be loaded (beyond those that skops itself allows)."""
    module, _, attribute = name.rpartition(".")
    if name in _PLAIN_NAMES:
        return True
    own = [prefix for prefix in (PACKAGE, *trusted) if prefix]
    if PACKAGE and _is_in(module, PACKAGE) and not _is_source(module):
        return False
    if any(part in _BARRED_PARTS or part.startswith("__") for part in module.split(".")):
        return False
    prefix = next((prefix for prefix in (*own, *_LIBRARIES) if _is_in(module, prefix)), None)
    if prefix is None:
        return False
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError):
        return False
    if isinstance(found, np.ufunc):
        return True
    # A name that a module merely imported belongs to another module, which must be allowed itself.
    if not _is_in(getattr(found, "__module__", None) or "", prefix.split(".")[0] if prefix in _LIBRARIES else prefix):
        return False
    if prefix in own:
        return True
    if isinstance(found, type):
        return prefix != "numpy" or issubclass(found, (np.generic, np.dtype)) or module.startswith("numpy.random")
    if prefix == "numpy" or _is_in(module, _NUMPY_ALIASES):
        return attribute in _NUMPY_FUNCTIONS
    return any(_is_in(module, allowed) for allowed in _FUNCTION_MODULES)


def _is_source(module: str) -> bool:
    """Whether a module is one of the notebook's own: folders of the package hold data, tests and what runs it."""
    name = module[len(PACKAGE) + 1 :]
    return name.isidentifier() and Path(__file__).parents[1].joinpath(f"{name}.py").is_file()


def is_estimator(value: Any) -> bool:
    """Whether a value is to be kept by skops: it is fitted, as scikit-learn's objects are."""
    return hasattr(value, "get_params") and hasattr(value, "fit") and not isinstance(value, type)


def encoder(trusted: Sequence[str] = ()) -> Any:
    """For `codec.Writer(other=…)`: estimators go into `.skops` files beside the JSON.

    An instance of one of the notebook's classes, or of an estimator of a trusted library, that skops can't keep, as one
    that holds a Series, is kept by its attributes, where it is nothing but these.
    """

    around: list[int] = []

    def encode(value: Any, writer: Writer) -> Json:
        if is_estimator(value):
            path = writer.new_file("skops")
            try:
                save_estimator(value, path, trusted)
                return {"$": "skops", "file": path.name}
            except TypeError:
                if not (is_own(type(value)) or _is_of_library(type(value), trusted)):
                    raise
                return _instance(value, writer, around)
        if around and isinstance(value, _FUNCTIONS):
            return _function(value, trusted)
        return _instance(value, writer, around) if is_own(type(value)) else None

    return encode


def decoder(trusted: Sequence[str] = ()) -> dict[str, Any]:
    """For `codec.Reader(other=…)`: the counterpart of `encoder`."""

    def decode(tree: Json, reader: Reader) -> Any:
        return load_estimator(reader.path(tree["file"]), trusted)

    return {
        "skops": decode,
        "instance": partial(_made_anew, trusted=trusted),
        "function": partial(_found_again, trusted=trusted),
    }


def is_own(kind: type) -> bool:
    """Whether a class is one of the notebook's, which stand in this package's features."""
    return _is_features(kind.__module__) and "." not in kind.__qualname__


def _is_of_library(kind: type, trusted: Sequence[str]) -> bool:
    """Whether a class is an estimator of a library that is trusted beside scikit-learn."""
    if not any(_is_in(kind.__module__, library) for library in trusted) or "." in kind.__qualname__:
        return False
    is_one = hasattr(kind, "get_params") and hasattr(kind, "fit")
    return is_one and is_trusted(f"{kind.__module__}.{kind.__qualname__}", trusted)


def _instance(value: Any, writer: Writer, around: list[int]) -> Json:
    """The JSON of an instance; `around` are the ids of those whose attributes are being written."""
    kind = type(value)
    name = kind.__qualname__ if is_own(kind) else f"{kind.__module__}.{kind.__qualname__}"
    if id(value) in around:
        raise TypeError(f"a {name} holds itself, and cannot be kept as data")
    made_by, arguments, _, *items = (*value.__reduce_ex__(2), None, None, None)[:5]
    if made_by is not _NEW_OBJECT or arguments != (type(value),) or items != [None, None] or _has_slots(value):
        raise TypeError(f"a {name} is more than its attributes, and cannot be kept as data")
    around.append(id(value))
    attributes = {key: writer.encode(held, f"{name}.{key}") for key, held in vars(value).items()}
    around.pop()
    return {"$": "instance", "class": name, "attributes": attributes}


def _function(value: Any, trusted: Sequence[str]) -> Json:
    """The JSON of a function that an instance holds: its name, where that is allowed and leads to it; else None."""
    module = getattr(value, "__module__", None) or "numpy"
    name = value.__name__ if isinstance(value, np.ufunc) else value.__qualname__
    tree = {"$": "function", "name": name if _is_features(module) else f"{module}.{name}"}
    return tree if "." not in name and _function_of(tree["name"], trusted) is value else None


def _found_again(tree: Json, reader: Reader, trusted: Sequence[str]) -> Any:
    """The function of a name, which has to be one that an estimator may hold, or one of the notebook's."""
    found = _function_of(str(tree["name"]), trusted)
    if found is None:
        raise UntrustedTypeError(str(reader.folder), [str(tree["name"])])
    return found


def _function_of(name: str, trusted: Sequence[str]) -> Any:
    """The function of a full name, or of a name alone in the notebook's features; None where it may not be held."""
    module, _, attribute = name.rpartition(".")
    full = name if module else f"{PACKAGE}.{FEATURES}.{name}"
    if not (module or PACKAGE) or not is_trusted(full, trusted):
        return None
    found = getattr(importlib.import_module(full[: -len(attribute) - 1]), attribute)
    return found if isinstance(found, _FUNCTIONS) else None


def _is_features(module: str) -> bool:
    """Whether a module is that of the notebook's functions and classes."""
    return bool(PACKAGE) and module == f"{PACKAGE}.{FEATURES}"


def _has_slots(value: Any) -> bool:
    return any(vars(kind).get("__slots__") for kind in type(value).__mro__)


def _made_anew(tree: Json, reader: Reader, trusted: Sequence[str]) -> Any:
    """An instance of a class with the attributes that were kept; no code of the class runs."""
    module, _, name = str(tree["class"]).rpartition(".")
    if module and not is_trusted(f"{module}.{name}", trusted):
        raise UntrustedTypeError(str(reader.folder), [f"{module}.{name}"])
    kind = getattr(importlib.import_module(module or f"{PACKAGE}.{FEATURES}"), name, None)
    if not (isinstance(kind, type) and (_is_of_library(kind, trusted) if module else is_own(kind))):
        raise UntrustedTypeError(str(reader.folder), [str(tree["class"])])
    made: Any = object.__new__(kind)
    vars(made).update({key: reader.decode(held) for key, held in tree["attributes"].items()})
    return made


def _is_in(module: str, prefix: str) -> bool:
    return module == prefix or module.startswith(f"{prefix}.")


def _to_relative(module: str) -> str:
    """This package's modules are named relative to it, so that the package may be moved or renamed."""
    return module[len(PACKAGE) :] or "." if PACKAGE and _is_in(module, PACKAGE) else module


def _to_absolute(module: str) -> str:
    return (PACKAGE + module).rstrip(".") if module.startswith(".") else module


def _canonical_file(data: bytes) -> bytes:
    """A skops file with relative names of modules, and with counters in place of memory addresses and clock times."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names: dict[str, str] = {}
        tree = _canonical(json.loads(archive.read(SCHEMA)), {}, names)
        contents = {SCHEMA: json.dumps(tree, separators=(",", ":")).encode()}
        contents.update({new: _without_padding(archive.read(old)) for old, new in names.items()})
    return _zipped(contents, zipfile.ZIP_DEFLATED)


def _with_absolute_names(data: bytes) -> bytes:
    """A skops file in which the modules of this package have the names that they are imported by."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if RELATIVE not in archive.read(SCHEMA):
            return data
        contents = {name: archive.read(name) for name in archive.namelist()}
    tree = _renamed(json.loads(contents[SCHEMA]))
    return _zipped({**contents, SCHEMA: json.dumps(tree).encode()}, zipfile.ZIP_STORED)


def _renamed(tree: Json) -> Json:
    if isinstance(tree, list):
        return [_renamed(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    renamed = {key: _renamed(value) for key, value in tree.items()}
    if "__loader__" in tree and isinstance(tree.get("__module__"), str):
        renamed["__module__"] = _to_absolute(tree["__module__"])
    return renamed


def _zipped(contents: Mapping[str, bytes], compression: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, content, compress_type=compression, compresslevel=COMPRESSION)
    return buffer.getvalue()


def _without_padding(content: bytes) -> bytes:
    """A structured array (the nodes of a tree) with zeros in the unused bytes between its fields."""
    if not content.startswith(b"\x93NUMPY"):
        return content
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.names is None:
        return content
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def _canonical(tree: Json, ids: dict[int, int], names: dict[str, str]) -> Json:
    if isinstance(tree, list):
        return [_canonical(item, ids, names) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if "__loader__" not in tree:
        return {key: _canonical(value, ids, names) for key, value in tree.items()}
    if tree["__loader__"] == "SetNode":
        tree = {**tree, "content": sorted(tree["content"], key=lambda item: str(item.get("content")))}
    node: dict[str, Json] = {}
    for key, value in tree.items():
        if key == "__id__" and isinstance(value, int):
            node[key] = ids.setdefault(value, len(ids) + 1)
        elif key == "__module__" and isinstance(value, str):
            node[key] = _to_relative(value)
        elif key == "file" and isinstance(value, str):
            node[key] = names.setdefault(value, f"{len(names) + 1}.{value.rpartition('.')[2]}")
        else:
            node[key] = _canonical(value, ids, names)
    return node
