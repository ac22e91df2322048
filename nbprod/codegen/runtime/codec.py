"""Keep Python, NumPy and pandas values as JSON that a person can review, and get exactly the same values back.

What JSON can say is plain JSON: numbers, text, lists, dictionaries with text keys. All else is an object with the
key `"$"` that names its kind, such as `{"$": "tuple", "items": [1, 2]}`. Arrays of more than 64 elements lie beside
the JSON file as `.npy`, which `numpy.load` reads without pickle. The same value gives the same bytes.
"""

from __future__ import annotations

import datetime
import decimal
import json
import struct
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Json = Any
INLINE = 64
_FACTORIES: dict[str, Any] = {kind.__name__: kind for kind in (bool, dict, float, int, list, set, str, tuple)}
_PLAIN = frozenset({bool, int, str, type(None)})


def dump(value: Any, folder: str | Path, stem: str, *, inline: int = INLINE) -> Path:
    """Write `value` to `folder/stem.json`, with arrays of more than `inline` elements beside it; returns the path.

    Raises TypeError naming the place in the value and the type that cannot be kept (functions, generators, files).
    """
    path = Path(folder, f"{stem}.json")
    text = to_text(Writer(folder, stem, inline=inline).encode(value))
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    return path


def load(folder: str | Path, stem: str) -> Any:
    """Read the value that `dump` wrote to `folder/stem.json`."""
    return Reader(folder).decode(json.loads(Path(folder, f"{stem}.json").read_bytes()))


def to_text(tree: Json) -> str:
    """JSON with sorted keys, two spaces of indentation and short lists on one line, ending in a newline."""
    return _layout(tree, 0) + "\n"


class Writer:
    """Turns values into JSON; large arrays go to `folder/stem.npy`, `folder/stem.2.npy` and so on.

    `other` is asked for values that the codec doesn't know: it returns their JSON, or None to decline.
    """

    def __init__(
        self,
        folder: str | Path,
        stem: str,
        *,
        inline: int = INLINE,
        other: Callable[[Any, Writer], Json] | None = None,
    ) -> None:
        self.folder, self.stem, self.inline, self.other = Path(folder), stem, inline, other
        self.folder.mkdir(parents=True, exist_ok=True)
        self._files: set[str] = set()

    def new_file(self, ending: str) -> Path:
        """A path in the folder that this writer has not given out yet."""
        name = f"{self.stem}.{ending}"
        while name in self._files:
            name = f"{self.stem}.{len(self._files) + 1}.{ending}"
        self._files.add(name)
        return self.folder / name

    def encode(self, value: Any, place: str = "value") -> Json:
        """JSON for `value`. `place` says in errors where in the whole it stands."""
        encoder = _ENCODERS.get(type(value))
        if encoder is not None:
            return encoder(self, value, place)
        for kind, encode in _ENCODERS_BY_BASE:
            if isinstance(value, kind):
                return encode(self, value, place)
        tree = _sparse_matrix(self, value, place)
        if tree is None and self.other is not None:
            tree = self.other(value, self)
        if tree is None:
            raise TypeError(f"{place} is a {_name(type(value))}, which cannot be kept as data")
        return tree


class Reader:
    """Turns JSON from a `Writer` back into values. `other` maps further kinds (the text under `"$"`) to functions."""

    def __init__(self, folder: str | Path, *, other: dict[str, Callable[[Json, Reader], Any]] | None = None) -> None:
        self.folder = Path(folder)
        self.other = other or {}

    def path(self, name: str) -> Path:
        """The path of a file beside the JSON file; names that lead elsewhere raise ValueError."""
        if Path(name).name != name or name in ("", ".", ".."):
            raise ValueError(f"{name!r} is not the name of a file in {self.folder}")
        return self.folder / name

    def decode(self, tree: Json) -> Any:
        """The value that `tree` stands for; raises ValueError for a kind that nobody knows."""
        if isinstance(tree, list):
            if _PLAIN.issuperset(map(type, tree)):
                return tree
            return [self.decode(item) for item in tree]
        if not isinstance(tree, dict):
            return tree
        if "$" not in tree:
            return {key: self.decode(item) for key, item in tree.items()}
        kind = tree["$"]
        decoder = _DECODERS.get(kind) or self.other.get(kind)
        if decoder is None:
            raise ValueError(f"unknown kind of value {kind!r} in {self.folder}")
        return decoder(tree, self)


def _layout(tree: Json, depth: int) -> str:
    """Lay out JSON so that short things take one line and long ones one line an item."""
    line = json.dumps(tree, ensure_ascii=False, sort_keys=True, allow_nan=False)
    if len(line) + 2 * depth <= 100 or not isinstance(tree, (list, dict)):
        return line
    pad, end = "\n" + "  " * (depth + 1), "\n" + "  " * depth
    if isinstance(tree, list):
        return "[" + ",".join(pad + _layout(item, depth + 1) for item in tree) + f"{end}]"
    keys = ((key, json.dumps(key, ensure_ascii=False)) for key in sorted(tree))
    return "{" + ",".join(f"{pad}{text}: {_layout(tree[key], depth + 1)}" for key, text in keys) + f"{end}}}"


def _name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _encode_scalar(name: str, parts: Callable[[Any], Json]) -> Callable[[Writer, Any, str], Json]:
    return lambda _writer, value, _place: {"$": name, "value": parts(value)}


def _decode_scalar(make: Callable[[Any], Any]) -> Callable[[Json, Reader], Any]:
    return lambda tree, reader: make(reader.decode(tree["value"]))


def _float(_writer: Writer | None, value: float, _place: str = "") -> Json:
    if value - value == 0:
        return value
    bits = struct.pack(">d", value).hex()
    plain = {"7ff8000000000000": "nan", "7ff0000000000000": "inf", "fff0000000000000": "-inf"}.get(bits)
    return {"$": "float", "value": plain} if plain else {"$": "float", "bits": bits}


def _read_float(tree: Json, _reader: Reader) -> float:
    if "bits" in tree:
        return float(struct.unpack(">d", bytes.fromhex(tree["bits"]))[0])
    return float(tree["value"])


def _list(writer: Writer, value: list[Any], place: str) -> Json:
    return [writer.encode(item, f"{place}[{position}]") for position, item in enumerate(value)]


def _sorted_set(writer: Writer, value: Any, place: str) -> Json:
    items = [writer.encode(item, f"an item of {place}") for item in value]
    items.sort(key=lambda item: (type(item).__name__, item if type(item) in (int, float, str) else json.dumps(item)))
    return {"$": type(value).__name__, "items": items}


def _dict(writer: Writer, value: dict[Any, Any], place: str) -> Json:
    plain = type(value) is dict and all(type(key) is str for key in value) and "$" not in value
    if plain and list(value) == sorted(value):
        return {key: writer.encode(item, f"{place}[{key!r}]") for key, item in value.items()}
    items = [
        [writer.encode(key, f"a key of {place}"), writer.encode(item, f"{place}[{key!r}]")]
        for key, item in value.items()
    ]
    tree: dict[str, Any] = {"$": type(value).__name__, "items": items}
    if isinstance(value, defaultdict) and value.default_factory is not None:
        factory = str(getattr(value.default_factory, "__name__", ""))
        if _FACTORIES.get(factory) is not value.default_factory:
            raise TypeError(f"{place} is a defaultdict with a factory that cannot be kept as data")
        tree["factory"] = factory
    return tree


def _read_dict(make: Callable[[], Any]) -> Callable[[Json, Reader], Any]:
    def read(tree: Json, reader: Reader) -> Any:
        value = make()
        for key, item in tree["items"]:
            value[reader.decode(key)] = reader.decode(item)
        if "factory" in tree:
            value.default_factory = _FACTORIES[tree["factory"]]
        return value

    return read


def _datetime(_writer: Writer, value: datetime.datetime, place: str) -> Json:
    tree = {"$": "datetime", "value": value.replace(tzinfo=None, fold=0).isoformat()}
    if value.fold:
        tree["fold"] = "1"
    if value.tzinfo is not None:
        tree["tz"] = _zone(value.tzinfo, place)
    return tree


def _read_datetime(tree: Json, _reader: Reader) -> datetime.datetime:
    value = datetime.datetime.fromisoformat(tree["value"]).replace(fold=int(tree.get("fold", 0)))
    return value.replace(tzinfo=_read_zone(tree["tz"])) if "tz" in tree else value


def _zone(zone: datetime.tzinfo, place: str) -> str:
    """A time zone's name, where that name alone gives the zone again."""
    name = str(zone)
    try:
        again = _read_zone(name)
    except (ValueError, KeyError, OSError):
        again = None
    moment = datetime.datetime(2001, 1, 1)
    if again is None or type(again) is not type(zone) or again.utcoffset(moment) != zone.utcoffset(moment):
        raise TypeError(f"{place} has the time zone {zone!r}, which cannot be kept by name")
    return name


def _read_zone(name: str) -> Any:
    return pd.Timestamp(0, tz=name).tz


def _dtype_name(dtype: Any) -> str:
    try:
        return str(dtype.name) if np.dtype(dtype.name) == dtype else str(dtype.str)
    except TypeError:
        return str(dtype.str)


def _array(writer: Writer, value: Any, place: str) -> Json:
    dtype = value.dtype
    tree: dict[str, Any] = {"$": "array", "dtype": _dtype_name(dtype)}
    if value.ndim != 1:
        tree["shape"] = list(value.shape)
    if dtype.kind == "O":
        tree["values"] = _list(writer, value.ravel().tolist(), place)
        return tree
    if dtype.hasobject or dtype.kind == "T":
        raise TypeError(f"{place} is an array of {dtype}, which cannot be kept as data")
    if value.ndim > 1 and value.flags.f_contiguous and not value.flags.c_contiguous:
        tree["order"] = "F"
    values = _inline_values(value.ravel()) if value.size <= writer.inline else None
    if values is not None:
        tree["values"] = values
        return tree
    path = writer.new_file("npy")
    np.save(path, value, allow_pickle=False)
    return {"$": "array", "file": path.name}


def _inline_values(flat: Any) -> Json:
    """The elements as JSON scalars when these give every bit back, else their bytes; None for what needs a file."""
    if flat.dtype.names is not None or flat.dtype.subdtype is not None:
        return None
    if flat.dtype.kind == "M":
        values = np.datetime_as_string(flat).tolist()
    elif flat.dtype.kind == "m":
        values = flat.view("i8").tolist() if flat.dtype.isnative else None
    elif flat.dtype.kind in "biu":
        values = flat.tolist()
    elif flat.dtype.kind == "f" and flat.dtype.itemsize <= 8:
        values = [item if item - item == 0 else str(item) for item in flat.tolist()]
    elif flat.dtype.kind == "U":
        values = flat.tolist()
    else:
        values = None
    if values is not None and _from_inline(values, flat.dtype).tobytes() == flat.tobytes():
        return values
    return {"bytes": flat.tobytes().hex()}


def _from_inline(values: Json, dtype: Any) -> Any:
    if isinstance(values, dict):
        return np.frombuffer(bytes.fromhex(values["bytes"]), dtype=dtype).copy()
    if dtype.kind == "m":
        return np.array(values, dtype="i8").view(dtype)
    return np.array(values, dtype=dtype)


def _read_array(tree: Json, reader: Reader) -> Any:
    if "file" in tree:
        return np.load(reader.path(tree["file"]), allow_pickle=False)
    shape = tree.get("shape")
    dtype = np.dtype(tree["dtype"])
    if dtype.kind == "O":
        items = reader.decode(tree["values"])
        value = np.empty(len(items), dtype=object)
        for position, item in enumerate(items):
            value[position] = item
    else:
        value = _from_inline(tree["values"], dtype)
    if shape is not None:
        value = value.reshape(shape)
    return np.asfortranarray(value) if tree.get("order") == "F" else value


def _numpy_scalar(_writer: Writer, value: Any, place: str) -> Json:
    values = _inline_values(np.array([value], dtype=value.dtype))
    if values is None or value.dtype.hasobject:
        raise TypeError(f"{place} is a {_name(type(value))}, which cannot be kept as data")
    return {"$": "numpy", "dtype": _dtype_name(value.dtype), "value": values[0] if isinstance(values, list) else values}


def _read_numpy_scalar(tree: Json, _reader: Reader) -> Any:
    value = tree["value"]
    return _from_inline(value if isinstance(value, dict) else [value], np.dtype(tree["dtype"]))[0]


def _sparse_matrix(writer: Writer, value: Any, place: str) -> Json:
    """SciPy's csr, csc and coo matrices and arrays; None for anything else."""
    kind = type(value)
    if not kind.__module__.startswith("scipy.sparse") or getattr(value, "format", None) not in ("csr", "csc", "coo"):
        return None
    parts = ("data", "row", "col") if value.format == "coo" else ("data", "indices", "indptr")
    tree = {"$": "sparse", "class": kind.__name__, "shape": list(value.shape)}
    return {**tree, **{part: writer.encode(getattr(value, part), f"{place}.{part}") for part in parts}}


def _read_sparse_matrix(tree: Json, reader: Reader) -> Any:
    from scipy import sparse  # only for values that came from SciPy

    if tree["class"] not in {f"{form}_{kind}" for form in ("csr", "csc", "coo") for kind in ("matrix", "array")}:
        raise ValueError(f"unknown sparse matrix {tree['class']!r}")
    parts = {part: reader.decode(tree[part]) for part in tree if part not in ("$", "class", "shape")}
    if "row" in parts:
        content: Any = (parts["data"], (parts["row"], parts["col"]))
    else:
        content = (parts["data"], parts["indices"], parts["indptr"])
    return getattr(sparse, tree["class"])(content, shape=tuple(tree["shape"]))


def _timestamp(_writer: Writer, value: Any, place: str) -> Json:
    tree = {"$": "timestamp", "unit": value.unit, "value": str(value.asm8)}
    return tree if value.tz is None else {**tree, "tz": _zone(value.tz, place)}


def _read_timestamp(tree: Json, _reader: Reader) -> Any:
    value = pd.Timestamp(np.datetime64(tree["value"], tree["unit"]))
    return value.tz_localize("UTC").tz_convert(_read_zone(tree["tz"])) if "tz" in tree else value


def _dtype(writer: Writer, value: Any, place: str) -> Json:
    if isinstance(value, np.dtype):
        return {"$": "dtype", "name": _dtype_name(value)}
    if isinstance(value, pd.StringDtype):
        na = "NA" if value.na_value is pd.NA else "nan"
        return {"$": "dtype", "na": na, "name": "string", "storage": value.storage}
    if isinstance(value, pd.CategoricalDtype):
        categories = None if value.categories is None else writer.encode(value.categories, place)
        return {"$": "dtype", "categories": categories, "name": "category", "ordered": value.ordered}
    if isinstance(value, pd.DatetimeTZDtype):
        return {"$": "dtype", "name": "datetime", "tz": _zone(value.tz, place), "unit": value.unit}
    if isinstance(value, pd.IntervalDtype):
        subtype = None if value.subtype is None else writer.encode(value.subtype, place)
        return {"$": "dtype", "closed": value.closed, "name": "interval", "subtype": subtype}
    if isinstance(value, pd.SparseDtype):
        fill = writer.encode(value.fill_value, place)
        return {"$": "dtype", "fill": fill, "name": "sparse", "subtype": writer.encode(value.subtype, place)}
    name = str(value)
    try:
        again = pd.api.types.pandas_dtype(name)
    except (TypeError, ValueError, NotImplementedError):
        again = None
    if again != value:
        raise TypeError(f"{place} has the dtype {name}, which cannot be kept by name")
    return {"$": "dtype", "name": name}


def _read_dtype(tree: Json, reader: Reader) -> Any:
    name = tree["name"]
    if "storage" in tree:
        return _string_dtype(tree["storage"], tree["na"])
    if name == "category" and "ordered" in tree:
        return pd.CategoricalDtype(reader.decode(tree["categories"]), tree["ordered"])
    if name == "datetime":
        return pd.DatetimeTZDtype(tree["unit"], _read_zone(tree["tz"]))
    if name == "interval":
        return pd.IntervalDtype(reader.decode(tree["subtype"]), tree["closed"])
    if name == "sparse":
        return pd.SparseDtype(reader.decode(tree["subtype"]), reader.decode(tree["fill"]))
    return pd.api.types.pandas_dtype(name)


def _string_dtype(storage: str, na: str) -> Any:
    """Text whose missing values are NA, or NaN as pandas 3 has it; without PyArrow it is stored by Python."""
    options = {} if na == "NA" else {"na_value": np.nan}
    try:
        return pd.StringDtype(storage, **options)
    except ImportError:
        return pd.StringDtype("python", **options)


def _column(writer: Writer, value: Any, place: str) -> Json:
    """The values of an Index, a Series or an extension array, whatever its dtype."""
    dtype = value.dtype
    if isinstance(dtype, np.dtype):
        return _array(writer, np.asarray(value, dtype=dtype), place)
    tree = {"$": "column", "dtype": _dtype(writer, dtype, place)}
    if isinstance(dtype, pd.CategoricalDtype):
        codes = value.cat.codes if isinstance(value, pd.Series) else value.codes
        return {**tree, "codes": _array(writer, np.asarray(codes), place)}
    if isinstance(dtype, pd.StringDtype) or str(dtype).endswith("[pyarrow]"):
        items = np.asarray(value.astype(object), dtype=object)
        return {**tree, "values": _list(writer, [None if pd.isna(item) else item for item in items], place)}
    if isinstance(dtype, pd.DatetimeTZDtype):
        array = pd.DatetimeIndex(value).tz_convert("UTC").tz_localize(None)
        return {**tree, "values": _array(writer, np.asarray(array), place)}
    if isinstance(dtype, pd.PeriodDtype):
        return {**tree, "values": _array(writer, np.asarray(pd.PeriodIndex(value).asi8), place)}
    if isinstance(dtype, pd.IntervalDtype):
        array = pd.IntervalIndex(value)
        return {**tree, "left": _column(writer, array.left, place), "right": _column(writer, array.right, place)}
    if isinstance(dtype, pd.SparseDtype):
        return {**tree, "values": _array(writer, np.asarray(value), place)}
    kind = getattr(dtype, "numpy_dtype", None)
    if kind is None:
        raise TypeError(f"{place} has the dtype {dtype}, which cannot be kept as data")
    series = pd.Series(value)
    missing = series.isna().to_numpy()
    values = series.to_numpy(dtype=kind, na_value=kind.type(0))
    return {**tree, "missing": _array(writer, missing, place), "values": _array(writer, values, place)}


def _read_column(tree: Json, reader: Reader) -> Any:
    if tree["$"] == "array":
        return _read_array(tree, reader)
    dtype = _read_dtype(tree["dtype"], reader)
    if "codes" in tree:
        return pd.Categorical.from_codes(reader.decode(tree["codes"]), dtype=dtype)
    if "left" in tree:
        left, right = pd.Index(_read_column(tree["left"], reader)), pd.Index(_read_column(tree["right"], reader))
        return pd.arrays.IntervalArray.from_arrays(left, right, closed=dtype.closed)
    values = reader.decode(tree["values"])
    if isinstance(dtype, pd.DatetimeTZDtype):
        return pd.DatetimeIndex(values).tz_localize("UTC").tz_convert(dtype.tz).array
    if isinstance(dtype, pd.PeriodDtype):
        return pd.PeriodIndex.from_ordinals(values, freq=dtype.freq).array
    if "missing" in tree:
        masked = pd.arrays.BooleanArray if dtype.numpy_dtype.kind == "b" else None
        if masked is None:
            masked = pd.arrays.FloatingArray if dtype.numpy_dtype.kind == "f" else pd.arrays.IntegerArray
        return masked(values, reader.decode(tree["missing"]))
    return pd.array(values, dtype=dtype)


def _index(writer: Writer, value: Any, place: str) -> Json:
    if isinstance(value, pd.RangeIndex):
        tree: dict[str, Any] = {"$": "range_index", "range": [value.start, value.stop, value.step]}
    elif isinstance(value, pd.MultiIndex):
        names = [writer.encode(name, place) for name in value.names]
        levels = [_index(writer, level.rename(None), place) for level in value.levels]
        codes = [_array(writer, np.asarray(code), place) for code in value.codes]
        return {"$": "multi_index", "codes": codes, "levels": levels, "names": names}
    else:
        tree = {"$": "index", "values": _column(writer, value, place)}
        if getattr(value, "freq", None) is not None and isinstance(value, (pd.DatetimeIndex, pd.TimedeltaIndex)):
            tree["freq"] = value.freqstr
    return tree if value.name is None else {**tree, "name": writer.encode(value.name, place)}


def _read_index(tree: Json, reader: Reader) -> Any:
    name = reader.decode(tree.get("name"))
    if tree["$"] == "range_index":
        return pd.RangeIndex(*tree["range"], name=name)
    if tree["$"] == "multi_index":
        levels = [_read_index(level, reader) for level in tree["levels"]]
        codes = [reader.decode(code) for code in tree["codes"]]
        names = [reader.decode(name) for name in tree["names"]]
        return pd.MultiIndex(levels, codes, names=names, verify_integrity=False)
    values = _read_column(tree["values"], reader)
    if "freq" in tree:
        kind = pd.DatetimeIndex if values.dtype.kind == "M" else pd.TimedeltaIndex
        return kind(values, freq=tree["freq"], name=name)
    return pd.Index(values, dtype=values.dtype, name=name, tupleize_cols=False)


def _series(writer: Writer, value: Any, place: str) -> Json:
    """Index and values; where both are lists in the JSON they stand side by side, as `items`."""
    index, values = _index(writer, value.index, f"the index of {place}"), _column(writer, value, place)
    tree = {"$": "series", "index": index, "name": writer.encode(value.name, f"the name of {place}"), "values": values}
    labels = index.get("values", {})
    if isinstance(labels.get("values"), list) and isinstance(values.get("values"), list):
        tree["items"] = [list(pair) for pair in zip(labels.pop("values"), values.pop("values"))]
    return tree


def _read_series(tree: Json, reader: Reader) -> Any:
    index, values = tree["index"], tree["values"]
    if "items" in tree:
        index = {**index, "values": {**index["values"], "values": [label for label, _ in tree["items"]]}}
        values = {**values, "values": [item for _, item in tree["items"]]}
    content = _read_column(values, reader)
    return pd.Series(content, index=reader.decode(index), dtype=content.dtype, name=reader.decode(tree["name"]))


def _frame(writer: Writer, value: Any, place: str) -> Json:
    """Columns by position, so that duplicate names survive; columns of one NumPy dtype are one array."""
    groups: dict[Any, list[int]] = {}
    for position, dtype in enumerate(value.dtypes):
        plain = isinstance(dtype, np.dtype) and dtype.kind != "O"
        groups.setdefault(dtype if plain else position, []).append(position)
    parts = []
    for key, at in groups.items():
        if isinstance(key, np.dtype):
            content = _array(writer, value.iloc[:, at].to_numpy(dtype=key), place)
        else:
            content = _column(writer, value.iloc[:, at[0]], f"{place}[{value.columns[at[0]]!r}]")
        parts.append({"at": at, "values": content})
    columns = _index(writer, value.columns, f"the columns of {place}")
    return {"$": "frame", "columns": columns, "index": _index(writer, value.index, place), "parts": parts}


def _read_frame(tree: Json, reader: Reader) -> Any:
    columns, index = reader.decode(tree["columns"]), reader.decode(tree["index"])
    contents: dict[int, Any] = {}
    for part in tree["parts"]:
        values = _read_column(part["values"], reader)
        if getattr(values, "ndim", 1) == 2 and len(tree["parts"]) == 1:
            return pd.DataFrame(values, index=index, columns=columns)
        for offset, position in enumerate(part["at"]):
            contents[position] = values[:, offset] if values.ndim == 2 else values
    data = {
        position: pd.Series(contents[position], index=index, dtype=contents[position].dtype)
        for position in range(len(columns))
    }
    frame = pd.DataFrame(data, index=index)
    frame.columns = columns
    return frame


_SCALARS: tuple[tuple[type, str, Callable[[Any], Json], Callable[[Any], Any]], ...] = (
    (bytes, "bytes", bytes.hex, bytes.fromhex),
    (range, "range", lambda v: [v.start, v.stop, v.step], lambda parts: range(*parts)),
    (complex, "complex", lambda v: [_float(None, v.real), _float(None, v.imag)], lambda parts: complex(*parts)),
    (decimal.Decimal, "decimal", str, decimal.Decimal),
    (datetime.date, "date", str, datetime.date.fromisoformat),
    (datetime.timedelta, "duration", lambda v: [v.days, v.seconds, v.microseconds], lambda v: datetime.timedelta(*v)),
    (pd.Period, "period", lambda v: [v.ordinal, v.freqstr], lambda v: pd.Period(ordinal=v[0], freq=v[1])),
    (pd.Timedelta, "timedelta", lambda v: [int(v.asm8.view("i8")), v.unit], lambda v: pd.Timedelta(np.timedelta64(*v))),
    (type(pd.NaT), "NaT", lambda _: None, lambda _: pd.NaT),
    (type(pd.NA), "NA", lambda _: None, lambda _: pd.NA),
)

_ENCODERS: dict[type, Callable[[Writer, Any, str], Json]] = {
    **{kind: _encode_scalar(name, parts) for kind, name, parts, _ in _SCALARS},
    **dict.fromkeys((type(None), bool, int, str), lambda _writer, value, _place: value),
    float: _float,
    list: _list,
    tuple: lambda writer, value, place: {"$": "tuple", "items": _list(writer, list(value), place)},
    **dict.fromkeys((dict, OrderedDict, Counter, defaultdict), _dict),
    **dict.fromkeys((set, frozenset), _sorted_set),
    datetime.datetime: _datetime,
    np.ndarray: _array,
    pd.Timestamp: _timestamp,
    pd.Interval: lambda writer, v, place: {
        "$": "interval",
        "closed": v.closed,
        "ends": _list(writer, [v.left, v.right], place),
    },
    pd.Series: _series,
    pd.DataFrame: _frame,
}

_ENCODERS_BY_BASE: tuple[tuple[Any, Callable[[Writer, Any, str], Json]], ...] = (
    (np.generic, _numpy_scalar),
    (np.dtype, _dtype),
    (pd.api.extensions.ExtensionDtype, _dtype),
    (pd.Index, _index),
    (
        pd.api.extensions.ExtensionArray,
        lambda writer, value, place: {"$": "extension", "values": _column(writer, pd.Series(value), place)},
    ),
)

_DECODERS: dict[str, Callable[[Json, Reader], Any]] = {
    **{name: _decode_scalar(make) for _, name, _, make in _SCALARS},
    "float": _read_float,
    "tuple": lambda tree, reader: tuple(reader.decode(tree["items"])),
    "set": lambda tree, reader: set(reader.decode(tree["items"])),
    "frozenset": lambda tree, reader: frozenset(reader.decode(tree["items"])),
    **{kind.__name__: _read_dict(kind) for kind in (dict, OrderedDict, Counter, defaultdict)},
    "datetime": _read_datetime,
    "array": _read_array,
    "numpy": _read_numpy_scalar,
    "sparse": _read_sparse_matrix,
    "timestamp": _read_timestamp,
    "interval": lambda tree, reader: pd.Interval(*reader.decode(tree["ends"]), tree["closed"]),
    "dtype": _read_dtype,
    "column": _read_column,
    "extension": lambda tree, reader: pd.Series(_read_column(tree["values"], reader)).array,
    **dict.fromkeys(("index", "range_index", "multi_index"), _read_index),
    "series": _read_series,
    "frame": _read_frame,
}
