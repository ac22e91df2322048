"""What is replayed: the captures of a run and the package under test, loaded in the notebook's environment."""

from __future__ import annotations

import copy
import importlib
import json
import random
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .compare import compare, tolerance, widened
from .matrix import Matrix, matrix_of, with_whole_numbers
from .parts import Parts, Twin
from .taking import Taking, Trained, trained_in


@dataclass(frozen=True)
class Call:
    """One captured `fit` or `predict`: its arguments and the state of the random generators before it.

    `others` names the arguments of a `fit` beside rows and labels.
    """

    cell: int
    line: int
    method: str
    X: Any
    y: Any
    result: Any
    random: dict[str, Any] | None
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Captures:
    """What the notebook handed over: raw frames (the first is the training data), the training, predictions.

    `trained` is what the training left behind, or why it can't be taken.
    """

    frames: tuple[Any, ...]
    random: dict[str, Any] | None
    fit: Call
    predicts: tuple[Call, ...]
    trained: Trained | None = None


class CaptureError(Exception):
    """What the run handed over is not enough to fit or prove a package on."""


def read_captures(folder: Path, codec_file: Path) -> Captures:
    """Read what the kernel wrote. Raises CaptureError in words a person can act on where something is lacking."""
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    codec = module_of("nbprod_codec", codec_file)
    notes = "; ".join(index.get("notes", []))
    if not index["raw"]:
        raise CaptureError(f"the run did not pass the statement that reads the raw rows{': ' + notes if notes else ''}")
    if index["fit"] is None:
        raise CaptureError(f"the run did not pass the training call{': ' + notes if notes else ''}")
    raws = [codec.load(folder, entry["stem"]) for entry in index["raw"]]
    calls = [_call(entry, codec.load(folder, entry["stem"])) for entry in [index["fit"], *index["predicts"]]]
    frames = tuple(raw["frame"] for raw in raws)
    if not isinstance(frames[0], pd.DataFrame):
        raise CaptureError(f"the raw rows are a {type(frames[0]).__name__}, not a DataFrame")
    return Captures(frames, raws[0]["random"], calls[0], tuple(calls[1:]), trained_in(folder, index["fit"], calls[0]))


def _call(entry: dict[str, Any], kept: dict[str, Any]) -> Call:
    place = entry["cell"], entry["line"], entry["method"]
    others = tuple(kept.get("others", ()))
    return Call(*place, kept["X"], kept.get("y"), kept.get("result"), kept.get("random"), others)


def module_of(name: str, file: Path) -> Any:
    """The file as a module of that name."""
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), module.__dict__)
    return module


def _apart(estimator: Any, rows: Any, made: Any) -> float | None:
    """How far `transform` of these rows is from what `fit_transform` made of them; None where it is the same.

    An estimator without `transform` is left to fail in serving, where its row and step are told.
    """
    if not hasattr(estimator, "transform"):
        return None
    first, again = matrix_of(made), matrix_of(estimator.transform(rows))
    comparison = compare(first, again, np.zeros(first.width), strict=False)
    return None if comparison.equal else comparison.max_error


def restore_random(state: dict[str, Any] | None) -> None:
    """Set the global generators as they stood at that moment of the notebook."""
    if state is None:
        return
    random.setstate(state["python"])
    if "numpy" in state:
        np.random.set_state(state["numpy"])


class Subject:
    """The package under test. `served` is the fitted pipeline: the saved one, else one fitted here.

    `is_in_fit` says that its fit still goes on elsewhere, which holds the compiled form against the same rows. `parts`
    starts processes for parts of the rows, `twin` is one that is ready to do a part then.
    """

    def __init__(self, root: Path, name: str, version: str, captures: Captures) -> None:
        sys.path.insert(0, str(root))
        self.folder = root / name / version
        self.captures = captures
        self.features_module = importlib.import_module(f"{name}.{version}.features")
        self.train_module = importlib.import_module(f"{name}.{version}.train")
        # what features extend is a support module, wherever the release that exported the version has put these
        support = self.features_module.Features.__base__.__module__.rpartition(".")[0]
        self.pipeline_module = importlib.import_module(f"{support}.pipeline")
        self.fresh: Any = None
        self.served: Any = None
        self.differing: dict[str, float] = {}
        self.parts: Parts | None = None
        self.twin: Twin | None = None
        self.shares: dict[str, float] = {}
        self.is_in_fit = False
        self._known: tuple[Any, Matrix] | None = None

    @property
    def helper(self) -> Twin | None:
        """The process that does a part of what there is to do while the fit still goes on."""
        return self.twin if self.is_in_fit else None

    @property
    def is_saved(self) -> bool:
        """Whether what the package has learned is there."""
        return (self.folder / "state" / "fitted.json").exists()

    def allowed(self, reference: Matrix) -> Any:
        """What the columns of a matrix may differ by: rounding, and what is declared of single features."""
        return widened(tolerance(reference), reference, self.shares)

    @property
    def around(self) -> tuple[str, ...]:
        """The features that are made of the rows around a row; `*` stands for any."""
        return tuple(getattr(self.features_module.Features, "around", ()))

    @property
    def together(self) -> bool:
        """Whether only whole batches are served."""
        return bool(self.around)

    def fit_rows(self) -> tuple[Any, Any]:
        """The package's own training matrix and labels from the captured raw rows; keeps the fitted features."""
        restore_random(self.captures.random)
        self.fresh = self.features_module.Features()
        with self._each_fit_transform(self._note_difference):
            matrix, labels = self.fresh.fit_rows(self.raw.copy())
        return matrix, labels

    def fit_rows_by_transform(self) -> Any:
        """The training matrix again, each transformer fitted as before and then asked for `transform`."""
        restore_random(self.captures.random)
        with self._each_fit_transform(lambda estimator, rows, _made: estimator.transform(rows)):
            return self.features_module.Features().fit_rows(self.raw.copy())[0]

    def _note_difference(self, estimator: Any, rows: Any, made: Any) -> Any:
        apart = _apart(copy.deepcopy(estimator), rows, made)
        if apart is not None:
            name = type(estimator).__name__
            self.differing[name] = max(apart, self.differing.get(name, 0.0))
        return made

    @contextmanager
    def _each_fit_transform(self, then: Callable[[Any, Any, Any], Any]) -> Iterator[None]:
        """While fitting, `then` gives what each `fit_transform` yields, of the estimator, its rows and what it made."""
        recorder: Any = self.features_module.Learned
        original = recorder.fit_transform

        def fit_transform(learned: Any, name: str, estimator: Any, rows: Any, *further: Any, **options: Any) -> Any:
            kept = copy.deepcopy(rows)
            made = original(learned, name, estimator, rows, *further, **options)
            return then(estimator, kept, made) if learned.fitting else made

        recorder.fit_transform = fit_transform
        try:
            yield
        finally:
            recorder.fit_transform = original

    def open_served(self) -> None:
        """Load the saved pipeline; where nothing is saved, train one."""
        self.served = self.pipeline_module.Pipeline.load(self.folder) if self.is_saved else self.train()

    def train(self) -> Any:
        """Fit the package on the captured raw rows, the generators set as they stood in the notebook."""
        restore_random(self.captures.random)
        with self._random_before_fit():
            return self.train_module.train(self.raw.copy())

    def train_or_take(self) -> tuple[Any, Taking]:
        """The package as `train` fits it, and whether its model is the notebook's own, which the same training gave."""
        estimators = importlib.import_module(f"{self.pipeline_module.__package__}.estimators")
        taking = Taking(
            self.captures.trained,
            lambda path: estimators.load_estimator(path, self.features_module.Features.trusted),
        )
        with taking.in_place_of_training():
            return self.train(), taking

    @contextmanager
    def _random_before_fit(self) -> Iterator[None]:
        """An unseeded model draws from the global generator: it is set at the very moment before its `fit`."""
        train_module: Any = self.train_module
        original = train_module.fit_model

        def fit_model(*arguments: Any, **keywords: Any) -> Any:
            restore_random(self.captures.fit.random)
            return original(*arguments, **keywords)

        train_module.fit_model = fit_model
        try:
            yield
        finally:
            train_module.fit_model = original

    @property
    def raw(self) -> Any:
        return self.captures.frames[0]

    def serve(self, frame: Any) -> Matrix:
        """What the model would be given for these raw rows."""
        return with_whole_numbers(matrix_of(self.served.features.model_input(frame.copy())), self._template)

    @property
    def _template(self) -> Matrix:
        """Rows of the training matrix that the package keeps."""
        kept = self.served.features.matrix_
        if self._known is None or self._known[0] is not kept:
            self._known = kept, matrix_of(kept)
        return self._known[1]

    def predict(self, method: str, frame: Any) -> Any:
        """The answer of `predict`, `predict_proba` or another method of the model for raw rows.

        It is the model's own: where the package turns predictions back, the notebook does so in a later call.
        """
        own = getattr(self.served, method, None)
        if own is not None and getattr(self.served.features, "answer", None) is None:
            return own(frame.copy())
        return getattr(self.served.model, method)(self.served.features.model_input(frame.copy()))
