"""The verb `check --live`: the frame that lies in a running kernel against the package's own transform."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any

from msgspec import Struct, field

from nbprod import replay, versions
from nbprod.api.changing import changed_elsewhere, changed_where_read
from nbprod.api.checking import compared
from nbprod.api.kernel import Found, Manifest, frames_made, given_to_model, is_frame, makes
from nbprod.api.outlining import Recorded, notebook_of
from nbprod.api.packages import Target, recorded, target_in_project
from nbprod.api.proving import fitted_in
from nbprod.api.studying import Study, study
from nbprod.errors import NbprodError, Where
from nbprod.model.finding import Divergence
from nbprod.model.run import Version
from nbprod.notebook.formats import lines_of


class Kernel(Struct, frozen=True):
    """What is known of the running kernel: its variables, the raw frame as it was kept, and when cells last ran.

    `kept` is a copy of the raw frame from the end of the cell that reads it, by its name; `ran` gives by cell id the
    number of the last run.
    """

    namespace: Mapping[str, Any]
    kept: Mapping[str, Any] = field(default_factory=dict)
    ran: Mapping[str, int] = field(default_factory=dict)


class _Subject(Struct, frozen=True, dict=True):
    path: str
    target: Target
    version: Version
    folder: Path
    manifest: Manifest
    known: Study
    recorded: Recorded

    @cached_property
    def divergences(self) -> tuple[Divergence, ...]:
        """Where the notebook parts from the version."""
        return compared(self.known, self.target, self.version).divergences

    @property
    def raw_name(self) -> str:
        """The name that the notebook gives the raw frame, empty where it gives none."""
        return str(self.manifest["raw"]["name"] or "")

    @property
    def raw_cell(self) -> int:
        """The raw frame's cell in the notebook as it is now: cells move."""
        raw = self.manifest["raw"]
        cells = self.known.notebook.cells
        return next((cell.index for cell in cells if cell.id == raw["cell_id"]), min(raw["cell"], len(cells) - 1))


class _RawRows(Struct, frozen=True):
    """The raw rows to transform: a frame, or where a run has kept them; and what is to be said of them."""

    told: str
    frame: Any = None
    stored: replay.Raw | None = None


def live_check(
    path: str,
    kernel: Kernel,
    *,
    raw: str | None = None,
    frame: str | None = None,
    output: str | None = None,
) -> dict[str, Any]:
    """Compare what lies in the kernel with what the newest fitted version makes of the kernel's raw rows.

    Compared are the matrix that the training call names, and the frames that the features' steps write to with the
    package's own of the same names; or the variable `frame` alone. `raw` names the variable with the raw rows, where
    it is not the notebook's own. No code of the notebook runs, and no object of the kernel is changed: copies are
    handed to a process of their own.
    Raises NbprodError: `not-fitted`, `no-raw-rows`, `no-such-variable`, and what replaying a package raises.
    """
    subject = _subject(path, output)
    changed = _changed_in(subject)
    rows = _raw_rows(subject, kernel, raw, changed)
    found, notes = _found(subject, kernel, frame, changed)
    with tempfile.TemporaryDirectory(prefix="nbprod-live-") as folder:
        held, unkept = _written(found, Path(folder))
        answer = replay.compare_live(
            subject.target.root,
            subject.target.name,
            subject.folder.name,
            sys.executable,
            subject.manifest,
            folder=Path(folder),
            raw=rows.stored or _stored(rows, Path(folder)),
            held=held,
        )
    features = [_feature(name, answer, subject) for name in answer["columns"]]
    notes = [*notes, *unkept, *_notes(answer, subject, kernel)]
    return {
        "notebook": path,
        "name": subject.target.name,
        "package": subject.folder.as_posix(),
        "version": subject.version.number,
        "verdict": _verdict(features),
        "raw": rows.told,
        "features": features,
        "notes": notes,
    }


def _subject(path: str, output: str | None) -> _Subject:
    target = target_in_project(path, output=output)
    fitted = [each for each in versions.ledger(target.root, target.name) if each.state is not None]
    if not fitted:
        raise NbprodError(
            f"no version of {target.name} was ever fitted",
            code="not-fitted",
            where=Where(path),
            hint=f"run the notebook first: nbprod run {quote(path)}",
        )
    folder = versions.version_folder(target.root, target.name, fitted[-1].number)
    manifest = versions.read_manifest(folder)
    if manifest is None:
        raise NbprodError(
            "the manifest of this version can't be read", code="damaged-version", where=Where(str(folder))
        )
    before = recorded(target)
    known = study(notebook_of(path), model=target.settings.model, auto=True, recorded=before)
    return _Subject(path, target, fitted[-1], folder, manifest, known, before)


def _raw_rows(subject: _Subject, kernel: Kernel, asked: str | None, changed: int | None) -> _RawRows:
    """The raw rows: those asked for, else a copy that was kept, an unchanged variable, or what the last run read."""
    if asked is not None:
        if not is_frame(kernel.namespace.get(asked)):
            raise _no_frame(asked, "--raw")
        return _RawRows(f"{asked}, as you say", kernel.namespace[asked])
    name = subject.raw_name
    if name in kernel.kept and changed != subject.raw_cell:
        return _RawRows(f"{name} as it was read, kept from then", kernel.kept[name])
    if is_frame(kernel.namespace.get(name)) and changed is None:
        return _RawRows(f"{name}, which no cell changes after it is read", kernel.namespace[name])
    last = fitted_in(subject.target, subject.version)
    index = {} if last is None else json.loads((last.captures / "index.json").read_text(encoding="utf-8"))
    if last is not None and index["raw"]:
        why = f"{name} was changed in cell {changed} since it was read"
        if not is_frame(kernel.namespace.get(name)):
            why = f"{name or 'a table with a name of its own'} is not in the kernel"
        return _RawRows(
            f"those of the run that version {subject.version.number} was fitted in, for {why}",
            stored=replay.Raw(last.captures, index["raw"][0]["stem"]),
        )
    raise NbprodError(
        f"the raw rows are not in the kernel: {name or 'they'} "
        + ("is gone" if changed is None else f"was changed in cell {changed}"),
        code="no-raw-rows",
        where=Where(subject.path, subject.manifest["raw"]["cell"], None, subject.manifest["raw"]["line"]),
        hint="run %load_ext nbprod and then the cell that reads them, or name a variable that holds them: --raw NAME",
    )


def _changed_in(subject: _Subject) -> int | None:
    """The cell that changes the raw frame after it is read: the one that reads it before any other."""
    at, name = subject.raw_cell, subject.raw_name
    if changed_where_read(subject.known.notebook, at, name, subject.recorded):
        return at
    return changed_elsewhere(subject.known, at, name)


def _found(subject: _Subject, kernel: Kernel, asked: str | None, changed: int | None) -> tuple[list[Found], list[str]]:
    """The objects to compare, each once, and why others are not among them."""
    if asked is not None:
        if asked not in kernel.namespace:
            raise _no_frame(asked, "--frame")
        return [Found(asked, kernel.namespace[asked], is_given=True)], []
    matrix, why = given_to_model(subject.manifest, kernel.namespace)
    frames = frames_made(subject.manifest, kernel.namespace)
    known = [] if matrix is None else [matrix]
    known += [each for each in frames if matrix is None or each.name != matrix.name]
    notes = [why] if why else []
    if not known:
        notes.append("the kernel holds nothing that the features' cells make: run those first")
    return [each for each in known if each.name != subject.raw_name or changed is not None], notes


def _written(found: Sequence[Found], folder: Path) -> tuple[list[replay.Held], list[str]]:
    """Copies of the objects on disk, as data and not as pickles; and which could not be written."""
    from nbprod.codegen.runtime import codec

    held, notes = [], []
    for number, each in enumerate(found):
        stem = f"held_{number}"
        try:
            codec.dump(each.value, folder, stem)
            if each.labels is not None:
                codec.dump(each.labels, folder, f"{stem}_labels")
        except (TypeError, ValueError) as error:
            notes.append(f"{each.name} can't be compared: {error}")
            continue
        held.append(replay.Held(each.name, stem, f"{stem}_labels" if each.labels is not None else None, each.is_given))
    return held, notes


def _stored(rows: _RawRows, folder: Path) -> replay.Raw:
    from nbprod.codegen.runtime import codec

    try:
        codec.dump(rows.frame, folder, "raw")
    except (TypeError, ValueError) as error:
        raise NbprodError(
            f"the raw rows can't be handed over: {error}", code="no-raw-rows", hint="name another variable: --raw NAME"
        ) from None
    return replay.Raw(folder, "raw")


def _feature(name: str, answer: Mapping[str, Any], subject: _Subject) -> dict[str, Any]:
    """A column of the package's matrix: equal, differs or absent; where from, and the first row that differs."""
    places = [(held["name"], held["rows"], held["columns"][name]) for held in answer["held"] if name in held["columns"]]
    different = [each for each in places if each[2]["unequal"]]
    where, rows, told = (different or places or [(None, 0, {"unequal": 0, "first": None, "kind": ""})])[0]
    status = "differs" if different else "equal" if places else "absent"
    cell, line = _place(name, subject) if different else (None, None)
    lines = lines_of(subject.known.notebook.cells[cell].source, keepends=False) if cell is not None else []
    return {
        "name": name,
        "status": status,
        "where": where if different else ", ".join(each[0] for each in places) or None,
        "rows": rows,
        "unequal": told["unequal"],
        "first": told["first"],
        "cell": cell,
        "line": line,
        "code": lines[line - 1].strip() if line is not None and 0 < line <= len(lines) else "",
        "detail": _detail(status, rows, told),
    }


def _detail(status: str, rows: int, told: Mapping[str, Any]) -> str:
    if status == "absent":
        return "nothing in the kernel has it"
    if status == "equal":
        return f"{rows} rows"
    return f"{told['unequal']} of {rows} rows" + (f": {told['kind']}" if told["kind"] else "")


def _place(name: str, subject: _Subject) -> tuple[int | None, int | None]:
    """The line that makes a feature: where the notebook parts from the package if it does, else where it is made."""
    matches = [each for each in subject.manifest["features"] if _is_of(name, each["name"])]
    for each in subject.divergences:
        if each.cell >= 0 and (_is_of(name, each.feature) or each.feature in {one["name"] for one in matches}):
            return each.cell, each.line
    step = makes(matches[0], subject.manifest["steps"]) if matches else None
    if step is None:
        return None, None
    cells = {cell.id: cell.index for cell in subject.known.notebook.cells}
    return (cells[step["cell_id"]], step["line"]) if step["cell_id"] in cells else (None, None)


def _is_of(column: str, feature: str) -> bool:
    """Whether a column is the feature, or one of those that `Embarked_*` stands for."""
    return column == feature or ("*" in feature and fnmatchcase(column, feature))


def _notes(answer: Mapping[str, Any], subject: _Subject, kernel: Kernel) -> Iterator[str]:
    if answer["refused"]:
        yield f"the package makes nothing of the raw rows: {answer['refused']}"
    elif answer["left_out"]:
        yield f"the package takes {answer['rows'] - answer['left_out']} of the {answer['rows']} raw rows"
    yield from (f"{held['name']}: {held['note']}" for held in answer["held"] if held["note"])
    newest = versions.latest(subject.target.root, subject.target.name)
    if newest is not None and newest.number != subject.version.number:
        yield f"version {newest.number} is newer and was never fitted: nbprod run {quote(subject.path)}"
    yield from _stale(subject, kernel)


def _stale(subject: _Subject, kernel: Kernel) -> Iterator[str]:
    """Cells on the way to the model that last ran before a cell that they follow did."""
    steps = [*subject.manifest["steps"], subject.manifest["model"]]
    ids = list(dict.fromkeys(step["cell_id"] for step in steps))
    ran = [(cell, kernel.ran[cell]) for cell in ids if cell in kernel.ran]
    at = {cell.id: cell.index for cell in subject.known.notebook.cells}
    latest = ("", 0)
    for cell, number in ran:
        if number < latest[1] and cell in at and latest[0] in at:
            yield f"cell {at[cell]} ran before cell {at[latest[0]]} did: run the cells from there on again"
            return
        latest = max(latest, (cell, number), key=lambda each: each[1])


def _verdict(features: Sequence[Mapping[str, Any]]) -> str:
    states = {each["status"] for each in features}
    if "differs" in states:
        return "differs"
    if states == {"equal"}:
        return "equal"
    return "partly" if "equal" in states else "not-compared"


def _no_frame(name: str, option: str) -> NbprodError:
    return NbprodError(
        f'there is no {"DataFrame" if option == "--raw" else "variable"} "{name}" in the kernel',
        code="no-such-variable",
        hint=f"{option} takes the name of a variable; run the cell that makes it first",
    )
