"""Where a mismatch begins: the cell and line of the first step at which notebook and package hold different values."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from .outcome import Failing
from .sourcemap import Place, SourceMap
from .subject import Subject, restore_random
from .tracing import (
    Moment,
    Row,
    first_difference,
    first_moved,
    map_keys,
    same_row,
    source_namespace,
    watch_module,
    watch_source,
)

MODULE = "features.py"


def locate(subject: Subject, failing: Failing, manifest: dict[str, Any]) -> Place:
    """Cell and line for a failing; its feature's last step, or the raw rows' cell, where nothing better is known."""
    source_map = SourceMap(subject.folder, MODULE, manifest)
    return (
        _of_exception(subject, failing, manifest)
        or _of_traces(subject, failing, manifest, source_map)
        or _of_manifest(failing, manifest)
    )


def _of_exception(subject: Subject, failing: Failing, manifest: dict[str, Any]) -> Place | None:
    at = failing.module_line
    return SourceMap(subject.folder, at[0], manifest).place(at[1]) if at is not None else None


def _of_traces(subject: Subject, failing: Failing, manifest: dict[str, Any], source_map: SourceMap) -> Place | None:
    if failing.stage in ("predict", "compiled") or (failing.source != 0 and failing.stage != "context"):
        return None
    watched = max(failing.row, 0)
    traces = Traces(subject, manifest, source_map, failing.source, watched)
    if failing.stage == "fit":
        return traces.notebook_against_fit()
    if failing.stage == "context":
        return traces.among_against_alone(failing.among)
    if traces.held_out():
        # Training leaves the row out at the split, which is no difference: what was done to it is not in the package.
        return traces.moved()
    return traces.fit_against_serving() or traces.moved() or traces.notebook_against_fit()


def _of_manifest(failing: Failing, manifest: dict[str, Any]) -> Place:
    model, raw = manifest.get("model") or {}, manifest.get("raw") or {}
    if failing.stage == "predict" and model:
        return int(model["cell"]), int(model["line"])
    steps = manifest.get("steps", [])
    for feature in manifest.get("features", []):
        if feature["name"] == failing.name and feature["steps"]:
            last = steps[feature["steps"][-1]]
            return int(last["cell"]), int(last["line"])
    if steps and failing.name in ("(columns)", "(rows)", "(state)", "(training)"):
        return int(steps[-1]["cell"]), int(steps[-1]["line"])
    return int(raw.get("cell", 0)), int(raw.get("line", 1))


class Traces:
    """The executions that can be put side by side for one row of one raw frame."""

    def __init__(
        self, subject: Subject, manifest: dict[str, Any], source_map: SourceMap, source: int, position: int
    ) -> None:
        self.subject = subject
        self.manifest = manifest
        self.source_map = source_map
        self.frame = subject.captures.frames[source]
        self.position = position
        self.label = self.frame.index[position]
        self.code = subject.features_module.Features.prepare.__code__
        self.ignored = frozenset(self._target_names())

    def notebook_against_fit(self) -> Place | None:
        """The notebook's own text, run on the captured raw rows, against the package's fit."""
        steps = [step for step in self.manifest.get("steps", []) if not self._reads_raw(step)]
        raw = self.manifest.get("raw") or {}
        names = [name for name in (raw.get("name"), self.code.co_varnames[0]) if name]
        namespace = source_namespace(self.subject.features_module, names, self.subject.raw.copy())
        restore_random(self.subject.captures.random)
        row = self._row(frozenset())
        wanted = watch_source(steps, namespace, row)
        found: Place | None = first_difference(wanted, map_keys(self._fit_moments(row), self.source_map))
        return found

    def fit_against_serving(self) -> Place | None:
        """The package's fit against its serving of the row alone: what the saved state or a branch makes different."""
        alone = self._serve_moments(self.ignored, np.array([self.position]))
        return self._place(first_difference(alone, self._fit_moments(self._row(self.ignored))))

    def among_against_alone(self, among: Any) -> Place | None:
        """The row served with others against the row alone."""
        alone = self._serve_moments(self.ignored, np.array([self.position]))
        for others in (np.arange(len(self.frame)), among):
            if others is not None and len(others) > 1:
                together = self._serve_moments(self.ignored, np.asarray(others))
                found = first_difference(alone, together)
                found = first_moved(together) if found is None else found
                if found is not None:
                    return self._place(found)
        return None

    def moved(self) -> Place | None:
        """The line after which the rows stand in another order than they came in."""
        return self._place(first_moved(self._serve_moments(self.ignored, np.arange(len(self.frame)))))

    def _fit_moments(self, row: Row) -> list[Moment]:
        restore_random(self.subject.captures.random)
        features = self.subject.features_module.Features()
        return self._watch(lambda: features.fit_rows(self.subject.raw.copy()), lambda _: row)

    def _serve_moments(self, ignored: frozenset[str], positions: Any) -> list[Moment]:
        """Serving renumbers the rows and may take them in groups: the watched row is found by its values there."""
        rows = self.frame.iloc[positions]
        values = self.frame.iloc[self.position]

        def row_of(frame: Any) -> Row | None:
            at = 0 if len(positions) == 1 else same_row(frame, values)
            return None if at < 0 else Row(frame.index[at], {len(frame): at}, ignored)

        return self._watch(lambda: self.subject.served.features.model_input(rows.copy()), row_of)

    def _watch(self, call: Callable[[], Any], row_of: Callable[[Any], Row | None]) -> list[Moment]:
        return watch_module(call, self.code, row_of, self.source_map.statement)

    def _row(self, ignored: frozenset[str]) -> Row:
        positions = {len(self.subject.raw): self.position}
        index = self._trained_index()
        if index is not None:
            at = int(index.get_indexer([self.label])[0])
            if at >= 0:
                positions[len(index)] = at
        return Row(self.label, positions, ignored)

    def held_out(self) -> bool:
        """Whether the row is none of those that the model was trained on, where their labels tell."""
        index = self._trained_index()
        return index is not None and self.label not in index

    def _trained_index(self) -> Any:
        """The labels of the training rows, None where there are none or they repeat."""
        fit = self.subject.captures.fit
        index = next((part.index for part in (fit.X, fit.y) if hasattr(part, "iloc")), None)
        return index if index is not None and index.is_unique else None

    def _place(self, line: Any) -> Place | None:
        return None if line is None else self.source_map.place(line)

    def _target_names(self) -> list[str]:
        target = self.manifest.get("target")
        return [str(name) for name in ([target] if target else [])]

    def _reads_raw(self, step: dict[str, Any]) -> bool:
        raw = self.manifest.get("raw") or {}
        return (step["cell"], step["line"]) == (raw.get("cell"), raw.get("line"))
