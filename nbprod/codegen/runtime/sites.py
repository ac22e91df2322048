"""Learned sites: the places of the feature code where a value of the training rows crosses into the work on one row.

`learned(name, compute)` computes and records while fitting, and hands the recorded value back while replaying. So one
text of feature code runs in both, and nothing is learned from the rows that are served.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import codec
from .estimators import decoder, encoder, is_estimator, is_own, with_listed_columns

_NAN = float("nan")  # one object, so that a key that is NaN is found again
Values = dict[str, dict[Hashable, list[Any]]]


class LearnedError(KeyError):
    """A site asks for a value that fit has not recorded."""

    def __str__(self) -> str:
        return str(self.args[0])


class Learned:
    """The learned values of one run of the feature code: recorded while fitting, handed out while replaying.

    A new one is fitting. `labelled` says that the rows have their target: always while fitting, in replay when asked
    for. Each site has a name; a site that runs several times records a sequence, or with `key` (a loop's own variable)
    a mapping. `replay()` gives a cursor over the recorded values for one run, so any number of threads may replay at
    once. What is handed out is the caller's own: changing it doesn't change what is recorded. `columns` collects the
    column names that estimators met while fitting. `rows` are the raw rows at hand, for functions that read them.
    `handed` holds what training needs besides, by name. `without_partner` says of each lookup table which of the rows
    at hand have no row in it. `moved` says that rows were put in another order than they came in.
    """

    def __init__(self) -> None:
        self.fitting = True
        self.labelled = True
        self.columns: list[list[str]] = []
        self.rows: Any = None
        self.handed: dict[str, Any] = {}
        self.without_partner: dict[str, Any] = {}
        self.moved = False
        self._values: Values = {}
        self._taken: dict[tuple[str, Hashable], int] = {}

    @classmethod
    def replaying(cls, values: Values, *, labelled: bool = False) -> Learned:
        """A cursor at the start of recorded values: by name and key, in the order in which they were recorded."""
        learned = cls()
        learned.fitting = False
        learned.labelled = labelled
        learned._values = values
        return learned

    def replay(self, *, labelled: bool = False) -> Learned:
        """A cursor over what this one has recorded."""
        return Learned.replaying(self._values, labelled=labelled)

    @property
    def values(self) -> Values:
        """What is recorded: by name and key (None where the site gives none), in order."""
        return self._values

    def __call__(self, name: str, compute: Callable[[], Any], key: Any = None) -> Any:
        """The value of the site `name`: computed and recorded while fitting, else the recorded one."""
        if not self.fitting:
            return own(self._take(name, key))
        value = compute()
        self._record(name, key, value)
        return value

    def shares_without_partner(self) -> dict[str, float]:
        """The share of the rows at hand that have no row in a lookup table, by its name."""
        return {name: float(mask.mean()) for name, mask in self.without_partner.items()}

    def ordered(self, frame: Any, change: Callable[[Any], Any]) -> Any:
        """What `change` gives for a frame whose rows it puts in order; notes whether they stood in another before."""
        before = frame.index
        made = change(frame)
        self.moved |= not (frame if made is None else made).index.equals(before)
        return made

    def hand_over(self, **values: Any) -> None:
        """Keep for the training what it needs besides matrix and labels; nothing of it is saved."""
        self.handed = values

    def fit(self, name: str, estimator: Any, *args: Any, key: Any = None, **kwargs: Any) -> Any:
        """`estimator.fit(...)` while fitting; else gives `estimator` its recorded state. Returns `estimator`."""
        if self.fitting:
            estimator.fit(*args, **kwargs)
            self._record(name, key, estimator)
            return estimator
        return self._restore(name, key, estimator)

    def fit_transform(
        self,
        name: str,
        estimator: Any,
        X: Any,
        *args: Any,
        key: Any = None,
        **kwargs: Any,
    ) -> Any:
        """`estimator.fit_transform(X, ...)` while fitting, else `transform(X)` with its recorded state."""
        if not self.fitting:
            return self._restore(name, key, estimator).transform(X)
        if hasattr(estimator, "fit_transform"):
            result = estimator.fit_transform(X, *args, **kwargs)
        else:
            result = estimator.fit(X, *args, **kwargs).transform(X)
        self._record(name, key, estimator)
        self.columns.extend(column_names(estimator, X))
        return result

    def fit_predict(
        self,
        name: str,
        estimator: Any,
        X: Any,
        *args: Any,
        key: Any = None,
        **kwargs: Any,
    ) -> Any:
        """`estimator.fit_predict(X, ...)` while fitting, else `predict(X)` with its recorded state."""
        if not self.fitting:
            return self._restore(name, key, estimator).predict(X)
        result = estimator.fit_predict(X, *args, **kwargs)
        self._record(name, key, estimator)
        return result

    def turned_back(self, name: str, predicted: Any) -> Any:
        """Predictions through `inverse_transform` of what the site `name` has fitted, in the shape that they have."""
        runs = self._values.get(name, {}).get(None, [])
        if len(runs) != 1:
            raise LearnedError(f"the learned value {name!r} is recorded {len(runs)} times, and one turns answers back")
        values = np.asarray(predicted)
        table = values.reshape(-1, 1) if values.ndim == 1 else values
        return np.asarray(runs[0].inverse_transform(table)).reshape(values.shape)

    def save(self, folder: str | Path, stem: str = "learned", trusted: Sequence[str] = ()) -> None:
        """Write `folder/stem.json`, and beside it arrays as `.npy` and fitted estimators as `.skops`.

        Raises TypeError naming the site whose value cannot be kept.
        """
        tree, files = {}, set()
        for name in sorted(self._values):
            slug = re.sub(r"\W+", "_", name).strip("_") or "value"
            while slug.casefold() in files:
                slug += "_"
            files.add(slug.casefold())
            writer = codec.Writer(folder, f"{stem}.{slug}", other=encoder(trusted))
            try:
                tree[name] = _encode_site(self._values[name], writer)
            except TypeError as error:
                raise TypeError(f"the learned value {name!r} cannot be kept: {error}") from error
        path = Path(folder, f"{stem}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(codec.to_text(tree).encode("utf-8", "surrogatepass"))

    @classmethod
    def load(cls, folder: str | Path, stem: str = "learned", trusted: Sequence[str] = ()) -> Learned:
        """Read what `save` wrote, for replaying. Fitted estimators are audited before they are loaded."""
        reader = codec.Reader(folder, other=decoder(trusted))
        tree = json.loads(Path(folder, f"{stem}.json").read_bytes())
        return cls.replaying({name: _decode_site(site, reader) for name, site in tree.items()})

    def _record(self, name: str, key: Any, value: Any) -> None:
        try:
            kept = with_listed_columns(copy.deepcopy(value))
        except TypeError as error:
            raise TypeError(f"the learned value {name!r} is a {type(value).__name__}, which cannot be kept") from error
        self._values.setdefault(name, {}).setdefault(canonical_key(key), []).append(kept)

    def _take(self, name: str, key: Any) -> Any:
        key = canonical_key(key)
        runs = self._values.get(name, {}).get(key)
        at = self._taken.get((name, key), 0)
        if runs is None or at >= len(runs):
            which = f"the learned value {name!r}" + ("" if key is None else f" for {key!r}")
            known = sorted(map(repr, self._values.get(name, ())))
            recorded = f"it is recorded {len(runs)} times" if runs else f"recorded are {', '.join(known) or 'none'}"
            raise LearnedError(f"{which} was not recorded by fit ({recorded}): fit the pipeline again")
        self._taken[name, key] = at + 1
        return runs[at]

    def _restore(self, name: str, key: Any, estimator: Any) -> Any:
        state = vars(own(self._take(name, key)))
        vars(estimator).clear()
        vars(estimator).update(state)
        return estimator


def own(value: Any, seen: dict[int, Any] | None = None) -> Any:
    """A copy that a caller may change. Estimators and containers are new, and share the arrays inside estimators."""
    seen = {} if seen is None else seen
    if id(value) in seen:
        return seen[id(value)]
    if is_estimator(value) or (is_own(type(value)) and hasattr(value, "__dict__")):
        twin = copy.copy(value)
        seen[id(value)] = twin
        for attribute, part in list(vars(value).items()):
            vars(twin)[attribute] = part if isinstance(part, np.ndarray) else own(part, seen)
        return twin
    if isinstance(value, (list, dict, set, tuple, np.ndarray, pd.Series, pd.DataFrame)) and not _holds_estimator(value):
        return copy.deepcopy(value)
    if type(value) is dict:
        return {key: own(part, seen) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(own(part, seen) for part in value)
    return value


def canonical_key(key: Any) -> Hashable:
    """A key that is equal to itself: NaN becomes one object, lists become tuples."""
    if isinstance(key, (list, tuple)):
        return tuple(canonical_key(part) for part in key)
    return _NAN if isinstance(key, (float, np.floating)) and key != key else key


def _encode_site(runs: dict[Hashable, list[Any]], writer: codec.Writer) -> Any:
    """One value as it is; several under `runs`; those with keys under `by_key`, as an object where keys are text."""
    if list(runs) == [None]:
        return _encode_runs(runs[None], writer)
    if all(type(key) is str for key in runs) and list(runs) == sorted(runs, key=str):
        return {"$": "by_key", "values": {key: _encode_runs(values, writer) for key, values in runs.items()}}
    items = [[writer.encode(key), _encode_runs(values, writer)] for key, values in runs.items()]
    return {"$": "by_key", "items": items}


def _encode_runs(values: list[Any], writer: codec.Writer) -> Any:
    encoded = [writer.encode(value) for value in values]
    return encoded[0] if len(encoded) == 1 else {"$": "runs", "values": encoded}


def _decode_site(tree: Any, reader: codec.Reader) -> dict[Hashable, list[Any]]:
    if isinstance(tree, dict) and tree.get("$") == "by_key":
        items = tree["values"].items() if "values" in tree else tree["items"]
        return {canonical_key(reader.decode(key)): _decode_runs(values, reader) for key, values in items}
    return {None: _decode_runs(tree, reader)}


def _decode_runs(tree: Any, reader: codec.Reader) -> list[Any]:
    if isinstance(tree, dict) and tree.get("$") == "runs":
        return [reader.decode(value) for value in tree["values"]]
    return [reader.decode(tree)]


def _holds_estimator(value: Any) -> bool:
    parts: Any = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return any(is_estimator(part) or _holds_estimator(part) for part in parts)


def column_names(estimator: Any, X: Any) -> Iterator[list[str]]:
    """Names for an estimator's output, better ones last."""
    if isinstance(X, pd.DataFrame):
        yield _names_behind(estimator, [str(label) for label in X.columns])
    try:
        yield [str(name) for name in estimator.get_feature_names_out()]
    except (AttributeError, ValueError, TypeError):
        return


def _names_behind(estimator: Any, names: list[str]) -> list[str]:
    """What columns are called behind an estimator, also where a part of it (a plain function) does not tell.

    What does not tell is taken to leave columns in their order.
    """
    if hasattr(estimator, "get_feature_names_out"):
        try:
            return [str(name) for name in estimator.get_feature_names_out(names)]
        except (AttributeError, ValueError, TypeError):
            pass
    for _, step in getattr(estimator, "steps", ()):
        names = _names_behind(step, names)
    made = {}
    for part, places in getattr(estimator, "output_indices_", {}).items():
        came = [names[place] for place in estimator._transformer_to_input_indices.get(part, ())]
        behind = _names_behind(estimator.named_transformers_.get(part), came)
        count = places.stop - places.start
        behind = behind if len(behind) == count else [str(at) for at in range(count)]
        told = estimator.verbose_feature_names_out
        made.update({places.start + at: f"{part}__{name}" if told else name for at, name in enumerate(behind)})
    return [made[at] for at in sorted(made)] or names
