"""The transformer that runs a notebook's feature code: fit learns from raw rows, transform replays on raw rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from . import codec
from .faults import ContractError, Fault
from .matrix import as_trained, gaps, in_order, no_rows, output_names, same, stack, take_rows
from .observing import observe
from .schema import RawSchema, conform, raw_schema, split_by_dtype, with_values
from .sites import Learned, LearnedError

__all__ = ["ContractError", "Learned", "LearnedError", "LearnedTransformer"]


MOST_ANCHORS = 32
SEARCHED = 2000
STAND_INS = 5
PROBED = 200
FIRST_LABEL = 10**9  # of a batch's rows, so that rows that were numbered anew are told from those that were not


@dataclass(frozen=True)
class FittedRows:
    """Features that have learned from rows, with matrix and labels of those that the notebook fits its model on."""

    features: Any
    matrix: Any
    labels: Any


class LearnedTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A scikit-learn transformer over raw rows whose feature code is the subclass's `prepare(frame, learned)`.

    `prepare` returns the matrix and the labels that the notebook gives its model; the labels are None unless the rows
    are labelled. `answer`, a function or a method, turns the model's predictions back into the target's units; None
    leaves them. `required` are the raw columns that a row must have (None: all but `target_columns`), `output_names`
    the names of the features where the matrix has none, `trusted` module prefixes beside NumPy, SciPy and scikit-learn
    whose fitted objects may be loaded. `around` are the features that are made of the rows around a row (`*` for any),
    so that a request is one batch, in its order.
    """

    prepare: ClassVar[Callable[[Any, Learned], tuple[Any, Any]]]
    answer: ClassVar[Any] = None
    target_columns: ClassVar[tuple[Hashable, ...]] = ()
    required: ClassVar[tuple[Hashable, ...] | None] = None
    output_names: ClassVar[tuple[str, ...] | None] = None
    trusted: ClassVar[tuple[str, ...]] = ()
    around: ClassVar[tuple[str, ...]] = ()

    def fit(self, frame: Any, y: Any = None) -> LearnedTransformer:
        """Learn from raw rows (a DataFrame). `y` stands in for a target column that the frame lacks."""
        self.fit_rows(frame, y)
        return self

    def fit_rows(self, frame: Any, y: Any = None) -> tuple[Any, Any]:
        """Learn from raw rows; returns the matrix and labels of the rows that the notebook fits its model on.

        FittedRows in the place of a frame are rows that were learned from already, in another way.
        """
        if isinstance(frame, FittedRows):
            self.__dict__.update(frame.features.__dict__)
            return frame.matrix, frame.labels
        raw = _with_target(frame, y, self.target_columns)
        learned = Learned()
        matrix, labels = self._prepared(raw.copy(), learned)
        self.settle(raw, matrix, labels, learned, {**observe(raw), "lookups": learned.shares_without_partner()})
        return matrix, labels

    def settle(
        self, raw: Any, matrix: Any, labels: Any, learned: Learned, observed: dict[str, Any], whole: Any = None
    ) -> None:
        """Keep what was learned of raw rows, which have given matrix and labels.

        Where the rows are the first of more, `observed` and `learned` are of all, and `whole` is the matrix of all.
        """
        self.learned_ = learned
        self.observed_ = observed
        self.matrix_ = no_rows(matrix)
        self.gaps_ = gaps(matrix if whole is None else whole).any(axis=0)
        self.output_names_ = output_names(matrix, self.output_names, learned.columns)
        self.feature_names_in_ = np.array([str(label) for label in raw.columns], dtype=object)
        self.n_features_in_ = raw.shape[1]
        self.anchors_, self.stand_in_ = None, raw.iloc[:1, :0]
        self.schema_ = self._schema(raw, matrix)
        self.stand_in_ = self._stand_in(raw, matrix)
        self.anchors_ = None if self.together else self._anchors(raw, matrix)
        self.trained_ = None if whole is not None else self._trained_places(raw, matrix, labels)

    def handed_over(self) -> dict[str, Any]:
        """What the preparation of the training rows handed over to the training, once."""
        handed, self.learned_.handed = self.learned_.handed, {}
        return handed

    def transform(self, frame: Any) -> Any:
        """The features of raw rows as a DataFrame: the frame's index, one row for each row, training's dtypes."""
        matrix = self.model_input(frame)
        if hasattr(matrix, "tocsr"):
            return pd.DataFrame.sparse.from_spmatrix(matrix, index=frame.index, columns=self.output_names_)
        result = pd.DataFrame(matrix)
        result.columns, result.index = self.output_names_, frame.index
        return result

    def model_input(self, frame: Any, without_partner: dict[str, list[int]] | None = None) -> Any:
        """What the model gets for raw rows: a frame, an array or a sparse matrix, as the notebook made it.

        `without_partner` is filled with the positions of the rows that have no row in a lookup table, by its name.
        """
        raw = self._conformed(frame, self.required_columns())
        if not len(raw):
            return take_rows(self._matrix_of(self._conformed(self.schema_.template)), slice(0, 0))
        if self.together:
            parts = [(np.arange(len(raw)), *self._looked_up(raw))]
        else:
            parts = [part for rows, group in split_by_dtype(raw, self.schema_) for part in self._parts_of(rows, group)]
        matrix = parts[0][1]
        if len(parts) > 1:
            order = np.argsort(np.concatenate([rows for rows, _, _ in parts]), kind="stable")
            matrix = take_rows(stack([part for _, part, _ in parts]), order)
        if without_partner is not None:
            for rows, _, alone in parts:
                for name, mask in alone.items():
                    without_partner.setdefault(name, []).extend(rows[mask].tolist())
        if isinstance(matrix, (pd.DataFrame, pd.Series)):
            matrix.index = frame.index
        return matrix

    def lacking(self, matrix: Any) -> Any:
        """Which rows of a batch's matrix miss a feature of which training had every value, as an array of booleans."""
        return (gaps(matrix) & ~self.gaps_).any(axis=1)

    def labels(self, frame: Any) -> Any:
        """The labels of raw rows that have a target, as the notebook makes them."""
        if not self.target_columns:
            raise TypeError(f"{type(self).__name__} has no target")
        raw = conform(frame, self.schema_, self.target_columns)
        _, labels = self._prepared(raw, self.learned_.replay(labelled=True))
        if isinstance(labels, (pd.DataFrame, pd.Series)) and len(labels) == len(frame):
            labels.index = frame.index
        return labels

    @property
    def together(self) -> bool:
        """Whether the rows of a request belong together: features are made of the rows around a row."""
        return bool(self.around)

    def required_columns(self) -> tuple[Hashable, ...]:
        """The raw columns that a row must have."""
        if self.required is not None:
            return self.required
        return tuple(label for label in self.schema_.labels if label not in self.target_columns)

    def get_feature_names_out(self, input_features: Any = None) -> Any:  # noqa: ARG002 - scikit-learn's signature
        """The names of the columns that `transform` gives."""
        return np.array(self.output_names_, dtype=object)

    def feature_dtypes(self) -> list[dict[str, str]]:
        """Name and dtype of each feature, as the model gets them."""
        dtypes = getattr(self.matrix_, "dtypes", None)
        each = list(dtypes) if isinstance(dtypes, pd.Series) else [self.matrix_.dtype] * len(self.output_names_)
        return [{"name": name, "dtype": str(dtype)} for name, dtype in zip(self.output_names_, each)]

    def save(self, folder: str | Path) -> None:
        """Write what fit learned: `learned.json`, `raw.json` and the files beside them."""
        self.learned_.save(folder, "learned", self.trusted)
        fitted = {
            "blanks": list(self.schema_.blanks),
            "gaps": self.gaps_,
            "kinds": list(self.schema_.kinds),
            "matrix": self.matrix_,
            "names": list(self.output_names_),
            "template": self.schema_.template,
            "anchors": self.anchors_,
            "stand_in": self.stand_in_,
        }
        codec.dump(fitted, folder, "raw", inline=2**20)

    @classmethod
    def load(cls, folder: str | Path, observed: dict[str, Any]) -> LearnedTransformer:
        """Read what `save` wrote; `observed` is the observed part of the contract."""
        features = cls()
        fitted = codec.load(folder, "raw")
        features.learned_ = Learned.load(folder, "learned", cls.trusted)
        features.anchors_, features.stand_in_ = fitted["anchors"], fitted["stand_in"]
        features.schema_ = RawSchema(fitted["template"], tuple(fitted["kinds"]), tuple(fitted["blanks"]))
        features.observed_ = observed
        features.gaps_ = fitted["gaps"]
        features.matrix_, features.output_names_ = fitted["matrix"], fitted["names"]
        features.feature_names_in_ = np.array([str(label) for label in features.schema_.labels], dtype=object)
        features.n_features_in_ = len(features.schema_.labels)
        return features

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "schema_")

    def _conformed(self, frame: Any, required: tuple[Hashable, ...] = (), stand_in: Any = None) -> Any:
        """Raw rows as training had them; what stands in for their target is the same for all of them."""
        return with_values(conform(frame, self.schema_, required), self.stand_in_ if stand_in is None else stand_in)

    def _parts_of(self, rows: Any, raw: Any) -> list[tuple[Any, Any, dict[str, Any]]]:
        """Positions, matrix and rows without partner of conformed rows, those apart that lookup tables don't have.

        The gaps in what is looked up for them would turn whole numbers of the other rows into floats.
        """
        matrix, alone = self._looked_up(raw)
        if not alone or all(mask.all() or not mask.any() for mask in alone.values()):
            return [(rows, matrix, alone)]
        _, group = np.unique(np.column_stack(list(alone.values())), axis=0, return_inverse=True)
        parts = []
        for number in range(group.max() + 1):
            at = np.flatnonzero(group.ravel() == number)
            part = raw.iloc[at]
            matrix, apart = self._looked_up(part if raw.index.names != [None] else part.reset_index(drop=True))
            parts.append((rows[at], matrix, apart))
        return parts

    def _matrix_of(self, raw: Any) -> Any:
        return self._looked_up(raw)[0]

    def _looked_up(self, raw: Any) -> tuple[Any, dict[str, Any]]:
        """Run the feature code on conformed rows and hold it to one row out for each row in.

        With the matrix comes, by lookup table, which rows have no row in it.

        Training rows go along as anchors, so that a column gets the dtype that it had in training and not one that
        depends on which values the request happens to hold: `.str` on a text column that is missing in all of them.
        """
        rows = len(raw)
        if self.anchors_ is not None:
            raw = pd.concat([raw, self.anchors_], ignore_index=raw.index.names == [None])
        if self.together and raw.index.names == [None]:
            raw = raw.set_axis(pd.RangeIndex(FIRST_LABEL, FIRST_LABEL + rows))
        index, expected = raw.index, len(raw)
        learned = self.learned_.replay()
        matrix, _ = self._prepared(raw, learned)
        if matrix.shape[0] != expected:
            made = matrix.shape[0] - expected + rows
            raise RuntimeError(f"the feature code made {made} rows of {rows}: it may not drop or add rows")
        alone = {name: mask[:rows] for name, mask in learned.without_partner.items()}
        matrix = in_order(matrix, index)
        if learned.moved and not (isinstance(matrix, (pd.DataFrame, pd.Series)) and matrix.index.equals(index)):
            text = "the feature code puts the rows in order and forgets which is which: send them in that order"
            raise ContractError([Fault(0, "", "refused", text)])
        return as_trained(take_rows(matrix, slice(0, rows)), self.matrix_), alone

    def _prepared(self, raw: Any, learned: Learned) -> tuple[Any, Any]:
        learned.rows = raw
        return type(self).prepare(raw, learned)

    def _stand_in(self, raw: Any, matrix: Any) -> Any:
        """One row of target columns, which stands in for the target of rows that are served.

        Feature code may go over the target with all the other columns (encode them, change their types), and it can
        take a value of training. It has no columns where a feature changes with the target: then it stays missing.
        """
        rows = _trained_rows(raw, matrix)
        asked = self.required_columns() if self.together else ()  # a batch has the target of the rows before
        targets = rows.loc[
            :, [each for each in self.target_columns if each in rows.columns and each not in asked]
        ].dropna()
        if not targets.size:
            return self.stand_in_
        values = targets.iloc[:, 0]
        order = np.argsort(values if pd.api.types.is_numeric_dtype(values) else values.astype(str), kind="stable")
        places = np.asarray(order)[np.linspace(0, len(values) - 1, num=STAND_INS, dtype=int)]
        probes = rows.iloc[np.linspace(0, len(rows) - 1, num=min(PROBED, len(rows)), dtype=int)]
        for some in (probes, self.schema_.template):
            made = []
            for stand_in in (targets.iloc[[place]] for place in places):
                try:
                    made.append((stand_in, self._matrix_of(self._conformed(some, stand_in=stand_in))))
                except Exception:  # noqa: BLE001 - training may drop rows that its code can't take
                    continue
            if made:
                return made[len(made) // 2][0] if all(same(each, made[0][1]) for _, each in made) else self.stand_in_
        return self.stand_in_

    def _trained_places(self, raw: Any, matrix: Any, labels: Any) -> Any:
        """The positions of the raw rows that reached the model; None where no index of matrix or labels tells it."""
        table = next((each for each in (matrix, labels) if isinstance(each, (pd.DataFrame, pd.Series))), None)
        if table is None or self.together or not (raw.index.is_unique and table.index.is_unique):
            return None
        places = raw.index.get_indexer(table.index)
        if not len(places) or places.min() < 0 or matrix.shape[0] != len(places):
            return None
        some = np.linspace(0, len(places) - 1, num=min(PROBED, len(places)), dtype=int)
        try:
            made, then = self._matrix_of(self._conformed(raw.iloc[places[some]])), take_rows(matrix, some)
            made, then = (each.toarray() if hasattr(each, "toarray") else np.asarray(each) for each in (made, then))
            is_equal = np.allclose(made.astype("float64"), then.astype("float64"), equal_nan=True)
        except Exception:  # noqa: BLE001 - a table that the code can't take in part, or of text, does not tell it
            return None
        return np.sort(places) if is_equal else None

    def _anchors(self, raw: Any, matrix: Any) -> Any:
        """A few training rows: of each raw column a gap, its most frequent value and another; None if they raise."""
        rows, first = self._candidates(_trained_rows(raw, matrix))
        chosen = dict.fromkeys([*first, *np.linspace(0, len(rows) - 1, num=min(4, len(rows)), dtype=int).tolist()])
        for position in range(raw.shape[1]):
            if len(chosen) >= MOST_ANCHORS:
                break
            chosen.update(dict.fromkeys(_telling_rows(rows.iloc[:, position])))
        for take in (list(chosen)[:MOST_ANCHORS], list(chosen)[:4]):
            if take and self._goes_through(rows.iloc[take]):
                return self._conformed(rows.iloc[take])
        return None

    def _candidates(self, rows: Any) -> tuple[Any, list[int]]:
        """Rows to choose anchors from, and positions of such as have to be among them.

        A row without partner in a lookup table brings gaps into the table's columns, which turns whole numbers into
        floats: there is one where training had some, and none else.
        """
        shares = self.observed_["lookups"]
        if not shares:
            return rows.iloc[:SEARCHED], []
        rows = rows.iloc[:: max(1, len(rows) // SEARCHED)]
        try:
            _, alone = self._looked_up(self._conformed(rows))
        except Exception:  # noqa: BLE001 - training drops rows, so its code need not be able to take them all
            return rows, []
        left_out = np.zeros(len(rows), dtype=bool)
        for name, mask in alone.items():
            left_out |= mask if not shares.get(name) else False
        gaps = [np.flatnonzero(mask[~left_out])[:1] for name, mask in alone.items() if shares.get(name)]
        return rows[~left_out], np.concatenate([*gaps, np.array([], dtype=int)]).tolist()

    def _goes_through(self, rows: Any) -> bool:
        try:
            self._matrix_of(self._conformed(rows))
        except Exception:  # noqa: BLE001 - the feature code of a notebook may raise anything on rows it never served
            return False
        return True

    def _schema(self, raw: Any, matrix: Any) -> RawSchema:
        """The raw schema, with the first row that goes through alone, preferably one that reached the model."""
        schema = raw_schema(raw, raw.iloc[:1])
        kept = matrix.index[:5] if isinstance(matrix, (pd.DataFrame, pd.Series)) and raw.index.is_unique else []
        first = [row for row in raw.index.get_indexer_for(kept).tolist() if row >= 0]
        for position in [*first, *range(min(20, len(raw)))]:
            template = raw.iloc[[position]]
            schema = replace(
                schema, template=template if raw.index.names != [None] else template.reset_index(drop=True)
            )
            try:
                self._matrix_of(conform(template, schema, ()))
            except Exception:  # noqa: BLE001 - training may drop the row, so its code need not be able to take it
                continue
            break
        return schema


def _trained_rows(raw: Any, matrix: Any) -> Any:
    """Raw rows that reached the model, where that is told; else raw rows."""
    kept = matrix.index if isinstance(matrix, (pd.DataFrame, pd.Series)) and raw.index.is_unique else raw.index
    known = raw.index.get_indexer(kept) if raw.index.is_unique else np.arange(len(raw))
    return raw.iloc[known[known >= 0]]


def _telling_rows(column: Any) -> list[int]:
    """Positions of a gap, of the most frequent value and of another value, where there are such."""
    missing = column.isna().to_numpy()
    codes = pd.factorize(column.astype(str))[0]
    present = codes[~missing]
    often = np.bincount(present).argmax() if len(present) else -1
    found = [
        np.flatnonzero(missing),
        np.flatnonzero(~missing & (codes == often)),
        np.flatnonzero(~missing & (codes != often)),
    ]
    return [int(places[0]) for places in found if len(places)]


def _with_target(frame: Any, y: Any, columns: tuple[Hashable, ...]) -> Any:
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"raw rows are a pandas DataFrame, not {type(frame).__name__}")
    if not len(frame):
        raise ValueError("there are no rows to fit on")
    absent = [column for column in columns if column not in frame.columns]
    if y is None or not absent:
        return frame
    labels = y.to_numpy() if isinstance(y, (pd.Series, pd.DataFrame)) else np.asarray(y)
    frame = frame.copy()
    for column, part in zip(absent, [labels] if labels.ndim == 1 else labels.T):
        frame[column] = part
    return frame
