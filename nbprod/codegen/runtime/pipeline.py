"""The fitted pipeline: feature code, model and contract together, from raw rows to predictions, saved and loaded."""

from __future__ import annotations

import importlib
import json
import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if

from .baseline import FILE as BASELINE
from .baseline import baseline
from .codec import to_text
from .contract import Contract
from .estimators import load_estimator, save_estimator
from .faults import MOST_FAULTS, ContractError, Fault, in_order
from .gaps import with_handled
from .golden import close, differences, read_golden, write_golden
from .learned import LearnedTransformer
from .light import answered, at_once, chances_of
from .matrix import gaps, one_each, take_rows
from .observing import outside, records_of, refused
from .rows import FILE as ROW
from .rows import bound, load_rows
from .schema import frame_of
from .state import HERE, OfVersion, StateError, checked, sha256, versions


class Pipeline(OfVersion):
    """A notebook's features and model on raw rows.

    `features` is a fitted `LearnedTransformer`, `model` what the notebook fitted on its matrix; the contract is read
    from the version's folder when none is given. `rows` answers a record without pandas, where a fit has written that.
    """

    def __init__(
        self, features: LearnedTransformer, model: Any, contract: Contract | None = None, *, folder: str | Path = HERE
    ) -> None:
        self.features = features
        self.model = model
        self.rows: ModuleType | None = None
        self.folder = Path(folder)
        if contract is None:
            features.observed_ = with_handled(features, model)
        self.contract = contract or Contract.from_parts(_static(self.folder), _observed(features, model))

    def __repr__(self) -> str:
        return f"<Pipeline {self.contract.name} {self.version}: {type(self.model).__name__}>"

    def transform(self, frame: Any) -> Any:
        """The features of raw rows (a DataFrame) as a DataFrame with the same index, one row for each row."""
        return self.features.transform(frame)

    def predict(self, frame: Any) -> Any:
        """The model's predictions for raw rows, as an array with one entry for each row, in the target's units.

        Where features are made of the rows around a row (`features.together`), the frame is one batch in its order, and
        rows without the neighbours that they need get NaN, or None where the answers are no numbers.

        Raises ContractError for rows that the contract refuses: a column or a value is missing, or of another type.
        """
        return self._ask("predict", frame)

    @available_if(lambda pipeline: hasattr(pipeline.model, "predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, frame: Any) -> Any:
        """The model's probabilities for raw rows: one row for each row, one column for each class."""
        return self._ask("predict_proba", frame)

    def predict_one(self, record: Mapping[str, Any]) -> Any:
        """The prediction for one record, as a Python value. Fields may be left out unless they are required."""
        made = None if self.rows is None else answered(self.rows, [record])
        return self.predict_together([dict(record)])[0] if made is None else made[0]

    def predict_together(
        self, records: Sequence[dict[str, Any]], alone: dict[str, list[int]] | None = None
    ) -> list[Any]:
        """The predictions for records as one table; `alone` takes the rows that a lookup table has no row for."""
        if self.features.together and len(records) == 1:
            text = "features are made of the rows around a row: send the rows before it, too, in one batch"
            raise ContractError([Fault(0, "", "history", text)])
        frame = frame_of(records, self.features.schema_, self.features.required_columns())
        answers = self._ask("predict", frame, alone)
        predictions: list[Any] = one_each(answers).tolist()
        if self.features.together:
            predictions = [None if gone else value for value, gone in zip(predictions, gaps(answers).any(axis=1))]
        return predictions

    def probabilities(self, records: Sequence[dict[str, Any]]) -> list[list[float]]:
        """The probabilities of the classes (`contract.classes`) for records: a list for each, in their order.

        Raises TypeError where the model gives none, ContractError as `predict` does.
        """
        if not hasattr(self.model, "predict_proba"):
            raise TypeError(f"a {type(self.model).__name__} gives no probabilities")
        made = chances_of(self.rows, records)
        if made is None:
            frame = frame_of(records, self.features.schema_, self.features.required_columns())
            made = self._ask("predict_proba", frame).tolist() if records else []
        return made

    def labels(self, frame: Any) -> Any:
        """The true labels of raw rows that have a target, as the notebook makes them."""
        return self.features.labels(frame)

    def check(self, frame: Any) -> list[Fault]:
        """What in raw rows lies outside of what training saw, row by row."""
        alone: dict[str, list[int]] = {}
        if self.contract.lookups:
            self.features.model_input(frame, alone)
        return self._with_lookups(outside(self.contract, frame), alone)

    def at_once(self, records: Sequence[Any]) -> Any:
        """As `answer`, without pandas; None where that takes the package's own code."""
        return at_once(self.contract, self.rows, records)

    def answer(self, records: Sequence[Any]) -> tuple[list[Any], list[Fault]]:
        """Predictions for records as JSON has them, with their flags; the contract's policy is applied.

        Raises ContractError with every fault by row and field when a record cannot be answered; of many the first.
        """
        made: tuple[list[Any], list[Fault]] | None = self.at_once(records)
        if made is not None:
            return made
        faults = self.contract.validate(records, MOST_FAULTS)
        errors = [fault for fault in faults if fault.severity == "error"]
        if errors:
            raise ContractError(errors)
        try:
            alone: dict[str, list[int]] = {}
            predictions = self.predict_together(records, alone) if records else []
        except ContractError:
            raise
        except Exception as error:
            told = self._refused(records)
            if not told:
                raise
            rows = {fault.row for fault in told}
            # what is unusual about a record is often why the notebook's code fails on it
            raise ContractError(in_order(told, [flag for flag in faults if flag.row in rows])) from error
        faults = self._with_unanswered(self._with_lookups(faults, alone), predictions)
        errors = [fault for fault in faults if fault.severity == "error"]
        if errors:
            raise ContractError(errors)
        if self.contract.unsure is not None and records:
            faults = in_order(faults, self.contract.doubts(self.probabilities(records)))
            for row in self.contract.withheld(faults):
                predictions[row] = None
        for row in self.contract.defaulted(faults):
            predictions[row] = self.contract.default
        return predictions, faults

    def judge(self, frame: Any) -> tuple[Any, list[Fault]]:
        """`predict` with the flags of the rows; the contract's policy is applied, as `answer` does it for records.

        Raises ContractError as `predict` does, and for rows that the policy rejects.
        """
        alone: dict[str, list[int]] = {}
        predictions = one_each(self._ask("predict", frame, alone))
        faults = self._with_unanswered(self._with_lookups(outside(self.contract, frame), alone), predictions)
        errors = [fault for fault in faults if fault.severity == "error"]
        if errors:
            raise ContractError(errors)
        if self.contract.unsure is not None and len(frame):
            faults = in_order(faults, self.contract.doubts(self._ask("predict_proba", frame).tolist()))
        for rows, answer in (
            (self.contract.withheld(faults), None),
            (self.contract.defaulted(faults), self.contract.default),
        ):
            if rows:
                predictions = predictions.astype(object)
                predictions[rows] = answer
        return predictions, faults

    def example(self) -> dict[str, Any]:
        """A record as training had it."""
        return records_of(self.features.schema_.template)[0]

    def hold(self) -> None:
        """Raise StateError where the first golden row is not answered as it was when the version was fitted."""
        golden = read_golden(self.folder / "tests")
        if golden is None or not len(golden["rows"]):
            return
        count = len(golden["rows"]) if self.features.together else 1
        first = {key: golden[key][:count] for key in ("features", "predictions", "rows")}
        wrong = next(differences(self, first), None)
        if wrong:
            raise StateError(f"the pipeline no longer answers its golden row: {wrong}")

    def save(self, folder: str | Path | None = None, frame: Any = None) -> Path:
        """Write `state/` into a version folder (this version's own by default); returns the path of `state/`.

        With `frame` (raw rows) up to 50 of them are kept as golden rows for the version's tests, and counts of all of
        them and of their predictions as the baseline that served rows are watched against. The state is read back and
        asked before it takes the place of an older one. Raises TypeError naming what cannot be kept.
        """
        if self.contract.unsure is not None and not hasattr(self.model, "predict_proba"):
            raise TypeError(f"low_confidence takes probabilities, which a {type(self.model).__name__} does not give")
        folder = self.folder if folder is None else Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".state-") as temporary:
            state = Path(temporary, "state")
            state.mkdir()
            observed = _observed(self.features, self.model)
            self.features.save(state)
            save_estimator(self.model, state / "model.skops", self.features.trusted)
            _write_json(state / "schema.json", observed)
            self._hold_to(state, frame)
            if frame is not None:
                _write_json(state / BASELINE, baseline(self, frame))
            files = {path.name: sha256(path) for path in sorted(state.iterdir())}
            fitted = {"digest": self.digest, "files": files, "python": platform.python_version()}
            _write_json(state / "fitted.json", {**fitted, "versions": versions()})
            _put(state, folder / "state")
        if frame is not None:
            write_golden(self, frame, folder / "tests")
        return folder / "state"

    def keep(self, files: Mapping[str, str], **notes: Any) -> None:
        """Put texts beside what was learned, as files of this fitted version, and notes into its `fitted.json`."""
        state = self.folder / "state"
        for name, text in files.items():
            (state / name).write_bytes(text.encode("utf-8"))
        fitted = json.loads((state / "fitted.json").read_text(encoding="utf-8"))
        known = {**fitted["files"], **{name: sha256(state / name) for name in files}}
        _write_json(state / "fitted.json", {**fitted, **notes, "files": known})

    @classmethod
    def load(cls, folder: str | Path | None = None) -> Pipeline:
        """Read a fitted version (this one by default). Raises StateError when it is not fitted or does not belong.

        Files of fitted objects are audited first: a type that is not allowed raises TypeError naming it.
        """
        folder = HERE if folder is None else Path(folder)
        return cls.of_checked(folder, *checked(folder))

    @classmethod
    def of_checked(cls, folder: Path, fitted: Mapping[str, Any], contract: Contract) -> Pipeline:
        """Read a version whose state was checked (`state.checked`), with what that gave."""
        state = folder / "state"
        features, model = _read(state)
        pipeline = cls(features, model, contract, folder=folder)
        pipeline.take_rows(fitted)
        return pipeline

    def take_rows(self, fitted: Mapping[str, Any]) -> None:
        """Answer one row without pandas where the fit has kept a compiled form; `fitted` is what `checked` gives."""
        rows = load_rows(self.folder / "state") if ROW in fitted["files"] else None
        self.rows = None if rows is None else bound(rows, self.model, self.features.answer)

    def _with_lookups(self, faults: list[Fault], alone: dict[str, list[int]]) -> list[Fault]:
        """The faults, with those of the rows that a lookup table has no row for, in the order of the rows."""
        return sorted([*faults, *self.contract.alone(alone)], key=lambda fault: fault.row) if alone else faults

    def _with_unanswered(self, faults: list[Fault], predictions: Any) -> list[Fault]:
        """The faults, with those of the rows of a batch that have no answer."""
        if not self.features.together:
            return faults
        rows = np.flatnonzero(gaps(np.asarray(predictions, dtype=object)).any(axis=1)).tolist()
        return sorted([*faults, *self.contract.without_neighbours(rows)], key=lambda fault: fault.row)

    def _ask(self, method: str, frame: Any, alone: dict[str, list[int]] | None = None) -> Any:
        ask = getattr(self.model, method)
        turned_back = self.features.answer if method == "predict" else None
        nulls = refused(self.contract, frame)
        if nulls:
            raise ContractError(nulls)
        # scikit-learn refuses no rows: the answer for a training row shows the dtype and width of none
        rows = frame if len(frame) else self.features.schema_.template
        matrix = self.features.model_input(rows, alone if len(frame) else None)
        answered = ~self.features.lacking(matrix) if self.features.together else np.ones(len(rows), dtype=bool)
        if not answered.any():
            return np.full(len(frame), np.nan)
        predicted = ask(matrix if answered.all() else take_rows(matrix, answered))
        if turned_back is not None:
            predicted = turned_back(predicted)
        return _at_rows(np.asarray(predicted), answered)[: len(frame)]

    def _refused(self, records: Sequence[dict[str, Any]]) -> list[Fault]:
        """The records that the feature code or the model cannot take; none when it fails on a training row too."""
        try:
            self.predict(self.features.schema_.template)
        except Exception:  # noqa: BLE001 - then the pipeline is at fault, not the records
            return []
        if self.features.together:
            return [Fault(0, "", "refused", "the pipeline cannot answer this batch")]
        faults = []
        for row, record in enumerate(records):
            try:
                self.predict_together([record])
            except Exception as error:  # noqa: BLE001 - the notebook's code may raise anything for a value it never met
                reason = str(error).strip().split("\n")[0][:300] or type(error).__name__
                faults.append(Fault(row, "", "refused", f"the pipeline cannot answer this record: {reason}"))
        return faults

    def _hold_to(self, state: Path, frame: Any) -> None:
        """Read back what was written, and see that it answers as this pipeline does."""
        rows = self.features.schema_.template if frame is None else frame.iloc[:50]
        try:
            expected = self.predict(rows)
        except Exception:  # noqa: BLE001 - rows that training dropped: nothing to hold the state to
            return
        features, model = _read(state)
        again = Pipeline(features, model, self.contract, folder=self.folder).predict(rows)
        if not _same_answers(self.model, again, expected):
            raise StateError(f"a {type(self.model).__name__} answers otherwise after it is saved and loaded")


def _at_rows(predicted: Any, answered: Any) -> Any:
    """Predictions at the rows that have one; the others get NaN, or None where the predictions are no numbers."""
    if answered.all():
        return predicted
    number = predicted.dtype.kind == "f"
    nothing, kind = (np.nan, predicted.dtype) if number else (None, object)
    whole = np.full((len(answered), *predicted.shape[1:]), nothing, dtype=kind)
    whole[answered] = predicted
    return whole


def _same_answers(model: Any, now: Any, before: Any) -> bool:
    """Whether answers are equal: to the bit, but for a model that runs in parallel and adds up in any order."""
    settings = model.get_params() if hasattr(model, "get_params") else {}
    if any(name.endswith("n_jobs") and value not in (None, 1) for name, value in settings.items()):
        return now.shape == before.shape and bool(close(now, before).all())
    return bool(np.array_equal(now, before, equal_nan=before.dtype.kind == "f"))


def _static(folder: Path) -> dict[str, Any]:
    path = folder / "contract.json"
    static: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return static


def _observed(features: LearnedTransformer, model: Any) -> dict[str, Any]:
    """The observed part of the contract (state/schema.json)."""
    classes = getattr(model, "classes_", None)
    is_classifier = classes is not None or hasattr(model, "predict_proba")
    return {
        **features.observed_,
        "features": features.feature_dtypes(),
        "task": "classification" if is_classifier else "regression",
        "classes": classes.tolist() if isinstance(classes, np.ndarray) and classes.ndim == 1 else None,
    }


def _read(state: Path) -> tuple[LearnedTransformer, Any]:
    """The fitted features and model of a state folder. The feature code is this package's own."""
    features_class = importlib.import_module("..features", __package__).Features
    observed = json.loads((state / "schema.json").read_text(encoding="utf-8"))
    kept = ("rows", "columns", "lookups")
    features = features_class.load(state, {key: observed[key] for key in kept if key in observed})
    return features, load_estimator(state / "model.skops", features_class.trusted)


def _put(new: Path, place: Path) -> None:
    """Move a finished folder to its place; an older one goes only when the new one stands."""
    old = new.with_name("old")
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _write_json(path: Path, value: Any) -> None:
    path.write_bytes(to_text(value).encode("utf-8", "surrogatepass"))
